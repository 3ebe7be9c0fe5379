"""A host runs what a plugin brings: it answers, and whatever goes wrong is one typed error."""

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from core_caps.claims.operation import CapabilitySpec, Operation
from core_caps.contract.codec import Foreign
from core_caps.contract.reference import Request
from core_caps.contract.suite import Call, Follower
from core_caps.errors import Conflict, ProviderError
from flows_registry.lab.hosted.hosting import Host, HostBroken
from flows_registry.lab.hosted.reference import HostedReference
from flows_registry.lab.hosted.suite import hosted_contract

pytestmark = pytest.mark.feature("DC-05", "P4-04")

BROUGHT = """
import os
import sys
import time
from dataclasses import dataclass

from core_caps.claims.operation import CapabilitySpec, Operation
from core_caps.contract.reference import Response
from core_caps.contract.suite import Call, Contract, Exercise
from core_caps.errors import Conflict, ProviderError


class Reference:
    def __init__(self, settings, secrets, now):
        self.now, self.seen, self.told = now, [], {**settings, **secrets}

    def handle(self, request):
        match request.path:
            case "/raise":
                raise ValueError("a mistake")
            case "/hang":
                time.sleep(3600)
            case "/end":
                os._exit(3)
            case "/garbage":
                os.write(int(sys.argv[1]), b"not JSON\\n")
            case "/number":
                os.write(int(sys.argv[1]), b"7\\n")
            case "/deaf":
                answer = b'{"answer": {"status": 200, "headers": [], "body": ""}}'
                os.write(int(sys.argv[1]), answer + b"\\n")
                time.sleep(3600)
            case "/status":
                return Response("fine", (), b"")
            case "/flood":
                return Response(200, (), b"x" * 52_000_000)
            case "/print":
                print("{}")
        self.seen.append(request.body.hex())
        return Response(200, (("X-Now", str(self.now())),), request.body[::-1])

    def state(self):
        return {"seen": self.seen, "told": self.told}

    def reset(self):
        self.seen.clear()

    def failure(self, status):
        return Response(status, (), b"no")


class OwnRefusal(ProviderError):
    pass


@dataclass(frozen=True)
class Pair:
    left: int
    right: int


class Model:
    def __init__(self):
        self.sum = 0

    def apply(self, call):
        if call.operation == "refuse":
            raise OwnRefusal("no")
        if call.operation == "clash":
            raise Conflict("no")
        self.sum += call.args[0].left if isinstance(call.args[0], Pair) else call.args[0]
        return Pair(self.sum, 0)

    def state(self):
        return self.sum


class Following(Model):
    def accepts(self, call, answer, error=""):
        fits = error == "Conflict" or answer in (self.sum, Pair(self.sum, 0))
        self.sum += fits
        return fits

    def lost(self, call, applied):
        self.sum += {True: 10, False: 0, None: 100}[applied]


def generate(source, length, operations):
    return [Call(name, (source.randrange(9),)) for name in sorted(operations)][:length]


SPEC = CapabilitySpec("sum", 1, {"add": Operation("add", ("resource::sum::write",))})
ADD = Exercise("add", Call("add", (Pair(1, 2),)))
CONTRACT = Contract(
    object, SPEC, (), (ADD,), generate, Model, lambda call, result: result.left, lambda calls: calls
)
FOLLOWED = Contract(object, SPEC, (), (ADD,), generate, Following, read_back=lambda calls: calls)
BARE = Contract(object, SPEC, (), (ADD,))
NO_CALLS = Contract(object, SPEC, (), (ADD,), lambda *_: [1, 2], Model)
"""

SPEC = CapabilitySpec("sum", 1, {"add": Operation("add", ("resource::sum::write",))})
Start = Callable[..., Host]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "brought.py").write_text(BROUGHT)
    core_caps = Path(sys.modules["core_caps"].__file__ or "").parents[1]
    hosts: list[Host] = []

    def entering(argv: Sequence[str]) -> Sequence[str]:
        return ["/usr/bin/env", f"PYTHONPATH={tmp_path}:{core_caps}", *argv]

    def begin(kind: str, name: str, seconds_max: float = 20.0) -> Host:
        host = Host(
            Path(sys.executable),
            kind,
            f"brought:{name}",
            entering=entering,
            seconds_max=seconds_max,
        )
        hosts.append(host)
        return host

    yield begin
    for host in hosts:
        host.close()


def _reference(host: Host, now: Callable[[], float] = lambda: 0.0) -> HostedReference:
    given: Mapping[str, Any] = {"settings": {"a": 1}, "secrets": {"b": "c"}, "now": now()}
    return HostedReference(host, host.ask("create", **given), now)


