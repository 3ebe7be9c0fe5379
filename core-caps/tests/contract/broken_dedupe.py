"""A sound provider of Dedupe in memory, and providers with one defect each.

A suite is worth what it catches: every class below the first differs from it in one subtle way,
and `test_dedupe.py` names the case that must notice.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from core_caps.capabilities.dedupe import (
    Answer,
    Commit,
    Done,
    Fresh,
    InProgress,
    Reservation,
)
from core_caps.clock import VirtualClock
from core_caps.errors import ClientClosed, InvalidArgument, KeyCollision, LeaseExpired

LIMITS = {"key_size_bytes_max": 512, "result_size_bytes_max": 100_000, "batch_keys_max": 1000}


@dataclass
class Held:
    owner: str
    until: float
    payload: bytes = b""
    result: bytes | None = None


@dataclass
class Service:
    """What the clients of one test share."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    held: dict[str, Held] = field(default_factory=dict)


def refuse(condition: object, problem: str) -> None:
    if condition:
        raise InvalidArgument(problem)


class SoundDedupe:
    """Keeps every promise of dedupe/1."""

    def __init__(self, service: Service) -> None:
        self.service, self.open = service, False

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open = False

    async def reserve(
        self, key: str, *, owner: str, lease_seconds: float, payload: bytes = b""
    ) -> Answer:
        await self._begin()
        reservations = [Reservation(key, payload)]
        return self._reserve(reservations, owner, lease_seconds)[0]

    async def reserve_many(
        self, reservations: Sequence[Reservation], *, owner: str, lease_seconds: float
    ) -> Sequence[Answer]:
        await self._begin()
        self._check_batch(reservations, Reservation)
        return self._reserve(reservations, owner, lease_seconds)

    async def commit(
        self, key: str, *, owner: str, result: bytes = b"", ttl_seconds: float
    ) -> None:
        await self._begin()
        self._commit([Commit(key, result)], owner, ttl_seconds)

    async def commit_many(
        self, commits: Sequence[Commit], *, owner: str, ttl_seconds: float
    ) -> None:
        await self._begin()
        self._check_batch(commits, Commit)
        self._commit(commits, owner, ttl_seconds)

    async def release(self, key: str, *, owner: str) -> None:
        await self._begin()
        self._release([key], owner)

    async def release_many(self, keys: Sequence[str], *, owner: str) -> None:
        await self._begin()
        refuse(not isinstance(keys, list | tuple), "no list")
        self._release(keys, owner)

    async def _begin(self) -> None:
        if not self.open:
            raise ClientClosed("closed")
        await asyncio.sleep(0)

    def _reserve(
        self, reservations: Sequence[Reservation], owner: str, lease_seconds: float
    ) -> list[Answer]:
        self._check([each.key for each in reservations], owner, lease_seconds)
        for each in reservations:
            refuse(not isinstance(each.payload, bytes), "no bytes")
        colliding = [each.key for each in reservations if self._collides(each)]
        if colliding:
            raise KeyCollision("another payload", keys=colliding)
        return [self._taken(each, owner, lease_seconds) for each in reservations]

    def _commit(self, commits: Sequence[Commit], owner: str, ttl_seconds: float) -> None:
        self._check([each.key for each in commits], owner, ttl_seconds)
        for each in commits:
            refuse(not isinstance(each.result, bytes), "no bytes")
            refuse(len(each.result) > LIMITS["result_size_bytes_max"], "too long")
        lost = [each.key for each in commits if not self._may_commit(each, owner)]
        if lost:
            raise LeaseExpired("not this owner's", leases=lost)
        for each in commits:
            self._finish(each, ttl_seconds)

    def _release(self, keys: Sequence[str], owner: str) -> None:
        refuse(not all(isinstance(key, str) for key in keys), "no text")
        self._check(list(dict.fromkeys(keys)), owner, 1)
        for key in keys:
            held = self._living(key)
            if held is not None and self._may_release(held, owner):
                del self.service.held[key]

    def _check(self, keys: Sequence[str], owner: str, seconds: float) -> None:
        for name in (*keys, owner):
            refuse(not isinstance(name, str) or not name, "no name")
            try:
                refuse(len(name.encode()) > LIMITS["key_size_bytes_max"], "too long")
            except UnicodeEncodeError:
                raise InvalidArgument("no UTF-8 form") from None
        refuse(len(set(keys)) < len(keys), "a key is given twice")
        self._check_seconds(seconds)

    def _check_seconds(self, seconds: float) -> None:
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        refuse(not number or not math.isfinite(seconds) or seconds <= 0, "bad seconds")

    def _check_batch(self, items: Sequence[object], kind: type) -> None:
        refuse(not isinstance(items, list | tuple), "no list")
        refuse(not all(isinstance(item, kind) for item in items), "another kind")
        refuse(len(items) > LIMITS["batch_keys_max"], "too many")

    def _living(self, key: str) -> Held | None:
        held = self.service.held.get(key)
        if held is not None and held.result is not None and self._now() >= held.until:
            del self.service.held[key]
            return None
        return held

    def _now(self) -> float:
        return self.service.clock.now()

    def _collides(self, reservation: Reservation) -> bool:
        held = self._living(reservation.key)
        if held is None or not held.payload or not reservation.payload:
            return False
        return held.payload != reservation.payload

    def _taken(self, reservation: Reservation, owner: str, lease_seconds: float) -> Answer:
        held = self._living(reservation.key)
        if held is not None and held.result is not None:
            return Done(held.result)
        if held is not None and held.owner != owner and self._now() < held.until:
            return InProgress(held.until)
        payload = (held.payload if held else b"") or reservation.payload
        self._store(reservation.key, Held(owner, self._now() + lease_seconds, payload))
        return Fresh()

    def _store(self, key: str, held: Held) -> None:
        self.service.held[key] = held

    def _may_commit(self, commit: Commit, owner: str) -> bool:
        held = self._living(commit.key)
        return held is not None and held.owner == owner and held.result in (None, commit.result)

    def _finish(self, commit: Commit, ttl_seconds: float) -> None:
        held = self.service.held[commit.key]
        held.result, held.until = commit.result, self._now() + ttl_seconds

    def _may_release(self, held: Held, owner: str) -> bool:
        return held.owner == owner and held.result is None


