"""What parity says when it cannot compare, and where the vendor's document wins."""

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_caps.capabilities.key_value import Entry, KeyInfo, Page
from core_caps.contract.kv import CONTRACT
from core_caps.contract.suite import Call, Exercise
from core_caps.errors import InvalidArgument
from flows_registry.checks.parity import Effort, parity
from flows_registry.lab.case import Step
from flows_registry.lab.simulators.divergences import Divergence
from flows_registry.lab.simulators.sides import ParitySubject, Run, SimulatorAccess
from flows_registry.verdict import Verdict

OPERATIONS = frozenset({"get", "get_with_metadata", "put", "delete", "list"})
NONE = Effort(histories=0)
Running = Callable[..., Run]


class Small:
    """Just enough of a store for a contract without edges."""

    refuses: bytes | None = None

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    async def put(self, key: str, value: bytes) -> None:
        if value == self.refuses:
            raise InvalidArgument("refused")
        self.values[key] = value

    async def get(self, key: str) -> bytes | None:
        return self.values.get(key)

    async def get_with_metadata(self, key: str) -> Entry | None:
        return Entry(self.values[key]) if key in self.values else None

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)

    async def list(self, **_: Any) -> Page:
        return Page([KeyInfo(key) for key in sorted(self.values)])


class Refusing(Small):
    refuses = b"v"


def nothing(source: random.Random, length: int, operations: frozenset[str]) -> list[Call]:
    return []


PLAIN = replace(
    CONTRACT,
    exercises=(
        Exercise("put", Call("put", ("k", b"v")), probe=(Call("get", ("k",)),)),
        Exercise("delete", Call("delete", ("k",)), probe=(Call("list"),)),
    ),
    generate=nothing,
)


def subject(run: Run, **named: Any) -> ParitySubject:
    given: dict[str, Any] = {"remotes": {"remote": "cloudflare-kv"}, **named}
    return ParitySubject(PLAIN, OPERATIONS, run, **given)


@pytest.fixture
def unlimited() -> Mapping[tuple[str, str], Any]:
    """The simulator without histories at the vendor's edges."""
    from flows_registry.lab.simulators.known import BINDINGS

    return {wire: replace(adapter, boundaries={}) for wire, adapter in BINDINGS.items()}


@pytest.mark.feature("DC-04")
def test_without_node_it_is_inconclusive_and_says_what_to_do(running: Running) -> None:
    run = running(mock=lambda _: Small(), remote=lambda _: Small())
    results = parity(subject(run), access=SimulatorAccess(node="/nowhere/node"))

    assert [(r.backend, r.verdict, r.cases) for r in results] == [
        ("mock", Verdict.INCONCLUSIVE, 0),
        ("remote", Verdict.INCONCLUSIVE, 0),
    ]
    (finding,) = results[0].findings
    assert finding.code == "PARITY003"
    assert "/nowhere/node" in finding.message
    assert "FLOWS_NODE" in finding.fix


@pytest.mark.feature("DC-04")
def test_offline_with_a_cold_cache_is_inconclusive(
    simulator: str, running: Running, tmp_path: Path
) -> None:
    run = running(mock=lambda _: Small())
    access = SimulatorAccess(cache=tmp_path, offline=True)
    (result, _) = parity(subject(run), access=access)

    assert result.verdict is Verdict.INCONCLUSIVE
    assert simulator in result.findings[0].message
    assert "--offline" in result.findings[0].fix
    assert not list(tmp_path.iterdir())


@pytest.mark.feature("DC-04")
def test_a_plugin_with_a_mock_only_has_nothing_to_drift_from(running: Running) -> None:
    assert parity(subject(running(mock=lambda _: Small()), remotes={})) == ()


