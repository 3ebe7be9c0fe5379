"""The durable_object/1 model, histories and exercises: they fit a sound provider, and travel."""

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
from core_caps.capabilities.durable_object import ObjectRef
from core_caps.contract.codec import decode, encode
from core_caps.contract.durable_object import CONTRACT
from core_caps.contract.suite import Call, Exercise, Follower, Result
from core_caps.errors import ProviderError

pytestmark = pytest.mark.feature("CK-05", "PH2-09")
OPERATIONS = frozenset(CONTRACT.spec.operations)


def _module() -> ModuleType:
    path = Path(__file__).with_name("broken_objects.py")
    spec = importlib.util.spec_from_file_location("broken_objects_for_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


broken_objects = _module()


async def _perform(objects: Any, calls: Sequence[Call]) -> list[object]:
    """What each call gives, as it would arrive from another process."""
    shown: list[object] = []
    results: list[object] = []
    for call in calls:
        args = [each.of(results) if isinstance(each, Result) else each for each in call.args]
        try:
            results.append(await getattr(objects, call.operation)(*args, **call.kwargs))
        except ProviderError as error:
            results.append(None)
            shown.append(type(error).__name__)
        else:
            travelled = decode(json.loads(json.dumps(encode(results[-1]))))
            shown.append(CONTRACT.comparable(call, travelled))
    return shown


def _answers(provider: type, calls: Sequence[Call]) -> list[object]:
    async def run() -> list[object]:
        async with provider(broken_objects.Service()) as objects:
            return await _perform(objects, calls)

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
    assert _answers(broken_objects.SoundObjects, history) == _expected(history), f"seed {seed}"


@pytest.mark.parametrize(
    "name",
    [
        "EmptyIsAbsent",
        "FirstPutStays",
        "DeletesByPrefix",
        "DeleteOfNothingFails",
        "ManyLosesEmptyValues",
        "DeleteAllForgetsTheAlarm",
        "OneObjectForAll",
        "ReverseIgnored",
        "EndIncluded",
        "StartAfterIncluded",
        "NeverMore",
        "AppliesBeforeItChecks",
        "RemovesNothing",
        "ConditionsIgnored",
        "AbsenceIsEmptiness",
        "ConditionsOnChangedKeysOnly",
        "LastOfTwiceWins",
        "AlarmsInSeconds",
        "FirstAlarmStays",
        "EarliestAlarmStays",
        "OneAlarmForAll",
        "DeletesAnyAlarm",
        "OtherAlarmIsAnError",
        "EmptyKeyIsAKey",
        "ReadsAreCached",
    ],
)
def test_histories_tell_a_broken_provider_from_the_model(name: str) -> None:
    broken = getattr(broken_objects, name)
    apart = (_answers(broken, _history(seed)) != _expected(_history(seed)) for seed in range(40))
    assert any(apart)


def test_the_model_has_one_answer_to_each_call() -> None:
    assert not isinstance(CONTRACT.model(), Follower)


def test_histories_repeat_and_reach_every_operation_that_writes() -> None:
    first = CONTRACT.generate(random.Random(7), 800, OPERATIONS)
    assert first == CONTRACT.generate(random.Random(7), 800, OPERATIONS)
    assert {call.operation for call in first} == OPERATIONS - {"new_id"}
    refusals = {shown for shown in _expected(first) if isinstance(shown, str)}
    assert refusals == {"InvalidArgument", "PreconditionFailed"}


def test_read_back_asks_for_all_of_every_object() -> None:
    one, other = ObjectRef(name="one"), ObjectRef(id="b")
    calls = [Call("put", (one, "k", b"v")), Call("get", (other, "k")), Call("delete_all", (one,))]
    look = [(call.operation, call.args) for call in CONTRACT.read_back(calls)]
    assert look == [(name, (ref,)) for ref in (one, other) for name in ("list", "get_alarm")]
    assert CONTRACT.read_back([Call("new_id")]), "what a new id left can be seen somewhere"
    assert not CONTRACT.read_back([])


@pytest.mark.parametrize("exercise", CONTRACT.exercises, ids=lambda exercise: exercise.name)
def test_exercise_succeeds_on_a_healthy_service(exercise: Exercise) -> None:
    calls = [*exercise.setup, exercise.call, *exercise.probe]
    shown = _answers(broken_objects.SoundObjects, calls)
    assert not {"InvalidArgument", "PreconditionFailed"} & {str(each) for each in shown}
    assert decode(json.loads(json.dumps(encode(exercise)))).name == exercise.name


def test_every_operation_has_an_exercise() -> None:
    assert {exercise.call.operation for exercise in CONTRACT.exercises} == OPERATIONS
