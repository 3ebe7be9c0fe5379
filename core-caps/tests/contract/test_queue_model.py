"""The queue/1 model follows what an honest queue answers, and refuses what none would."""

import asyncio
import importlib.util
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from core_caps.capabilities.queue import Delivery, Message
from core_caps.contract.codec import decode, encode
from core_caps.contract.queue import CONTRACT
from core_caps.contract.suite import Call, Exercise, Follower, Result
from core_caps.errors import InvalidArgument, LeaseExpired, ProviderError

pytestmark = pytest.mark.feature("CK-05", "PH2-06")
OPERATIONS = frozenset(CONTRACT.spec.operations)
LEASED = Call("pull", (), {"visibility_seconds": 600})


def _module() -> ModuleType:
    path = Path(__file__).with_name("broken_queue.py")
    spec = importlib.util.spec_from_file_location("broken_queue_for_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


broken_queue = _module()


async def _perform(queue: Any, calls: Sequence[Call]) -> list[tuple[object, str]]:
    """What each call gives, or the error's name, as it would arrive from another process."""
    results: list[Any] = []
    shown: list[tuple[object, str]] = []
    for call in calls:
        args = [item.of(results) if isinstance(item, Result) else item for item in call.args]
        try:
            results.append(await getattr(queue, call.operation)(*args, **call.kwargs))
        except ProviderError as error:
            results.append(None)
            shown.append((None, type(error).__name__))
        else:
            travelled = decode(json.loads(json.dumps(encode(results[-1]))))
            shown.append((CONTRACT.comparable(call, travelled), ""))
    return shown


def _history(seed: int, length: int = 60) -> list[Call]:
    calls = CONTRACT.generate(random.Random(seed), length, OPERATIONS)
    return [*calls, *CONTRACT.read_back(calls)]


def _refused(provider: type, seed: int) -> Call | None:
    """The first call whose answer the model does not accept, or None."""

    async def run() -> list[tuple[object, str]]:
        service = broken_queue.Service(luck=random.Random(seed))
        async with provider(service) as queue:
            return await _perform(queue, _history(seed))

    model = follower()
    for call, (answer, error) in zip(_history(seed), asyncio.run(run()), strict=True):
        if not model.accepts(call, answer, error):
            return call
    return None


def follower() -> Follower:
    model = CONTRACT.model()
    assert isinstance(model, Follower)
    return model


@pytest.mark.parametrize("provider", ["SoundQueue", "UnluckyQueue"])
@pytest.mark.parametrize("seed", range(40))
def test_model_follows_an_honest_provider(provider: str, seed: int) -> None:
    refused = _refused(getattr(broken_queue, provider), seed)
    assert refused is None, f"seed {seed}"


@pytest.mark.parametrize(
    "name",
    [
        "EmptyBodyIsNoMessage",
        "BodiesAreText",
        "ForgetsTheKey",
        "DropsEqualBodies",
        "ForgetsABatchsKeys",
        "BatchStopsAtTheBadOne",
        "BatchLosesItsLast",
        "NegativeDelayIsNone",
        "ZeroIsOne",
        "PullIgnoresItsLimit",
        "OldLeaseIsSuccess",
        "LosesOnRetry",
        "RetryKeepsItsLease",
        "AckTakesOneAtATime",
        "LosesOneOfMany",
    ],
)
def test_model_refuses_what_no_honest_provider_answers(name: str) -> None:
    broken = getattr(broken_queue, name)
    assert any(_refused(broken, seed) for seed in range(40))


def test_model_gives_an_answer_that_it_accepts() -> None:
    for seed in range(20):
        telling, told = follower(), follower()
        for call in _history(seed):
            try:
                answer, error = telling.apply(call), ""
            except ProviderError as refusal:
                answer, error = None, type(refusal).__name__
            assert told.accepts(call, answer, error), f"seed {seed}: {call}"
            assert telling.state() == told.state()


def test_nothing_is_an_answer_only_where_nothing_is_due() -> None:
    model = follower()
    assert model.accepts(LEASED, [])
    assert model.accepts(Call("send", (b"a",), {"delay_seconds": 0}), None)
    assert not model.accepts(LEASED, [])
    assert not model.accepts(LEASED, [(b"b", "")])
    assert not model.accepts(LEASED, None)
    assert not model.accepts(Call("pull", (), {"limit": 1}), [(b"a", ""), (b"a", "")])
    assert model.accepts(LEASED, [(b"a", ""), (b"a", "")]), "at least once"
    assert model.accepts(LEASED, [])


def test_a_lease_holds_until_it_is_settled() -> None:
    model = follower()
    ack = Call("ack", (Result(1, "*.lease"),))
    assert model.accepts(Call("send", (b"a",), {"delay_seconds": 0}), None)
    assert model.accepts(LEASED, [(b"a", "")])
    assert not model.accepts(ack, None, LeaseExpired.__name__)
    assert model.accepts(ack, None)
    assert not model.accepts(ack, None)
    assert model.accepts(ack, None, LeaseExpired.__name__)
    assert model.accepts(LEASED, [(b"a", "")]), "an acknowledgement may be lost"


def test_what_a_queue_may_delay_or_know_by_its_key_need_not_come() -> None:
    model = follower()
    assert model.accepts(Call("send", (b"a",)), None)
    keyed = Call("send", (b"k",), {"key": "k", "delay_seconds": 0})
    assert model.accepts(keyed, None)
    assert model.accepts(keyed, None)
    assert not model.accepts(LEASED, [])
    assert model.accepts(LEASED, [(b"k", "k")])
    assert model.accepts(LEASED, [])


@pytest.mark.parametrize(("applied", "due"), [(True, 1), (False, 0), (None, 0)])
def test_a_send_whose_answer_was_lost_must_come_only_where_it_is_known(
    applied: bool | None, due: int
) -> None:
    model = follower()
    model.lost(Call("send", (b"a",), {"delay_seconds": 0}), applied)
    assert model.accepts(LEASED, []) is (due == 0)
    model = follower()
    model.lost(Call("send", (b"a",), {"delay_seconds": 0}), applied)
    assert model.accepts(LEASED, [(b"a", "")]) is (applied is not False)


def test_a_pull_whose_answer_was_lost_may_have_leased_everything() -> None:
    model = follower()
    assert model.accepts(Call("send", (b"a",), {"delay_seconds": 0}), None)
    model.lost(LEASED, applied=None)
    assert model.accepts(LEASED, [])
    assert model.accepts(LEASED, [(b"a", "")])
    assert model.accepts(Call("ack", (Result(1, "*.lease"),)), None), "it gave nobody a lease"


def test_refused_calls_change_nothing() -> None:
    model = follower()
    bad = Call("send_batch", ([Message(b"a", delay_seconds=0), Message(b"b", delay_seconds=-1)],))
    assert not model.accepts(bad, None)
    assert model.accepts(bad, None, InvalidArgument.__name__)
    assert not model.accepts(LEASED, [(b"a", "")])
    with pytest.raises(InvalidArgument):
        model.apply(Call("pull", (), {"limit": 0}))


def test_deliveries_are_compared_without_what_is_luck() -> None:
    first = Delivery("id-1", b"a", "k", 1, 5.0, "lease-1")
    second = Delivery("id-2", b"b", "", 3, 6.0, "lease-2")
    other = Delivery("other", b"a", "k", 2, 9.0, "another")
    assert CONTRACT.comparable(LEASED, [second, first]) == CONTRACT.comparable(
        LEASED, (other, second)
    )
    assert CONTRACT.comparable(LEASED, [first]) != CONTRACT.comparable(LEASED, [first, first])
    assert CONTRACT.comparable(LEASED, "nonsense") == "nonsense"


def test_histories_repeat_and_reach_every_operation_and_edge() -> None:
    first = CONTRACT.generate(random.Random(7), 500, OPERATIONS)
    assert first == CONTRACT.generate(random.Random(7), 500, OPERATIONS)
    assert {call.operation for call in first} == OPERATIONS
    assert any(call.kwargs.get("limit") == 0 for call in first)
    assert any(call.operation == "send" and call.args == (b"",) for call in first)
    fewer = frozenset({"send", "send_batch"})
    assert {call.operation for call in CONTRACT.generate(random.Random(1), 50, fewer)} == fewer


@pytest.mark.parametrize("exercise", CONTRACT.exercises, ids=lambda exercise: exercise.name)
def test_exercise_succeeds_on_a_healthy_service(exercise: Exercise) -> None:
    async def run() -> list[tuple[object, str]]:
        async with broken_queue.SoundQueue(broken_queue.Service()) as queue:
            return await _perform(queue, [*exercise.setup, exercise.call, *exercise.probe])

    assert not [error for _, error in asyncio.run(run()) if error]
    assert decode(json.loads(json.dumps(encode(exercise)))).name == exercise.name


def test_exercises_cover_every_operation_under_names_of_their_own() -> None:
    names = [exercise.name for exercise in CONTRACT.exercises]
    assert len(names) == len(set(names)) >= 12
    assert {exercise.call.operation for exercise in CONTRACT.exercises} == OPERATIONS