@pytest.mark.feature("DC-04")
def test_an_unknown_wire_is_compared_on_the_reference_server(running: Running) -> None:
    foreign = {"remotes": {"remote": "somebody-elses"}}
    same = running(mock=lambda _: Small(), remote=lambda _: Small())
    (result,) = parity(subject(same, **foreign))
    assert result.facts["simulator"] is None
    assert result.facts["compared_with"] == [
        "remote on the lab's reference server for somebody-elses"
    ]
    assert result.backend == "mock"

    real = {"services": {"remote": "PostgreSQL 18.4"}}
    (result,) = parity(subject(same, **foreign, **real))
    assert result.facts["simulator"] == "PostgreSQL 18.4"
    assert result.facts["compared_with"] == [
        "remote on the lab's reference server for somebody-elses before PostgreSQL 18.4"
    ]

    drifted = running(mock=lambda _: Refusing(), remote=lambda _: Small())
    (result,) = parity(subject(drifted, **foreign), effort=NONE)
    assert result.verdict is Verdict.REFUSED
    assert "put('k', b'v')" in result.findings[0].reproduce.command


@pytest.mark.feature("DC-04")
def test_an_operation_that_was_never_compared_is_no_pass(
    simulator: str, running: Running, unlimited: Any
) -> None:
    deaf = replace(PLAIN, exercises=PLAIN.exercises[:1], read_back=lambda calls: [])
    run = running(mock=lambda _: Small(), remote=lambda _: Small())
    (mock, _) = parity(replace(subject(run), contract=deaf), effort=NONE, bindings=unlimited)

    assert mock.verdict is Verdict.INCONCLUSIVE
    assert mock.findings[0].message == "never compared: delete, get_with_metadata, list"


@pytest.mark.feature("DC-04")
def test_a_run_that_ends_early_is_refused(simulator: str, running: Running, unlimited: Any) -> None:
    run = running(mock=lambda _: Small(), remote=lambda _: Small())

    def crashing(backend: str, histories: Any, settings: Any) -> list[list[Step]]:
        return [list(steps[:-1]) for steps in run(backend, histories, settings)]

    (mock, _) = parity(subject(crashing), effort=NONE, bindings=unlimited)
    assert mock.verdict is Verdict.REFUSED
    assert "the run ended before this call" in mock.findings[0].observed


@pytest.mark.feature("DC-04")
def test_what_differs_only_where_other_histories_have_been_is_no_drift(running: Running) -> None:
    sound = running(mock=lambda _: Small(), remote=lambda _: Small())
    drifted = running(mock=lambda _: Refusing(), remote=lambda _: Small())

    def crowded(backend: str, histories: Any, settings: Any) -> Any:
        chosen = drifted if len(histories) > 1 else sound
        return chosen(backend, histories, settings)

    foreign = {"remotes": {"remote": "somebody-elses"}}
    (result,) = parity(subject(crowded, **foreign), effort=NONE)
    assert result.verdict is Verdict.PASSED
    (result,) = parity(subject(drifted, **foreign), effort=NONE)
    assert result.verdict is Verdict.REFUSED


ROW = Divergence(
    name="accepts-v",
    case="kv/1 * exercise: put",
    operation="put",
    simulator="value: *",
    plugin="InvalidArgument: *",
    does="stores what it should refuse",
    document="v is refused",
    source="https://vendor.example/limits",
    expires=dt.date(2030, 1, 1),
)


@pytest.mark.feature("DC-04")
def test_the_document_wins_until_its_row_expires(
    simulator: str, running: Running, unlimited: Any
) -> None:
    run = running(mock=lambda _: Refusing(), remote=lambda _: Small())
    unused = replace(ROW, name="never-met", operation="list")

    def judged(day: dt.date, *rows: Divergence) -> Any:
        return parity(subject(run), effort=NONE, bindings=unlimited, divergences=rows, today=day)[0]

    # The write differs, so nothing after it is compared: what is left must cover the rest.
    met = judged(dt.date(2030, 1, 1), ROW, unused)
    assert met.facts["divergences_met"] == {"accepts-v": 1}
    assert met.facts["divergences_unused"] == ["never-met"]
    assert all(finding.code == "PARITY003" for finding in met.findings)

    expired = judged(dt.date(2030, 1, 2), ROW)
    assert expired.verdict is Verdict.INCONCLUSIVE
    assert expired.findings[0].code == "PARITY002"
    assert "https://vendor.example/limits" in expired.findings[0].fix

    assert judged(dt.date(2030, 1, 1)).verdict is Verdict.REFUSED
    wrong = replace(ROW, plugin="Unavailable: *")  # the plugin must give the documented answer
    assert judged(dt.date(2030, 1, 1), wrong).verdict is Verdict.REFUSED