class EverybodyIsFresh(SoundDedupe):
    """IN_PROGRESS answered FRESH."""

    def _taken(self, reservation: Reservation, owner: str, lease_seconds: float) -> Answer:
        answer = super()._taken(reservation, owner, lease_seconds)
        return Fresh() if isinstance(answer, InProgress) else answer


class BlanksAreRefused(SoundDedupe):
    """A key that ends in a blank is refused."""

    async def reserve(self, key: str, **named: Any) -> Answer:
        refuse(isinstance(key, str) and key.strip() != key, "a blank")
        return await super().reserve(key, **named)


class LooksThenTakes(SoundDedupe):
    """Two who ask at once both find the key free."""

    async def reserve(self, key: str, *, owner: str, lease_seconds: float, **named: Any) -> Answer:
        free = key not in self.service.held
        answer = await super().reserve(key, owner=owner, lease_seconds=lease_seconds, **named)
        return Fresh() if free else answer


class BatchLooksThenTakes(SoundDedupe):
    async def reserve_many(self, reservations: Sequence[Reservation], **named: Any) -> Any:
        free = [each for each in reservations if each.key not in self.service.held]
        answers = await super().reserve_many(reservations, **named)
        pairs = zip(reservations, answers, strict=True)
        return [Fresh() if each in free else answer for each, answer in pairs]


class OwnerIsKeptAway(SoundDedupe):
    def _taken(self, reservation: Reservation, owner: str, lease_seconds: float) -> Answer:
        held = self.service.held.get(reservation.key)
        if held is not None and held.result is None and self._now() < held.until:
            return InProgress(held.until)
        return super()._taken(reservation, owner, lease_seconds)


class LeaseIsNotRenewed(SoundDedupe):
    def _store(self, key: str, held: Held) -> None:
        before = self.service.held.get(key)
        if before is not None and before.owner == held.owner and self._now() < before.until:
            held.until = before.until
        super()._store(key, held)


class LeaseNeverRunsOut(SoundDedupe):
    def _store(self, key: str, held: Held) -> None:
        held.until += 1_000_000
        super()._store(key, held)


