"""The cache/1 suite and model against a sound and a forgetful provider, and against broken ones."""

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
from core_caps.claims.guarantees import parse
from core_caps.claims.lattice import Determinism, Effects
from core_caps.contract.cache import CONTRACT
from core_caps.contract.codec import decode, encode
from core_caps.contract.suite import (
    Call,
    ContractCase,
    ContractViolation,
    Exercise,
    Follower,
    World,
    selected,
)
from core_caps.errors import InvalidArgument, ProviderError

pytestmark = pytest.mark.feature("CK-05")
OPERATIONS = frozenset(CONTRACT.spec.operations)


def _broken() -> ModuleType:
    """The module beside this file; importlib mode puts no folder on sys.path."""
    path = Path(__file__).with_name("broken_cache.py")
    spec = importlib.util.spec_from_file_location("broken_cache", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["broken_cache"] = module
    spec.loader.exec_module(module)
    return module


broken_cache = _broken()
SOUND: type = broken_cache.SoundCache
FORGETFUL: type = broken_cache.ForgetfulCache
STRONG = {"consistency": "linearizable", "durability": "process"}

CAUGHT_BY = {
    "KeepsNothing": "a_cache_keeps_something",
    "AbsentIsEmpty": "an_absent_key_is_none",
    "TextInside": "a_value_comes_back_exactly_or_not_at_all",
    "ReturnsItsBuffer": "a_value_comes_back_exactly_or_not_at_all",
    "ValueIsCut": "a_value_comes_back_exactly_or_not_at_all",
    "FirstPutWins": "put_replaces_the_value",
    "OldValueComesBack": "put_replaces_the_value",
    "DeleteIsForgotten": "delete_forgets_the_value",
    "DeleteOfAbsentFails": "deleting_an_absent_key_is_success",
    "DeleteTakesEverything": "keys_stay_apart",
    "DecodesKeys": "keys_stay_apart",
    "KeysAreShortDigests": "keys_stay_apart",
    "MixesConcurrentAnswers": "concurrent_calls_keep_their_answers",
    "TimeIgnored": "nothing_is_given_after_its_time",
    "TimeInMinutes": "nothing_is_given_after_its_time",
    "ShortTimeRaised": "nothing_is_given_after_its_time",
    "LongTimeCut": "a_value_lives_on_within_its_time",
    "LongestTimeWins": "put_replaces_the_time",
    "ZeroIsForEver": "a_time_is_above_zero",
    "WholeSecondsOnly": "a_time_is_above_zero",
    "LeastTimeRaised": "the_least_time_works_and_less_does_not",
    "LongestTimeCut": "the_longest_time_works_and_more_does_not",
    "EmptyKeyTaken": "an_empty_key_is_refused",
    "KeysAreCut": "the_longest_key_works_and_one_byte_more_does_not",
    "ChecksAfterStoring": "the_greatest_value_works_and_one_byte_more_does_not",
    "TextAccepted": "an_argument_of_another_type_is_refused",
    "TripsOverTypes": "an_argument_of_another_type_is_refused",
    "OpenAfterClose": "a_closed_client_refuses_every_operation",
    "KeepsItsOwnCopies": "two_clients_never_disagree",
    "DiesWithItsClient": "closing_a_client_keeps_something",
}


def _world(service: Any, provider: type, **changes: object) -> World:
    clock = service.clock

    async def advance(seconds: float) -> None:
        clock.advance(seconds)

    fields: dict[str, object] = {
        "backend": "memory",
        "clock": clock,
        "advance": advance,
        "limits": broken_cache.LIMITS,
        "guarantees": parse(STRONG),
        "operations": OPERATIONS,
        "reopen": lambda: provider(service),
    }
    return World(**{**fields, **changes})  # type: ignore[arg-type]


def _verdict(provider: type, case: ContractCase, seed: int = 0, **changes: object) -> str | None:
    """None where the case passes, else what it says."""
    service = broken_cache.Service(luck=random.Random(seed))
    world = _world(service, provider, **changes)

    async def run() -> None:
        async with provider(service) as cache:
            await case.run(cache, world)

    try:
        asyncio.run(run())
    except (ContractViolation, ProviderError) as violation:
        return str(violation)
    return None


def _case(name: str) -> ContractCase:
    return next(case for case in CONTRACT.cases if case.name == name)


@pytest.mark.parametrize("case", CONTRACT.cases, ids=lambda case: case.name)
def test_sound_provider_passes(case: ContractCase) -> None:
    assert _verdict(SOUND, case) is None


@pytest.mark.parametrize("seed", range(10))
def test_forgetting_is_no_defect(seed: int) -> None:
    found = {case.name: _verdict(FORGETFUL, case, seed) for case in CONTRACT.cases}
    assert not {name: verdict for name, verdict in found.items() if verdict is not None}


@pytest.mark.parametrize(("name", "case"), CAUGHT_BY.items(), ids=CAUGHT_BY)
def test_broken_provider_is_caught_by_name(name: str, case: str) -> None:
    assert _verdict(getattr(broken_cache, name), _case(case)) is not None


def test_every_broken_provider_is_listed() -> None:
    written = {
        name
        for name, found in vars(broken_cache).items()
        if isinstance(found, type) and issubclass(found, SOUND) and found not in (SOUND, FORGETFUL)
    }
    assert written == set(CAUGHT_BY)


def test_every_case_has_a_name_of_its_own_and_says_what_it_needs() -> None:
    names = [case.name for case in CONTRACT.cases]
    assert len(names) == len(set(names)) >= 20
    assert all(case.operations <= OPERATIONS for case in CONTRACT.cases)
    assert all(case.run.__doc__ for case in CONTRACT.cases)


def test_undeclared_operation_is_noticed() -> None:
    case = _case("an_undeclared_operation_is_absent")
    assert "delete" in (_verdict(SOUND, case, operations=OPERATIONS - {"delete"}) or "")


def test_selection_follows_the_manifest() -> None:
    service = broken_cache.Service()
    strong = {case.name for case in selected(CONTRACT, _world(service, SOUND))}
    weak = _world(service, SOUND, guarantees=parse({}), limits={}, advance=None)
    fewer = {case.name for case in selected(CONTRACT, weak)}
    assert strong - fewer >= {
        "nothing_is_given_after_its_time",
        "closing_a_client_keeps_something",
        "the_least_time_works_and_less_does_not",
    }
    assert fewer >= {"a_cache_keeps_something", "put_replaces_the_value"}


def test_what_a_cache_gives_is_best_effort_although_its_hint_is_strict() -> None:
    get, put = CONTRACT.spec.operations["get"], CONTRACT.spec.operations["put"]
    assert (get.floor.effects, get.floor.determinism) == (
        Effects.READ_ONLY,
        Determinism.BEST_EFFORT,
    )
    assert put.floor.effects is Effects.EFFECTFUL


async def _perform(cache: Any, calls: Sequence[Call]) -> list[tuple[object, str]]:
    """What each call gives, or the error's name, as it would arrive from another process."""
    shown: list[tuple[object, str]] = []
    for call in calls:
        try:
            result = await getattr(cache, call.operation)(*call.args, **call.kwargs)
        except ProviderError as error:
            shown.append((None, type(error).__name__))
        else:
            shown.append((decode(json.loads(json.dumps(encode(result)))), ""))
    return shown


def _history(seed: int) -> list[Call]:
    calls = CONTRACT.generate(random.Random(seed), 60, OPERATIONS)
    return [*calls, *CONTRACT.read_back(calls)]


def _refused(provider: type, seed: int) -> Call | None:
    """The first call whose answer the model does not accept, or None."""

    async def run() -> list[tuple[object, str]]:
        async with provider(broken_cache.Service(luck=random.Random(seed))) as cache:
            return await _perform(cache, _history(seed))

    model = _follower()
    for call, (answer, error) in zip(_history(seed), asyncio.run(run()), strict=True):
        if not model.accepts(call, answer, error):
            return call
    return None


def _follower() -> Follower:
    model = CONTRACT.model()
    assert isinstance(model, Follower)
    return model


@pytest.mark.parametrize("provider", ["SoundCache", "ForgetfulCache", "KeepsNothing"])
@pytest.mark.parametrize("seed", range(20))
def test_model_follows_an_honest_provider(provider: str, seed: int) -> None:
    assert _refused(getattr(broken_cache, provider), seed) is None


@pytest.mark.parametrize(
    "name",
    [
        "AbsentIsEmpty",
        "TextInside",
        "FirstPutWins",
        "OldValueComesBack",
        "DeleteIsForgotten",
        "DeleteOfAbsentFails",
        "DecodesKeys",
        "KeysAreShortDigests",
        "ZeroIsForEver",
        "EmptyKeyTaken",
        "WholeSecondsOnly",
    ],
)
def test_model_refuses_what_no_honest_provider_answers(name: str) -> None:
    assert any(_refused(getattr(broken_cache, name), seed) for seed in range(40))


def test_a_lost_answer_leaves_what_may_be() -> None:
    get = Call("get", ("k",))
    put = [Call("put", ("k", value), {"ttl_seconds": 60}) for value in (b"one", b"two")]
    for applied, may_be in ((True, {b"two"}), (False, {b"one"}), (None, {b"one", b"two"})):
        for value in (b"one", b"two"):
            model = _follower()
            assert model.accepts(put[0], None)
            model.lost(put[1], applied)
            assert model.accepts(get, value) is (value in may_be)
            assert model.accepts(get, None)
    model = _follower()
    assert model.accepts(put[0], None)
    model.lost(Call("delete", ("k",)), applied=True)
    assert not model.accepts(get, b"one")


def test_model_gives_an_answer_that_it_accepts() -> None:
    for seed in range(20):
        telling, told = _follower(), _follower()
        for call in _history(seed):
            try:
                answer, error = telling.apply(call), ""
            except InvalidArgument as refusal:
                answer, error = None, type(refusal).__name__
            assert told.accepts(call, answer, error)
            assert telling.state() == told.state()


def test_histories_repeat_and_reach_every_operation_and_edge() -> None:
    first = CONTRACT.generate(random.Random(7), 500, OPERATIONS)
    assert first == CONTRACT.generate(random.Random(7), 500, OPERATIONS)
    assert {call.operation for call in first} == OPERATIONS
    assert any(call.args[0] == "" for call in first)
    assert any(call.kwargs.get("ttl_seconds") == 0 for call in first)


@pytest.mark.parametrize("exercise", CONTRACT.exercises, ids=lambda exercise: exercise.name)
def test_exercise_succeeds_on_a_healthy_service(exercise: Exercise) -> None:
    async def run() -> list[tuple[object, str]]:
        async with SOUND(broken_cache.Service()) as cache:
            return await _perform(cache, [*exercise.setup, exercise.call, *exercise.probe])

    assert not [error for _, error in asyncio.run(run()) if error]
    assert decode(json.loads(json.dumps(encode(exercise)))).name == exercise.name


def test_exercises_cover_every_operation_under_names_of_their_own() -> None:
    names = [exercise.name for exercise in CONTRACT.exercises]
    assert len(names) == len(set(names)) >= 12
    assert {exercise.call.operation for exercise in CONTRACT.exercises} == OPERATIONS
