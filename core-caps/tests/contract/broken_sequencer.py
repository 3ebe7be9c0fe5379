"""A sound provider of Sequencer in memory, and providers with one defect each.

A suite is worth what it catches: every class below the first differs from it in one subtle way,
and `test_sequencer.py` names the case that must notice.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Self

from core_caps.capabilities.sequencer import Appended
from core_caps.clock import VirtualClock
from core_caps.errors import ClientClosed, InvalidArgument, KeyCollision

LIMITS = {"key_size_bytes_max": 512}


@dataclass
class Service:
    """What the clients of one test share."""

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