class LeaseInMinutes(SoundDedupe):
    def _store(self, key: str, held: Held) -> None:
        held.until = self._now() + (held.until - self._now()) / 60
        super()._store(key, held)


class AskingProlongsTheLease(SoundDedupe):
    def _taken(self, reservation: Reservation, owner: str, lease_seconds: float) -> Answer:
        answer = super()._taken(reservation, owner, lease_seconds)
        if isinstance(answer, InProgress):
            self.service.held[reservation.key].until += 1
        return answer


class UntilIsRelative(SoundDedupe):
    def _taken(self, reservation: Reservation, owner: str, lease_seconds: float) -> Answer:
        answer = super()._taken(reservation, owner, lease_seconds)
        return InProgress(answer.until - self._now()) if isinstance(answer, InProgress) else answer


class LeaseDiesWithItsClient(SoundDedupe):
    """A crash between the two steps leaves the key taken for ever."""

    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        for held in self.service.held.values():
            if held.result is None:
                held.until = math.inf


class KeysAreFolded(SoundDedupe):
    async def reserve(self, key: str, **named: Any) -> Answer:
        return await super().reserve(key.casefold() if isinstance(key, str) else key, **named)


class OwnersAreFolded(SoundDedupe):
    async def reserve(self, key: str, *, owner: str, **named: Any) -> Answer:
        same = owner.replace("%2F", "/") if isinstance(owner, str) else owner
        return await super().reserve(key, owner=same, **named)


class DoneIsForgotten(SoundDedupe):
    def _finish(self, commit: Commit, ttl_seconds: float) -> None:
        del self.service.held[commit.key]


class DoneEndsWithItsLease(SoundDedupe):
    def _finish(self, commit: Commit, ttl_seconds: float) -> None:
        self.service.held[commit.key].result = commit.result


class DoneIsForEver(SoundDedupe):
    def _finish(self, commit: Commit, ttl_seconds: float) -> None:
        super()._finish(commit, 1_000_000_000)


class TtlFromTheReservation(SoundDedupe):
    def _store(self, key: str, held: Held) -> None:
        super()._store(key, held)
        self.started = {**getattr(self, "started", {}), key: self._now()}

    def _finish(self, commit: Commit, ttl_seconds: float) -> None:
        super()._finish(commit, ttl_seconds)
        self.service.held[commit.key].until = self.started[commit.key] + ttl_seconds


class ResultIsText(SoundDedupe):
    def _finish(self, commit: Commit, ttl_seconds: float) -> None:
        text = commit.result.decode(errors="replace")
        super()._finish(Commit(commit.key, text.encode()), ttl_seconds)


class EmptyResultIsNone(SoundDedupe):
    def _finish(self, commit: Commit, ttl_seconds: float) -> None:
        super()._finish(commit, ttl_seconds)
        self.service.held[commit.key].result = commit.result or None


class ResultIsABuffer(SoundDedupe):
    def _taken(self, reservation: Reservation, owner: str, lease_seconds: float) -> Answer:
        answer = super()._taken(reservation, owner, lease_seconds)
        return Done(bytearray(answer.result)) if isinstance(answer, Done) else answer  # type: ignore[arg-type]


class SecondCommitFails(SoundDedupe):
    def _may_commit(self, commit: Commit, owner: str) -> bool:
        held = self._living(commit.key)
        return held is not None and held.owner == owner and held.result is None


class LastCommitWins(SoundDedupe):
    def _may_commit(self, commit: Commit, owner: str) -> bool:
        held = self._living(commit.key)
        return held is not None and held.owner == owner


class AnybodyCommits(SoundDedupe):
    def _may_commit(self, commit: Commit, owner: str) -> bool:
        return self._living(commit.key) is not None


class AnybodyCommitsTheSame(SoundDedupe):
    def _may_commit(self, commit: Commit, owner: str) -> bool:
        held = self._living(commit.key)
        return super()._may_commit(commit, owner) or (
            held is not None and held.result == commit.result
        )


class CommitsWithoutReservation(SoundDedupe):
    def _may_commit(self, commit: Commit, owner: str) -> bool:
        if self._living(commit.key) is None:
            self._store(commit.key, Held(owner, self._now()))
        return super()._may_commit(commit, owner)


