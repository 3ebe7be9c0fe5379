"""What every model is held to: it agrees with a sound provider, and parts from broken ones.

A capability's test names the broken providers that histories must tell from the model, and
inherits the rest:

    class TestModel(ModelTests):
        trial = TRIAL
        told_apart = ("EmptyIsAbsent", "DecodesKeys")
"""

import asyncio
import json
import random
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from core_caps.contract.codec import decode, encode
from core_caps.contract.suite import Call, Exercise, Follower, Model, Result, Stream
from core_caps.errors import PaymentDeclined, ProviderError

from .suite_harness import Trial

Answer = tuple[object, str]
"""A comparable result and "", or None and the name of the error."""

HISTORIES, HISTORY_LENGTH = 40, 60

KEPT = (PaymentDeclined,)
"""Refusals that a service remembers: a payment that was declined is one that there is."""


def history(trial: Trial, seed: int, length: int = HISTORY_LENGTH) -> list[Call]:
    """Calls over few keys, and those that show what they left."""
    calls = trial.contract.generate(random.Random(seed), length, trial.operations)
    return [*calls, *trial.contract.read_back(calls)]


def answers(trial: Trial, provider: type, calls: Sequence[Call], seed: int = 0) -> list[Answer]:
    """What a provider answers to each call, as it would arrive from another process."""

    async def run() -> list[Answer]:
        results: list[Any] = []
        given: list[Answer] = []
        async with provider(trial.fresh(seed)) as opened:
            for call in calls:
                try:
                    results.append(await _made(opened, call, results))
                except ProviderError as error:
                    results.append(None)
                    given.append((None, type(error).__name__))
                else:
                    arrived = decode(json.loads(json.dumps(encode(results[-1]))))
                    given.append((trial.contract.comparable(call, arrived), ""))
        return given

    return asyncio.run(run())


async def _made(provider: Any, call: Call, results: Sequence[Any]) -> object:
    args = [_given(each, results) for each in call.args]
    named = {name: _given(each, results) for name, each in call.kwargs.items()}
    pending = getattr(provider, call.operation)(*args, **named)
    if hasattr(pending, "__aiter__"):
        return b"".join([chunk async for chunk in pending])
    return await pending


def _given(argument: object, results: Sequence[Any]) -> object:
    match argument:
        case Result():
            return argument.of(results)
        case Stream():
            return argument.open()
        case _:
            return argument


def modelled(trial: Trial, calls: Sequence[Call]) -> list[Answer]:
    """What the model would answer; what it refuses leaves it as it was."""
    model = trial.contract.model()
    return [_applied(model, call) for call in calls]


def _applied(model: Model, call: Call) -> Answer:
    before = model.state()
    try:
        return model.apply(call), ""
    except ProviderError as error:
        refusal = error
    assert isinstance(refusal, KEPT) or model.state() == before, call
    return None, type(refusal).__name__


def disagreement(trial: Trial, calls: Sequence[Call], given: Sequence[Answer]) -> Call | None:
    """The first call to which the model would not have had that answer, or None."""
    model = trial.contract.model()
    for call, answer in zip(calls, given, strict=True):
        if isinstance(model, Follower):
            agreed = model.accepts(call, *answer)
        else:
            agreed = _applied(model, call) == answer
        if not agreed:
            return call
    json.dumps(encode(model.state()))
    return None


def follower(trial: Trial) -> Follower:
    """The model, of a service that may answer in several ways."""
    model = trial.contract.model()
    assert isinstance(model, Follower)
    return model


class ModelTests:
    """The tests of a contract's model, histories and exercises.

    Attributes:
        told_apart: broken providers that some history tells from the model.
        unreached: operations that no history has.
    """

    trial: ClassVar[Trial]
    told_apart: ClassVar[Sequence[str]]
    unreached: ClassVar[Sequence[str]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        asked = set(metafunc.fixturenames)
        if "honest" in asked:
            honest = (self.trial.sound, *self.trial.honest)
            metafunc.parametrize("honest", honest, ids=[each.__name__ for each in honest])
            metafunc.parametrize("seed", range(HISTORIES))
        if "broken" in asked:
            metafunc.parametrize("broken", self.told_apart)
        if "exercise" in asked:
            exercises = self.trial.contract.exercises
            metafunc.parametrize("exercise", exercises, ids=[each.name for each in exercises])

    def test_model_agrees_with_an_honest_provider(self, honest: type, seed: int) -> None:
        assert self.disagreement(honest, seed) is None, f"seed {seed}"

    def test_histories_tell_a_broken_provider_from_the_model(self, broken: str) -> None:
        provider = getattr(self.trial.broken, broken)
        assert any(self.disagreement(provider, seed) for seed in range(HISTORIES))

    def disagreement(self, provider: type, seed: int) -> Call | None:
        """The first call of a history that the model would not have answered so, or None."""
        # Told anew: a broken provider may change the arguments that it is given.
        given = answers(self.trial, provider, history(self.trial, seed), seed)
        return disagreement(self.trial, history(self.trial, seed), given)

    def test_histories_repeat_and_reach_every_operation(self) -> None:
        assert history(self.trial, 7, length=800) == history(self.trial, 7, length=800)
        reached = set(self._operations(800, self.trial.operations))
        assert reached == self.trial.operations - set(self.unreached)

    def test_a_history_has_only_what_is_provided(self) -> None:
        for operation in self.trial.operations:
            reached = set(self._operations(50, frozenset({operation})))
            assert reached == {operation} - set(self.unreached)

    def _operations(self, length: int, provided: frozenset[str]) -> list[str]:
        calls = self.trial.contract.generate(random.Random(7), length, provided)
        return [call.operation for call in calls]

    def test_model_accepts_what_it_would_answer(self) -> None:
        for seed in range(HISTORIES // 2):
            calls = history(self.trial, seed)
            assert disagreement(self.trial, calls, modelled(self.trial, calls)) is None

    def test_exercise_succeeds_on_a_healthy_service(self, exercise: Exercise) -> None:
        calls = [*exercise.setup, exercise.call, *exercise.probe]
        given = answers(self.trial, self.trial.sound, calls)
        assert not [error for _, error in given if error]
        travelled = decode(json.loads(json.dumps(encode(exercise))))
        assert encode(travelled) == encode(exercise)

    def test_exercises_cover_every_operation_under_names_of_their_own(self) -> None:
        exercises = self.trial.contract.exercises
        names = [exercise.name for exercise in exercises]
        assert len(names) == len(set(names))
        assert {exercise.call.operation for exercise in exercises} == self.trial.operations
