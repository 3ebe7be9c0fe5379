"""A sound and a forgetful provider of Cache in memory, and providers with one defect each.

A suite is worth what it catches: every class below the first two differs from the sound one in
one subtle way, and `test_cache.py` names the case that must notice.
"""

import asyncio
import math
import random
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Self

from core_caps.clock import VirtualClock
from core_caps.errors import ClientClosed, InvalidArgument

LIMITS = {
    "key_size_bytes_max": 512,
    "value_size_bytes_max": 100_000,
    "ttl_seconds_min": 2,
    "ttl_seconds_max": 100_000,
}


@dataclass
class Service:
    """What the clients of one test share."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    held: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    luck: random.Random = field(default_factory=lambda: random.Random(0))


def refuse(condition: object, problem: str) -> None:
    if condition:
        raise InvalidArgument(problem)


class SoundCache:
    """Keeps every promise of cache/1, and forgets nothing before its time."""

    def __init__(self, service: Service) -> None:
        self.service, self.open = service, False

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open = False

    async def get(self, key: str) -> bytes | None:
        await self._begin(key)
        value, until = self.service.held.get(key, (None, 0.0))
        return value if self.service.clock.now() < until else None

    async def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        await self._begin(key)
        refuse(not isinstance(value, bytes), "no bytes")
        refuse(len(value) > LIMITS["value_size_bytes_max"], "too long")
        self._check_seconds(ttl_seconds)
        self._store(key, value, self.service.clock.now() + ttl_seconds)

    async def delete(self, key: str) -> None:
        await self._begin(key)
        self.service.held.pop(key, None)

    async def _begin(self, key: str) -> None:
        if not self.open:
            raise ClientClosed("closed")
        self._check_key(key)
        await asyncio.sleep(0)

    def _check_key(self, key: str) -> None:
        refuse(not isinstance(key, str) or not key, "no key")
        try:
            refuse(len(key.encode()) > LIMITS["key_size_bytes_max"], "too long")
        except UnicodeEncodeError:
            raise InvalidArgument("no UTF-8 form") from None

    def _check_seconds(self, seconds: float) -> None:
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        refuse(not number or not math.isfinite(seconds), "no number")
        refuse(not LIMITS["ttl_seconds_min"] <= seconds <= LIMITS["ttl_seconds_max"], "bad time")

    def _store(self, key: str, value: bytes, until: float) -> None:
        self.service.held[key] = (value, until)


class ForgetfulCache(SoundCache):
    """Honest: it forgets half of what it is given, and some of the rest later."""

    def _store(self, key: str, value: bytes, until: float) -> None:
        super()._store(key, value, until)
        if self.service.luck.random() < 0.5:
            del self.service.held[key]

    async def get(self, key: str) -> bytes | None:
        found = await super().get(key)
        if self.service.luck.random() < 0.1:
            self.service.held.pop(key, None)
            return None
        return found


class KeepsNothing(SoundCache):
    def _store(self, key: str, value: bytes, until: float) -> None:
        self.service.held.pop(key, None)


class AbsentIsEmpty(SoundCache):
    async def get(self, key: str) -> bytes | None:
        return await super().get(key) or b""


class TextInside(SoundCache):
    async def get(self, key: str) -> bytes | None:
        value = await super().get(key)
        return None if value is None else value.decode(errors="replace").encode()


class ReturnsItsBuffer(SoundCache):
    async def get(self, key: str) -> Any:
        value = await super().get(key)
        return None if value is None else bytearray(value)


class ValueIsCut(SoundCache):
    def _store(self, key: str, value: bytes, until: float) -> None:
        super()._store(key, value[:50_000], until)


class FirstPutWins(SoundCache):
    def _store(self, key: str, value: bytes, until: float) -> None:
        self.service.held.setdefault(key, (value, until))


class OldValueComesBack(SoundCache):
    """What the newest put could not keep, an older one answers."""

    def _store(self, key: str, value: bytes, until: float) -> None:
        if value:
            super()._store(key, value, until)


class DeleteIsForgotten(SoundCache):
    async def delete(self, key: str) -> None:
        await self._begin(key)


class DeleteOfAbsentFails(SoundCache):
    async def delete(self, key: str) -> None:
        refuse(key not in self.service.held, "no such key")
        await super().delete(key)


class DeleteTakesEverything(SoundCache):
    """Honest to a fault: a cache may forget, but not tell one key's value as another's."""

    async def delete(self, key: str) -> None:
        await super().delete(key)
        for other in self.service.held:
            self.service.held[other] = next(iter(self.service.held.values()))


class DecodesKeys(SoundCache):
    async def put(self, key: str, value: bytes, **named: Any) -> None:
        await super().put(urllib.parse.unquote(key) if key else key, value, **named)

    async def get(self, key: str) -> bytes | None:
        return await super().get(urllib.parse.unquote(key) if key else key)


class KeysAreShortDigests(SoundCache):
    """Two keys of one digest share a value."""

    def _short(self, key: str) -> str:
        return str(sum(key.encode()) % 13) if isinstance(key, str) and key else key

    async def put(self, key: str, value: bytes, **named: Any) -> None:
        await super().put(self._short(key), value, **named)

    async def get(self, key: str) -> bytes | None:
        return await super().get(self._short(key))


class MixesConcurrentAnswers(SoundCache):
    async def get(self, key: str) -> bytes | None:
        self.asked = key
        await asyncio.sleep(0)
        return await super().get(self.asked)


class TimeIgnored(SoundCache):
    def _store(self, key: str, value: bytes, until: float) -> None:
        super()._store(key, value, math.inf)


class TimeInMinutes(SoundCache):
    def _store(self, key: str, value: bytes, until: float) -> None:
        now = self.service.clock.now()
        super()._store(key, value, now + (until - now) * 60)


class ShortTimeRaised(SoundCache):
    """The store below knows no time under a minute, and the cache does not look at the age."""

    def _store(self, key: str, value: bytes, until: float) -> None:
        super()._store(key, value, max(until, self.service.clock.now() + 60))


class LongTimeCut(SoundCache):
    def _store(self, key: str, value: bytes, until: float) -> None:
        super()._store(key, value, min(until, self.service.clock.now() + 200))


class LongestTimeWins(SoundCache):
    def _store(self, key: str, value: bytes, until: float) -> None:
        super()._store(key, value, max(until, self.service.held.get(key, (b"", 0.0))[1]))


class ZeroIsForEver(SoundCache):
    def _check_seconds(self, seconds: float) -> None:
        super()._check_seconds(LIMITS["ttl_seconds_max"] if seconds == 0 else seconds)


class WholeSecondsOnly(SoundCache):
    def _check_seconds(self, seconds: float) -> None:
        super()._check_seconds(seconds)
        refuse(seconds != int(seconds), "no whole seconds")


class LeastTimeRaised(SoundCache):
    def _check_seconds(self, seconds: float) -> None:
        super()._check_seconds(max(seconds, LIMITS["ttl_seconds_min"]) if seconds > 0 else seconds)


class LongestTimeCut(SoundCache):
    def _check_seconds(self, seconds: float) -> None:
        super()._check_seconds(min(seconds, LIMITS["ttl_seconds_max"]))


class EmptyKeyTaken(SoundCache):
    def _check_key(self, key: str) -> None:
        super()._check_key(key or "nothing")


class KeysAreCut(SoundCache):
    def _cut(self, key: Any) -> Any:
        return key[: LIMITS["key_size_bytes_max"]] if isinstance(key, str) else key

    async def put(self, key: str, value: bytes, **named: Any) -> None:
        await super().put(self._cut(key), value, **named)


class ChecksAfterStoring(SoundCache):
    async def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        await self._begin(key)
        if isinstance(value, bytes) and ttl_seconds > 0:
            self._store(key, value, self.service.clock.now() + ttl_seconds)
        await super().put(key, value, ttl_seconds=ttl_seconds)


class TextAccepted(SoundCache):
    async def put(self, key: str, value: Any, **named: Any) -> None:
        await super().put(key, value.encode() if isinstance(value, str) else value, **named)


class TripsOverTypes(SoundCache):
    def _check_seconds(self, seconds: float) -> None:
        refuse(seconds <= 0, "bad time")


class OpenAfterClose(SoundCache):
    async def _begin(self, key: str) -> None:
        self._check_key(key)


class KeepsItsOwnCopies(SoundCache):
    """A second cache in front, that nobody tells what others put and deleted."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.own: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        await self._begin(key)
        if key not in self.own:
            found = await super().get(key)
            if found is None:
                return None
            self.own[key] = found
        return self.own[key]

    async def put(self, key: str, value: bytes, **named: Any) -> None:
        await super().put(key, value, **named)
        self.own.pop(key, None)


class DiesWithItsClient(SoundCache):
    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        self.service.held.clear()