class LateCommitIsRefused(SoundDedupe):
    def _may_commit(self, commit: Commit, owner: str) -> bool:
        held = self._living(commit.key)
        return super()._may_commit(commit, owner) and held is not None and self._now() < held.until


class LateReservationsAreSwept(SoundDedupe):
    def _living(self, key: str) -> Held | None:
        held = super()._living(key)
        if held is not None and self._now() >= held.until + 600:
            del self.service.held[key]
            return None
        return held


class LateCommitWins(SoundDedupe):
    """Whoever had the key once may commit it, although somebody else has it now."""

    def _store(self, key: str, held: Held) -> None:
        super()._store(key, held)
        self.owners = {**getattr(self, "owners", {})}
        self.owners.setdefault(key, set()).add(held.owner)

    def _may_commit(self, commit: Commit, owner: str) -> bool:
        held = self._living(commit.key)
        known = owner in getattr(self, "owners", {}).get(commit.key, set())
        return held is not None and known and held.result in (None, commit.result)


class NamesNoKey(SoundDedupe):
    def _commit(self, commits: Sequence[Commit], owner: str, ttl_seconds: float) -> None:
        try:
            super()._commit(commits, owner, ttl_seconds)
        except LeaseExpired as error:
            raise LeaseExpired(error.message) from None


class ReleaseKeepsTheLease(SoundDedupe):
    def _may_release(self, held: Held, owner: str) -> bool:
        return False


class ReleaseKeepsTheOwner(SoundDedupe):
    """The key is fresh again, and its late owner may still commit it."""

    def _release(self, keys: Sequence[str], owner: str) -> None:
        self._check(list(dict.fromkeys(keys)), owner, 1)
        for key in keys:
            held = self._living(key)
            if held is not None and self._may_release(held, owner):
                held.until, held.payload = self._now(), b""


class ReleaseKeepsThePayload(SoundDedupe):
    def _release(self, keys: Sequence[str], owner: str) -> None:
        kept = {key: self.service.held[key].payload for key in keys if key in self.service.held}
        super()._release(keys, owner)
        for key, payload in kept.items():
            if key not in self.service.held:
                self._store(key, Held("nobody", self._now(), payload))


class AnybodyReleases(SoundDedupe):
    def _may_release(self, held: Held, owner: str) -> bool:
        return held.result is None


class ReleaseUndoesDone(SoundDedupe):
    def _may_release(self, held: Held, owner: str) -> bool:
        return held.owner == owner


class ReleaseOfNothingFails(SoundDedupe):
    def _release(self, keys: Sequence[str], owner: str) -> None:
        refuse(any(key not in self.service.held for key in keys), "no such key")
        super()._release(keys, owner)


class CollisionUnnoticed(SoundDedupe):
    def _collides(self, reservation: Reservation) -> bool:
        return False


class CollisionOnlyWhileReserved(SoundDedupe):
    def _collides(self, reservation: Reservation) -> bool:
        held = self.service.held.get(reservation.key)
        living = held is not None and held.result is None
        return living and super()._collides(reservation)


class CollisionOnlyWhileLeased(SoundDedupe):
    def _collides(self, reservation: Reservation) -> bool:
        held = self.service.held.get(reservation.key)
        return held is not None and self._now() < held.until and super()._collides(reservation)


class NoPayloadIsOne(SoundDedupe):
    def _collides(self, reservation: Reservation) -> bool:
        held = self._living(reservation.key)
        return held is not None and held.payload != reservation.payload


class PayloadsAreFolded(SoundDedupe):
    def _collides(self, reservation: Reservation) -> bool:
        held = self._living(reservation.key)
        if held is None or not held.payload or not reservation.payload:
            return False
        return held.payload.strip().lower() != reservation.payload.strip().lower()


class LastPayloadCounts(SoundDedupe):
    def _taken(self, reservation: Reservation, owner: str, lease_seconds: float) -> Answer:
        answer = super()._taken(reservation, owner, lease_seconds)
        self.service.held[reservation.key].payload = reservation.payload
        return answer


