"""The dedupe/1 model, histories and exercises: they agree with a sound provider, and travel."""

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
from core_caps.capabilities.dedupe import Commit, Reservation
from core_caps.contract.codec import decode, encode
from core_caps.contract.dedupe import CONTRACT
from core_caps.contract.suite import Call, Exercise, Follower
from core_caps.errors import ProviderError

pytestmark = pytest.mark.feature("CK-05", "S3-07")
OPERATIONS = frozenset(CONTRACT.spec.operations)


def _module() -> ModuleType:
    path = Path(__file__).with_name("broken_dedupe.py")
    spec = importlib.util.spec_from_file_location("broken_dedupe_for_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


broken_dedupe = _module()


async def _perform(dedupe: Any, calls: Sequence[Call]) -> list[object]:
    """What each call gives, as it would arrive from another process."""
    shown: list[object] = []
    for call in calls:
        try:
            result = await getattr(dedupe, call.operation)(*call.args, **call.kwargs)
        except ProviderError as error:
            shown.append(type(error).__name__)
        else:
            travelled = decode(json.loads(json.dumps(encode(result))))
            shown.append(CONTRACT.comparable(call, travelled))
    return shown


def _answers(provider: type, calls: Sequence[Call]) -> list[object]:
    async def run() -> list[object]:
        async with provider(broken_dedupe.Service()) as dedupe:
            return await _perform(dedupe, calls)

    return asyncio.run(run())


def _history(seed: int) -> list[Call]:
    calls = CONTRACT.generate(random.Random(seed), 60, OPERATIONS)
    return [*calls, *CONTRACT.read_back(calls)]


def _expected(calls: Sequence[Call]) -> list[object]:
    model = CONTRACT.model()
    expected: list[object] = []
    for call in calls:
        before = model.state()
        try:
            expected.append(model.apply(call))
        except ProviderError as error:
            assert model.state() == before
            expected.append(type(error).__name__)
    return expected


@pytest.mark.parametrize("seed", range(40))
def test_model_agrees_with_a_sound_provider(seed: int) -> None:
    history = _history(seed)
    assert _answers(broken_dedupe.SoundDedupe, history) == _expected(history), f"seed {seed}"


@pytest.mark.parametrize(
    "name",
    [
        "EverybodyIsFresh",
        "OwnerIsKeptAway",
        "DoneIsForgotten",
        "ResultIsText",
        "SecondCommitFails",
        "LastCommitWins",
        "AnybodyCommits",
        "AnybodyCommitsTheSame",
        "CommitsWithoutReservation",
        "ReleaseKeepsTheLease",
        "ReleaseKeepsThePayload",
        "AnybodyReleases",
        "ReleaseUndoesDone",
        "ReleaseOfNothingFails",
        "CollisionUnnoticed",
        "CollisionOnlyWhileReserved",
        "BatchHalfApplied",
        "CommitsHalfABatch",
        "BatchMergesKeys",
        "ReleaseManyStopsAtOthers",
    ],
)
def test_histories_tell_a_broken_provider_from_the_model(name: str) -> None:
    broken = getattr(broken_dedupe, name)
    apart = (_answers(broken, _history(seed)) != _expected(_history(seed)) for seed in range(40))
    assert any(apart)


def test_the_model_has_one_answer_to_each_call() -> None:
    assert not isinstance(CONTRACT.model(), Follower)


def test_histories_repeat_and_reach_every_operation_and_edge() -> None:
    first = CONTRACT.generate(random.Random(7), 800, OPERATIONS)
    assert first == CONTRACT.generate(random.Random(7), 800, OPERATIONS)
    assert {call.operation for call in first} == OPERATIONS
    refusals = {str(shown) for shown in _expected(first) if isinstance(shown, str)}
    assert refusals >= {"InvalidArgument", "KeyCollision", "LeaseExpired", "fresh", "in progress"}


def test_read_back_asks_for_every_key_and_gives_it_back() -> None:
    calls = [
        Call("reserve", ("a",), {"owner": "one", "lease_seconds": 1}),
        Call("reserve_many", ([Reservation("b"), Reservation("a")],)),
        Call("commit_many", ([Commit("c")],)),
        Call("release_many", (["d", ""],)),
        Call("release", (), {"key": "e"}),
    ]
    look = CONTRACT.read_back(calls)
    assert [call.args[0] for call in look[:-1]] == ["a", "b", "c", "d", "e"]
    assert look[-1].operation == "release_many"
    assert look[-1].args == (["a", "b", "c", "d", "e"],)
    assert _expected([*look, *look]) == [*["fresh"] * 5, None] * 2, "looking changes nothing"
    one, none = CONTRACT.read_back(calls[:1]), CONTRACT.read_back(())
    assert len(one) - len(none) == 1, "so that the one key of a call is known"


@pytest.mark.parametrize("exercise", CONTRACT.exercises, ids=lambda exercise: exercise.name)
def test_exercise_succeeds_on_a_healthy_service(exercise: Exercise) -> None:
    calls = [*exercise.setup, exercise.call, *exercise.probe]
    refusals = {"InvalidArgument", "KeyCollision", "LeaseExpired"}
    shown = _answers(broken_dedupe.SoundDedupe, calls)
    assert not [each for each in shown if isinstance(each, str) and each in refusals]
    assert decode(json.loads(json.dumps(encode(exercise)))).name == exercise.name


def test_exercises_cover_every_operation_under_names_of_their_own() -> None:
    names = [exercise.name for exercise in CONTRACT.exercises]
    assert len(names) == len(set(names)) >= 12
    assert {exercise.call.operation for exercise in CONTRACT.exercises} == OPERATIONS
