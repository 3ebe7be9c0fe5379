"""The suite of blob/1 passes a store that keeps it, and catches each that does not, by name."""

import asyncio
import dataclasses
import random
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from core_caps.capabilities.blob_store import BlobStore
from core_caps.claims.operation import spec_of
from core_caps.clock import VirtualClock
from core_caps.contract.blob import CONTRACT
from core_caps.contract.codec import decode, encode
from core_caps.contract.suite import Call, ContractViolation, Result, Stream, World, selected
from core_caps.errors import ObjectAbsent, ProviderError


def _sibling(name):
    # Tests are no package: with importlib's import mode a neighbour is loaded by its path.
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


broken_blob = _sibling("broken_blob")
BROKEN, CleanStore = broken_blob.BROKEN, broken_blob.CleanStore


def world_of(provider_class):
    clock, objects = VirtualClock(), {}

    def reopen():
        return provider_class(objects, clock)

    async def advance(seconds):
        clock.advance(seconds)

    return World(
        backend="test",
        clock=clock,
        advance=advance,
        limits={
            "key_size_bytes_max": 1024,
            "metadata_size_bytes_max": 8192,
            "list_limit_max": 1000,
            "presign_seconds_max": 604_800,
            "part_size_bytes_min": 5 * 1024 * 1024,
        },
        guarantees={"consistency": "linearizable", "durability": "process"},
        operations=frozenset(spec_of(BlobStore).operations),
        reopen=reopen,
        prefix="p/",
    )


async def outcome_of(case, provider_class):
    world = world_of(provider_class)
    async with world.reopen() as provider:
        await asyncio.wait_for(case.run(provider, world), 30)


def named(name):
    return next(case for case in CONTRACT.cases if case.name == name)


@pytest.mark.feature("CK-05", "P4-03")
@pytest.mark.parametrize("case", CONTRACT.cases, ids=lambda case: case.name)
async def test_a_store_that_keeps_the_promises_passes(case):
    assert case in selected(CONTRACT, world_of(CleanStore)), "no case is left out here"
    await outcome_of(case, CleanStore)


@pytest.mark.feature("P4-03")
@pytest.mark.parametrize(
    ("broken", "case"), BROKEN.items(), ids=lambda each: getattr(each, "__name__", each)
)
async def test_a_broken_store_is_caught_by_name(broken, case):
    # A provider's own error where the promise is an answer is a broken promise too.
    with pytest.raises((ContractViolation, ObjectAbsent)):
        await outcome_of(named(case), broken)


@pytest.mark.feature("CK-05")
def test_the_contract_is_complete():
    operations = CONTRACT.spec.operations
    assert len(CONTRACT.cases) >= 30
    assert len({case.name for case in CONTRACT.cases}) == len(CONTRACT.cases)
    assert all(case.operations <= operations.keys() for case in CONTRACT.cases)
    assert len({exercise.name for exercise in CONTRACT.exercises}) == len(CONTRACT.exercises) >= 14
    assert {exercise.call.operation for exercise in CONTRACT.exercises} == operations.keys()
    covered = {name for case in CONTRACT.cases for name in case.operations}
    assert covered == operations.keys(), "every operation has a promise"


@pytest.mark.feature("CK-05")
def test_exercises_survive_the_codec():
    import json

    for exercise in CONTRACT.exercises:
        again = decode(json.loads(json.dumps(encode(exercise))))
        assert encode(again) == encode(exercise)
        assert dataclasses.asdict(again.call) == dataclasses.asdict(exercise.call)


async def performed(provider, calls):
    """What a provider answers to a history, in comparable form."""
    results, told = [], []
    for call in calls:
        try:
            result = await one(provider, call, results)
            told.append(CONTRACT.comparable(call, result))
        except ProviderError as error:
            result = None
            told.append(type(error).__name__)
        results.append(result)
    return told


async def one(provider, call, results):
    def given(value):
        if isinstance(value, Result):
            return getattr(results[value.step], value.attribute)
        return value.open() if isinstance(value, Stream) else value

    args = [given(value) for value in call.args]
    named_ = {name: given(value) for name, value in call.kwargs.items()}
    answer = getattr(provider, call.operation)(*args, **named_)
    if call.operation == "open":
        return [chunk async for chunk in answer]
    return await answer


def modelled(calls):
    model, told = CONTRACT.model(), []
    for call in calls:
        try:
            told.append(model.apply(call))
        except ProviderError as error:
            told.append(type(error).__name__)
    return told, model


@pytest.mark.feature("CK-05")
@pytest.mark.parametrize("exercise", CONTRACT.exercises, ids=lambda exercise: exercise.name)
async def test_every_exercise_succeeds_on_a_healthy_store(exercise):
    world = world_of(CleanStore)
    calls = [*exercise.setup, exercise.call, *exercise.probe]
    async with world.reopen() as provider:
        told = await performed(provider, calls)
    assert not any(
        isinstance(each, str) and each in dir(__import__("core_caps.errors")) for each in told
    )
    if not any(call.kwargs.get("cursor") for call in calls):
        assert told == modelled(calls)[0]


@pytest.mark.feature("P4-03")
@pytest.mark.parametrize("seed", range(60))
async def test_the_model_answers_as_a_store_does(seed):
    operations = frozenset(CONTRACT.spec.operations)
    calls = CONTRACT.generate(random.Random(seed), 40, operations)
    assert calls == CONTRACT.generate(random.Random(seed), 40, operations), "seeded"
    world = world_of(CleanStore)
    async with world.reopen() as provider:
        told = await performed(provider, [*calls, *CONTRACT.read_back(calls)])
    expected, _ = modelled([*calls, *CONTRACT.read_back(calls)])
    for step, (ours, models) in enumerate(zip(told, expected, strict=True)):
        assert ours == models, (
            f"seed {seed}, step {step}: {(*calls, *CONTRACT.read_back(calls))[step]}"
        )


@pytest.mark.feature("P4-03")
def test_generated_histories_reach_everything():
    seen, told = set(), set()
    for seed in range(60):
        calls = CONTRACT.generate(random.Random(seed), 40, frozenset(CONTRACT.spec.operations))
        seen |= {(call.operation, name) for call in calls for name in ("", *call.kwargs)}
        told |= {each for each in modelled(calls)[0] if isinstance(each, str)}
    assert {"InvalidArgument", "PreconditionFailed", "ObjectAbsent"} <= told
    for wanted in (("put", "if_match"), ("get", "range"), ("list", "delimiter"), ("copy", "")):
        assert wanted in seen


@pytest.mark.feature("CK-05")
def test_a_history_uses_only_what_a_provider_has():
    calls = CONTRACT.generate(random.Random(1), 50, frozenset({"get", "put"}))
    assert {call.operation for call in calls} == {"get", "put"}
    assert isinstance(calls[0], Call)