class BatchHalfApplied(SoundDedupe):
    def _reserve(
        self, reservations: Sequence[Reservation], owner: str, lease_seconds: float
    ) -> list[Answer]:
        answers: list[Answer] = []
        for each in reservations:
            answers += super()._reserve([each], owner, lease_seconds)
        return answers


class CommitsHalfABatch(SoundDedupe):
    def _commit(self, commits: Sequence[Commit], owner: str, ttl_seconds: float) -> None:
        lost: list[str] = []
        for each in commits:
            try:
                super()._commit([each], owner, ttl_seconds)
            except LeaseExpired as error:
                lost += error.leases
        if lost:
            raise LeaseExpired("not this owner's", leases=lost)


class NamesTheFirstOnly(SoundDedupe):
    def _reserve(
        self, reservations: Sequence[Reservation], owner: str, lease_seconds: float
    ) -> list[Answer]:
        try:
            return super()._reserve(reservations, owner, lease_seconds)
        except KeyCollision as error:
            raise KeyCollision(error.message, keys=error.keys[:1]) from None


class AnswersInKeyOrder(SoundDedupe):
    async def reserve_many(self, reservations: Sequence[Reservation], **named: Any) -> Any:
        self._check_batch(reservations, Reservation)
        return await super().reserve_many(sorted(reservations, key=lambda r: r.key), **named)


class BatchMergesKeys(SoundDedupe):
    def _check_batch(self, items: Sequence[Any], kind: type) -> None:
        super()._check_batch(items, kind)
        if isinstance(items, list):
            items[:] = {item.key: item for item in items}.values()


class BatchOfNothingFails(SoundDedupe):
    def _check_batch(self, items: Sequence[object], kind: type) -> None:
        super()._check_batch(items, kind)
        refuse(not items, "nothing to do")


class BatchLosesItsHundredth(SoundDedupe):
    def _commit(self, commits: Sequence[Commit], owner: str, ttl_seconds: float) -> None:
        super()._commit(commits[:99] + commits[100:], owner, ttl_seconds)


class BatchKeepsOneResult(SoundDedupe):
    def _commit(self, commits: Sequence[Commit], owner: str, ttl_seconds: float) -> None:
        if isinstance(commits, list) and len(commits) > 1:
            commits = [Commit(each.key, commits[-1].result) for each in commits]
        super()._commit(commits, owner, ttl_seconds)


class ReleaseManyStopsAtOthers(SoundDedupe):
    def _release(self, keys: Sequence[str], owner: str) -> None:
        for key in keys:
            held = self.service.held.get(key)
            if len(keys) > 1 and (held is None or held.owner != owner):
                return
            super()._release([key], owner)


class BatchHasNoLimit(SoundDedupe):
    def _check_batch(self, items: Sequence[object], kind: type) -> None:
        super()._check_batch(items[: LIMITS["batch_keys_max"]], kind)


class ResultCutToItsLimit(SoundDedupe):
    async def commit(self, key: str, *, result: bytes = b"", **named: Any) -> None:
        if isinstance(result, bytes):
            result = result[: LIMITS["result_size_bytes_max"]]
        await super().commit(key, result=result, **named)


class KeysAreCut(SoundDedupe):
    async def reserve(self, key: str, **named: Any) -> Answer:
        cut = key[: LIMITS["key_size_bytes_max"]] if isinstance(key, str) else key
        return await super().reserve(cut, **named)


class ZeroIsForEver(SoundDedupe):
    def _check_seconds(self, seconds: float) -> None:
        super()._check_seconds(1 if seconds == 0 else seconds)


class WholeSecondsOnly(SoundDedupe):
    def _check_seconds(self, seconds: float) -> None:
        super()._check_seconds(seconds)
        refuse(seconds != int(seconds), "no whole seconds")


class TripsOverTypes(SoundDedupe):
    def _check_seconds(self, seconds: float) -> None:
        if seconds <= 0:
            raise InvalidArgument("bad seconds")


class OpenAfterClose(SoundDedupe):
    async def _begin(self) -> None:
        pass


class EachClientHasItsOwnStore(SoundDedupe):
    def __init__(self, service: Service) -> None:
        super().__init__(Service(service.clock))


class ClosesTheStore(SoundDedupe):
    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        self.service.held.clear()
