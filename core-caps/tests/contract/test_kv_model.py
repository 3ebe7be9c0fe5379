"""The kv/1 model, histories and exercises: they agree with a sound provider and travel as JSON."""

import asyncio
import importlib.util
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from core_caps.contract.codec import decode, encode
from core_caps.contract.kv import CONTRACT
from core_caps.contract.suite import Call, Exercise, Result
from core_caps.errors import ProviderError

pytestmark = pytest.mark.feature("CK-05", "PH2-02")
OPERATIONS = frozenset(CONTRACT.spec.operations)


def _sound() -> Any:
    path = Path(__file__).with_name("broken_kv.py")
    spec = importlib.util.spec_from_file_location("broken_kv_for_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    __import__("sys").modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.SoundKv(module.Service())


async def _perform(kv: Any, calls: Sequence[Call]) -> list[object]:
    """What each call gives, as it would arrive from another process."""
    results: list[Any] = []
    shown: list[object] = []
    for call in calls:
        named = {
            name: item.of(results) if isinstance(item, Result) else item
            for name, item in call.kwargs.items()
        }
        try:
            results.append(await getattr(kv, call.operation)(*call.args, **named))
        except ProviderError as error:
            results.append(None)
            shown.append(type(error).__name__)
        else:
            travelled = decode(json.loads(json.dumps(encode(results[-1]))))
            shown.append(CONTRACT.comparable(call, travelled))
    return shown


@pytest.mark.parametrize("seed", range(40))
def test_model_agrees_with_a_sound_provider(seed: int) -> None:
    history = CONTRACT.generate(random.Random(seed), 60, OPERATIONS)
    history = [*history, *CONTRACT.read_back(history)]
    model = CONTRACT.model()
    expected: list[object] = []
    for call in history:
        before = model.state()
        try:
            expected.append(model.apply(call))
        except ProviderError as error:
            assert model.state() == before
            expected.append(type(error).__name__)

    async def run() -> list[object]:
        async with _sound() as kv:
            return await _perform(kv, history)

    assert asyncio.run(run()) == expected, f"seed {seed}"


def test_histories_repeat_and_reach_every_operation_and_edge() -> None:
    first = CONTRACT.generate(random.Random(7), 500, OPERATIONS)
    assert first == CONTRACT.generate(random.Random(7), 500, OPERATIONS)
    assert {call.operation for call in first} == OPERATIONS
    assert any(call.args and call.args[0] == "" for call in first)
    assert any(call.operation == "put" and call.args[1] == b"" for call in first)
    fewer = frozenset({"get", "put"})
    assert {call.operation for call in CONTRACT.generate(random.Random(1), 50, fewer)} == fewer


def test_read_back_shows_every_key() -> None:
    calls = [
        Call("put", ("a", b"")),
        Call("put_many", ({"b": b"", "c": b""},)),
        Call("delete_many", (["d", "a"],)),
        Call("get", (), {"key": "e"}),
        Call("list"),
        Call("put", ("", b"")),
    ]
    names = [call.args[0] for call in CONTRACT.read_back(calls) if call.args]
    assert names == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("exercise", CONTRACT.exercises, ids=lambda exercise: exercise.name)
def test_exercise_succeeds_on_a_healthy_service(exercise: Exercise) -> None:
    async def run() -> list[object]:
        async with _sound() as kv:
            return await _perform(kv, [*exercise.setup, exercise.call, *exercise.probe])

    assert not [shown for shown in asyncio.run(run()) if isinstance(shown, str)]
    assert decode(json.loads(json.dumps(encode(exercise)))).name == exercise.name


def test_exercises_cover_every_operation_under_names_of_their_own() -> None:
    names = [exercise.name for exercise in CONTRACT.exercises]
    assert len(names) == len(set(names)) >= 12
    assert {exercise.call.operation for exercise in CONTRACT.exercises} == OPERATIONS
