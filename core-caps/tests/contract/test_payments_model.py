"""The payments/1 model, histories and exercises: they agree with a sound provider, and travel."""

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
from core_caps.contract.codec import decode, encode
from core_caps.contract.payments import CONTRACT
from core_caps.contract.suite import Call, Exercise, Follower, Result
from core_caps.errors import PaymentDeclined, ProviderError

pytestmark = pytest.mark.feature("CK-05", "S4-08")
OPERATIONS = frozenset(CONTRACT.spec.operations)


def _module() -> ModuleType:
    path = Path(__file__).with_name("broken_payments.py")
    spec = importlib.util.spec_from_file_location("broken_payments_for_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


broken_payments = _module()


async def _perform(payments: Any, calls: Sequence[Call]) -> list[object]:
    """What each call gives, as it would arrive from another process."""
    shown: list[object] = []
    results: list[object] = []
    for call in calls:
        args = [each.of(results) if isinstance(each, Result) else each for each in call.args]
        named = {
            name: each.of(results) if isinstance(each, Result) else each
            for name, each in call.kwargs.items()
        }
        try:
            results.append(await getattr(payments, call.operation)(*args, **named))
        except ProviderError as error:
            results.append(None)
            shown.append(type(error).__name__)
        else:
            travelled = decode(json.loads(json.dumps(encode(results[-1]))))
            shown.append(CONTRACT.comparable(call, travelled))
    return shown


def _answers(provider: type, calls: Sequence[Call]) -> list[object]:
    async def run() -> list[object]:
        async with provider(broken_payments.Service()) as payments:
            return await _perform(payments, calls)

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
        except PaymentDeclined:
            expected.append("PaymentDeclined")
        except ProviderError as error:
            assert model.state() == before
            expected.append(type(error).__name__)
    return expected


@pytest.mark.parametrize("seed", range(40))
def test_model_agrees_with_a_sound_provider(seed: int) -> None:
    history = _history(seed)
    assert _answers(broken_payments.SoundPayments, history) == _expected(history), f"seed {seed}"


@pytest.mark.parametrize(
    "name",
    [
        "QuantityIsForgotten",
        "ExpiresWhatIsExpired",
        "DeclineIsPaid",
        "PaysAgain",
        "CancelsWhatWasMade",
        "PaysWhatWasGivenUp",
        "AbsentIsAnError",
        "RefundsForgetTheOthers",
        "RefundsTheWish",
        "FirstCallCounts",
        "EventsHaveNoKey",
        "TakesNegativeAmounts",
    ],
)
def test_histories_tell_a_broken_provider_from_the_model(name: str) -> None:
    broken = getattr(broken_payments, name)
    apart = (_answers(broken, _history(seed)) != _expected(_history(seed)) for seed in range(40))
    assert any(apart)


def test_the_model_has_one_answer_to_each_call() -> None:
    assert not isinstance(CONTRACT.model(), Follower)


def test_histories_repeat_and_reach_every_operation_and_edge() -> None:
    first = CONTRACT.generate(random.Random(7), 800, OPERATIONS)
    assert first == CONTRACT.generate(random.Random(7), 800, OPERATIONS)
    made = {call.operation for call in first}
    assert made >= {name for name, each in CONTRACT.spec.operations.items() if each.key}
    refusals = {str(shown) for shown in _expected(first) if isinstance(shown, str)}
    assert refusals == {
        "InvalidArgument", "KeyCollision", "ObjectAbsent", "PaymentDeclined", "PreconditionFailed"
    }  # fmt: skip


def test_read_back_shows_what_happened_and_every_session() -> None:
    looked = [call.operation for call in CONTRACT.read_back(())]
    assert looked == ["list_events", "list_checkout_sessions"]
    assert _expected(CONTRACT.read_back(())) == [[], []]


@pytest.mark.parametrize("exercise", CONTRACT.exercises, ids=lambda exercise: exercise.name)
def test_exercise_succeeds_on_a_healthy_service(exercise: Exercise) -> None:
    calls = [*exercise.setup, exercise.call, *exercise.probe]
    shown = _answers(broken_payments.SoundPayments, calls)
    assert not [each for each in shown if isinstance(each, str) and each != "signed"]
    assert decode(json.loads(json.dumps(encode(exercise)))).name == exercise.name


def test_exercises_cover_every_operation_under_names_of_their_own() -> None:
    names = [exercise.name for exercise in CONTRACT.exercises]
    assert len(names) == len(set(names)) >= 12
    assert {exercise.call.operation for exercise in CONTRACT.exercises} == OPERATIONS