def _get(path: str, body: bytes = b"") -> Request:
    return Request("GET", "host", path, (), body)


def test_a_reference_answers_over_its_own_state_and_our_clock(start: Start) -> None:
    times = iter((1.0, 5.0, 7.0))
    reference = _reference(start("reference", "Reference"), lambda: next(times))
    answer = reference.handle(_get("/", b"\x00\xff"))
    assert (answer.status, answer.headers, answer.body) == (200, (("X-Now", "5.0"),), b"\xff\x00")
    assert reference.state() == {"seen": ["00ff"], "told": {"a": 1, "b": "c"}}
    reference.reset()
    assert reference.state()["seen"] == []
    assert reference.failure(503).status == 503
    other = HostedReference(reference.host, reference.number, lambda: 9.0)
    assert other.handle(_get("/print")).headers == (("X-Now", "9.0"),)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/raise", "ValueError: a mistake"),
        ("/hang", "did not answer within 5 s"),
        ("/end", "ended without a word"),
        ("/flood", "more than"),
        ("/garbage", "not JSON"),
        ("/number", "which is no answer"),
    ],
)
def test_what_goes_wrong_is_one_error_that_stays(start: Start, path: str, said: str) -> None:
    reference = _reference(start("reference", "Reference", seconds_max=5.0))
    with pytest.raises(HostBroken, match=said):
        reference.handle(_get(path))
    with pytest.raises(HostBroken, match=said):
        reference.state()


def test_a_host_that_takes_no_question_is_broken(start: Start) -> None:
    reference = _reference(start("reference", "Reference", seconds_max=2.0))
    assert reference.handle(_get("/deaf")).status == 200
    with pytest.raises(HostBroken, match="did not take the question within 2 s"):
        reference.handle(_get("/", b"x" * 10_000_000))


def test_a_response_that_is_none_is_the_references_fault(start: Start) -> None:
    with pytest.raises(HostBroken, match="which is no response"):
        _reference(start("reference", "Reference")).handle(_get("/status"))


def test_what_does_not_import_is_told(start: Start) -> None:
    with pytest.raises(HostBroken, match="no attribute 'Nothing'"):
        start("reference", "Nothing")


def test_a_suite_answers_without_being_imported(start: Start) -> None:
    contract = hosted_contract(start("suite", "CONTRACT"), SPEC)
    assert contract.has_model
    (exercise,) = contract.exercises
    pair = Foreign("brought:Pair", {"left": 1, "right": 2})
    assert exercise.call == Call("add", (pair,))
    drawn = [contract.generate(random.Random(7), 5, frozenset({"add", "b"})) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert [call.operation for call in drawn[0]] == ["add", "b"]
    model = contract.model()
    assert model.apply(Call("add", (4,))) == Foreign("brought:Pair", {"left": 4, "right": 0})
    assert model.apply(exercise.call) == Foreign("brought:Pair", {"left": 5, "right": 0})
    assert (model.state(), contract.model().state()) == (5, 0)
    assert contract.comparable(exercise.call, pair) == 1
    assert contract.read_back([exercise.call]) == [exercise.call]
    assert "brought" not in sys.modules


def test_a_model_refuses_by_name(start: Start) -> None:
    model = hosted_contract(start("suite", "CONTRACT"), SPEC).model()
    with pytest.raises(Conflict):
        model.apply(Call("clash"))
    with pytest.raises(ProviderError) as refusal:
        model.apply(Call("refuse"))
    assert type(refusal.value).__name__ == "OwnRefusal"


def test_a_model_that_follows_is_told_what_was_answered(start: Start) -> None:
    model = hosted_contract(start("suite", "FOLLOWED"), SPEC).model()
    assert isinstance(model, Follower)
    add = Call("add", (1,))
    assert model.accepts(add, 0)
    assert not model.accepts(add, 0)
    assert model.accepts(add, Foreign("brought:Pair", {"left": 1, "right": 0}))
    assert model.accepts(add, None, "Conflict")
    for applied in (True, False, None):
        model.lost(add, applied)
    assert model.state() == 113
    assert model.apply(add) == Foreign("brought:Pair", {"left": 114, "right": 0})
    plain = hosted_contract(start("suite", "CONTRACT"), SPEC).model()
    assert not isinstance(plain, Follower)


def test_a_suite_without_a_model_says_so(start: Start) -> None:
    assert not hosted_contract(start("suite", "BARE"), SPEC).has_model


def test_histories_that_are_no_calls_are_refused(start: Start) -> None:
    contract = hosted_contract(start("suite", "NO_CALLS"), SPEC)
    with pytest.raises(HostBroken, match="Calls are wanted"):
        contract.generate(random.Random(0), 2, frozenset())
