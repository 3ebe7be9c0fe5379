"""The sequencer/1 suite and model against a sound provider, and against ones with one defect."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from core_caps.capabilities.sequencer import Appended
from core_caps.claims.guarantees import parse
from core_caps.clock import VirtualClock
from core_caps.contract.codec import decode, encode
from core_caps.contract.sequencer import CONTRACT
from core_caps.contract.suite import Call, ContractCase, ContractViolation, Exercise, World
from core_caps.errors import ClientClosed, InvalidArgument, KeyCollision, ProviderError

pytestmark = pytest.mark.feature("CK-05", "S3-13")


@dataclass
class Service:
    clock: VirtualClock = field(default_factory=VirtualClock)
    held: dict[str, tuple[int, bytes, float]] = field(default_factory=dict)


class SoundSequencer:
    """Keeps every promise of sequencer/1."""

    def __init__(self, service: Service) -> None:
        self.service, self.open = service, False

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open = False

    async def append(self, key: str, payload: bytes) -> Appended:
        if not self.open:
            raise ClientClosed("closed")
        self._check(key, payload)
        await asyncio.sleep(0)
        return self._append(key, payload)

    def _check(self, key: str, payload: bytes) -> None:
        bad = not isinstance(key, str) or not key or not isinstance(payload, bytes)
        if bad or len(key.encode(errors="replace")) > 512 or "\ud800" in key:
            raise InvalidArgument("refused")

    def _append(self, key: str, payload: bytes) -> Appended:
        held = self.service.held
        inserted = key not in held
        if inserted:
            held[key] = (self._next(), payload, self.service.clock.now())
        sequence, known, first_seen = held[key]
        if known != payload:
            raise KeyCollision("another payload", keys=[key])
        return Appended(inserted, sequence, first_seen)

    def _next(self) -> int:
        return len(self.service.held) + 1


class NumbersHaveGaps(SoundSequencer):
    def _next(self) -> int:
        return 2 * super()._next()


class StartsFromZero(SoundSequencer):
    def _next(self) -> int:
        return super()._next() - 1


class KeysAreFolded(SoundSequencer):
    async def append(self, key: str, payload: bytes) -> Appended:
        return await super().append(key.casefold() if isinstance(key, str) else key, payload)


class RepeatIsInserted(SoundSequencer):
    def _append(self, key: str, payload: bytes) -> Appended:
        appended = super()._append(key, payload)
        return Appended(True, appended.sequence, appended.first_seen)


class RepeatIsSeenNow(SoundSequencer):
    def _append(self, key: str, payload: bytes) -> Appended:
        appended = super()._append(key, payload)
        return Appended(appended.inserted, appended.sequence, self.service.clock.now())


class RepeatTakesANumber(SoundSequencer):
    taken = 0

    def _append(self, key: str, payload: bytes) -> Appended:
        appended = super()._append(key, payload)
        self.taken += not appended.inserted
        return appended

    def _next(self) -> int:
        return super()._next() + self.taken


class ForgetsInADay(SoundSequencer):
    def _append(self, key: str, payload: bytes) -> Appended:
        held = self.service.held.get(key)
        if held and self.service.clock.now() - held[2] >= 86_400:
            del self.service.held[key]
        return super()._append(key, payload)


class CollisionUnnoticed(SoundSequencer):
    def _append(self, key: str, payload: bytes) -> Appended:
        return super()._append(key, self.service.held.get(key, (0, payload))[1])


class PayloadsAreFolded(SoundSequencer):
    def _append(self, key: str, payload: bytes) -> Appended:
        return super()._append(key, payload.lower())


class NamesNoKey(SoundSequencer):
    def _append(self, key: str, payload: bytes) -> Appended:
        try:
            return super()._append(key, payload)
        except KeyCollision:
            raise KeyCollision("another payload") from None


class LooksThenInserts(SoundSequencer):
    async def append(self, key: str, payload: bytes) -> Appended:
        new = key not in self.service.held
        appended = await super().append(key, payload)
        return Appended(new, appended.sequence, appended.first_seen)


class KeysAreCut(SoundSequencer):
    async def append(self, key: str, payload: bytes) -> Appended:
        cut = isinstance(key, str) and "\ud800" not in key
        return await super().append(key.encode()[:512].decode() if cut else key, payload)


class TripsOverTypes(SoundSequencer):
    def _check(self, key: str, payload: bytes) -> None:
        if not key.encode() or len(key.encode()) > 512:
            raise InvalidArgument("refused")
        if len(payload) < 0:
            raise InvalidArgument("refused")


class EmptyIsAKey(SoundSequencer):
    def _check(self, key: str, payload: bytes) -> None:
        super()._check(key or "empty", payload)


class OpenAfterClose(SoundSequencer):
    async def __aexit__(self, *exc: object) -> None:
        pass


CAUGHT_BY = {
    NumbersHaveGaps: "what_comes_is_numbered_without_a_gap",
    StartsFromZero: "what_comes_is_numbered_without_a_gap",
    KeysAreFolded: "what_comes_is_numbered_without_a_gap",
    RepeatIsInserted: "a_repeat_has_its_first_number",
    RepeatIsSeenNow: "a_repeat_has_its_first_number",
    RepeatTakesANumber: "a_repeat_has_its_first_number",
    ForgetsInADay: "a_repeat_has_its_first_number",
    CollisionUnnoticed: "another_payload_collides",
    PayloadsAreFolded: "another_payload_collides",
    NamesNoKey: "another_payload_collides",
    LooksThenInserts: "of_many_at_once_each_has_its_number",
    KeysAreCut: "the_longest_key_works_and_one_byte_more_does_not",
    TripsOverTypes: "an_argument_of_another_type_is_refused",
    EmptyIsAKey: "an_empty_key_is_refused",
    OpenAfterClose: "a_closed_client_refuses_every_operation",
}


def _verdict(provider: type, case: ContractCase) -> str | None:
    """None where the case passes, else what it says."""
    service = Service()

    async def advance(seconds: float) -> None:
        service.clock.advance(seconds)

    world = World(
        backend="memory",
        clock=service.clock,
        advance=advance,
        limits={"key_size_bytes_max": 512},
        guarantees=parse({"consistency": "linearizable"}),
        operations=frozenset(CONTRACT.spec.operations),
        reopen=lambda: provider(service),
    )

    async def run() -> None:
        async with provider(service) as sequencer:
            await case.run(sequencer, world)

    try:
        asyncio.run(run())
    except (ContractViolation, ProviderError) as violation:
        return str(violation)
    return None


@pytest.mark.parametrize("case", CONTRACT.cases, ids=lambda case: case.name)
def test_sound_provider_passes(case: ContractCase) -> None:
    assert _verdict(SoundSequencer, case) is None


@pytest.mark.parametrize(
    ("broken", "name"), CAUGHT_BY.items(), ids=lambda each: getattr(each, "__name__", each)
)
def test_broken_provider_is_caught_by_name(broken: type, name: str) -> None:
    case = next(case for case in CONTRACT.cases if case.name == name)
    assert _verdict(broken, case) is not None


def test_every_case_catches_somebody() -> None:
    assert set(CAUGHT_BY.values()) == {case.name for case in CONTRACT.cases}


def _answers(provider: type, calls: Sequence[Call]) -> list[object]:
    async def run() -> list[object]:
        shown: list[object] = []
        async with provider(Service()) as sequencer:
            for call in calls:
                try:
                    result: Any = await sequencer.append(*call.args)
                except ProviderError as error:
                    shown.append(type(error).__name__)
                else:
                    travelled = decode(json.loads(json.dumps(encode(result))))
                    shown.append(CONTRACT.comparable(call, travelled))
        return shown

    return asyncio.run(run())


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


def _history(seed: int) -> list[Call]:
    calls = CONTRACT.generate(random.Random(seed), 30, frozenset({"append"}))
    return [*calls, *CONTRACT.read_back(calls)]


@pytest.mark.parametrize("seed", range(20))
def test_model_agrees_with_a_sound_provider(seed: int) -> None:
    assert _answers(SoundSequencer, _history(seed)) == _expected(_history(seed)), f"seed {seed}"


@pytest.mark.parametrize(
    "broken", [NumbersHaveGaps, RepeatIsInserted, RepeatTakesANumber, CollisionUnnoticed]
)
def test_histories_tell_a_broken_provider_from_the_model(broken: type) -> None:
    assert any(_answers(broken, _history(n)) != _expected(_history(n)) for n in range(20))


@pytest.mark.parametrize("exercise", CONTRACT.exercises, ids=lambda exercise: exercise.name)
def test_exercise_succeeds_on_a_healthy_service(exercise: Exercise) -> None:
    shown = _answers(SoundSequencer, [*exercise.setup, exercise.call, *exercise.probe])
    assert all(isinstance(each, dict) for each in shown)
    assert decode(json.loads(json.dumps(encode(exercise)))).name == exercise.name
