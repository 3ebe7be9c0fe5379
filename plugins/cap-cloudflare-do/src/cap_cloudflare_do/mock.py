"""Durable Objects in this process, with the vendor's rules and limits: deterministic, and no more.

Time is the given clock's. An alarm rings when the clock is past it; nothing has to run for that.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Self

from core_caps.capabilities.arguments import checked_bytes, checked_seconds
from core_caps.capabilities.dedupe import Answer, Commit, Reservation
from core_caps.capabilities.durable_object import Alarm, Item, ItemPage, ObjectRef
from core_caps.capabilities.sequencer import Appended
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, InvalidArgument
from core_caps.rng import Rng

from cap_cloudflare_do import limits, refusals
from cap_cloudflare_do.config import MockConfig
from cap_cloudflare_do.ledger import Ledger
from cap_cloudflare_do.ledger_arguments import ARGUMENTS
from cap_cloudflare_do.namespaces import ID_BYTES, Namespace, StoredObject, is_id, made_id

__all__ = ["MockDedupe", "MockObjects", "MockSequencer"]

_STORES: dict[str, Namespace] = {}
"""The named stores of this process: they outlive their clients, as the service does."""


class _Mock:
    """A client of a store: open or closed."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._rng = rng
        self._namespace = (
            _STORES.setdefault(config.store, Namespace()) if config.store else Namespace()
        )
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    async def _begin(self) -> None:
        if not self._open:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        await asyncio.sleep(0)  # others come in between calls, as they do on the service


class MockObjects(_Mock):
    """A namespace of objects as one client sees it."""

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(config, clock=clock, rng=rng)
        small = config.storage == "kv"
        self._value_size_bytes_max = limits.KV_BACKED_VALUE_SIZE_BYTES_MAX if small else None

    async def get(self, ref: ObjectRef, key: str) -> bytes | None:
        """The value, or None when the key is absent.

        Raises:
            InvalidArgument: an argument breaks a limit, or the id is none of the namespace's.
        """
        one = await self._called(ref)
        return one.values.get(limits.checked_key(key))

    async def get_many(self, ref: ObjectRef, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values as they are at one moment; an absent key maps to None."""
        one = await self._called(ref)
        found = {key: one.values.get(key) for key in limits.checked_keys(keys)}
        refusals.refuse_large_answer(sum(len(value or b"") for value in found.values()))
        return found

    async def list(
        self,
        ref: ObjectRef,
        *,
        prefix: str = "",
        start: str | None = None,
        start_after: str | None = None,
        end: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> ItemPage:
        """Up to `limit` items within these bounds; fewer where they are large."""
        one = await self._called(ref)
        return one.page(limits.checked_bounds(prefix, start, start_after, end, limit, reverse))

    async def get_alarm(self, ref: ObjectRef) -> Alarm | None:
        """The alarm, also when it rang, or None where none is set."""
        one = await self._called(ref)
        return one.alarm(self._clock.now())

    async def put(self, ref: ObjectRef, key: str, value: bytes) -> None:
        """Store a value, replacing what was there.

        Raises:
            InvalidArgument: a limit is broken; NOT_APPLIED.
        """
        one = await self._called(ref)
        limits.checked_key(key)
        one.values[key] = limits.checked_item(key, value, self._value_size_bytes_max)

    async def delete(self, ref: ObjectRef, key: str) -> None:
        """Remove a key; an absent key is success."""
        one = await self._called(ref)
        one.values.pop(limits.checked_key(key), None)

    async def delete_all(self, ref: ObjectRef) -> None:
        """Remove every key and the alarm."""
        one = await self._called(ref)
        one.values.clear()
        one.alarm_at = None

    async def transaction(
        self, ref: ObjectRef, changes: Sequence[Item], *, if_values: Sequence[Item] | None = None
    ) -> None:
        """Store and remove several keys at once, if others are as expected; all or nothing.

        Raises:
            PreconditionFailed: something is not as expected; NOT_APPLIED.
            InvalidArgument: a limit is broken, or a key is given twice; NOT_APPLIED.
        """
        one = await self._called(ref)
        checked = limits.checked_items(changes, "changes", self._value_size_bytes_max)
        expected = limits.checked_items(() if if_values is None else if_values, "if_values")
        with self._namespace.lock:
            differing = one.differing(expected)
            if not differing:
                one.apply(checked)
        if differing:
            raise refusals.not_as_expected(differing, len(expected))

    async def set_alarm(self, ref: ObjectRef, at: float) -> None:
        """Let the object's one alarm ring at this time.

        Raises:
            InvalidArgument: `at` is no time after 1970; NOT_APPLIED.
        """
        one = await self._called(ref)
        one.alarm_at = limits.checked_time(at)

    async def delete_alarm(self, ref: ObjectRef, *, at: float | None = None) -> None:
        """Forget the alarm, or only the one of this time."""
        one = await self._called(ref)
        if at is None or limits.checked_time(at) == one.alarm_at:
            one.alarm_at = None

    async def new_id(self) -> ObjectRef:
        """A new object, by its id."""
        await self._begin()
        return ObjectRef(id=made_id(self._rng.token(ID_BYTES)))

    async def _called(self, ref: ObjectRef) -> StoredObject:
        await self._begin()
        if limits.checked_ref(ref).id and not is_id(ref.id):
            raise InvalidArgument(
                "the id is none of this namespace's", hint="keep what new_id gave"
            )
        return self._namespace.object(ref)


class MockDedupe(_Mock):
    """Dedupe on the ledger object."""

    async def reserve(
        self, key: str, *, owner: str, lease_seconds: float, payload: bytes = b""
    ) -> Answer:
        """Take the key if nobody has it, or say what became of it.

        Raises:
            KeyCollision: the key was given out for another payload (IDEM099); NOT_APPLIED.
            InvalidArgument: an argument is empty or out of range; NOT_APPLIED.
        """
        reservations = [Reservation(key, payload)]
        (answer,) = await self.reserve_many(reservations, owner=owner, lease_seconds=lease_seconds)
        return answer

    async def reserve_many(
        self, reservations: Sequence[Reservation], *, owner: str, lease_seconds: float
    ) -> Sequence[Answer]:
        """`reserve` for several keys in one turn of the object; all or none.

        Raises:
            KeyCollision: keys were given out for other payloads; NOT_APPLIED, for any of them.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        await self._begin()
        asked = ARGUMENTS.reservations(reservations)
        name = ARGUMENTS.owner(owner)
        seconds = checked_seconds(lease_seconds, "lease_seconds")
        with self._namespace.lock:
            answers, colliding = self._ledger.reserve(asked, name, seconds, self._clock.now())
        if colliding:
            raise refusals.colliding(colliding, len(asked))
        return answers

    async def commit(
        self, key: str, *, owner: str, result: bytes = b"", ttl_seconds: float
    ) -> None:
        """Record that the work is done; until its time is up the key is answered Done.

        Raises:
            LeaseExpired: the key is not this owner's any more; `leases` names it. NOT_APPLIED.
            InvalidArgument: an argument is empty or out of range; NOT_APPLIED.
        """
        await self.commit_many([Commit(key, result)], owner=owner, ttl_seconds=ttl_seconds)

    async def commit_many(
        self, commits: Sequence[Commit], *, owner: str, ttl_seconds: float
    ) -> None:
        """`commit` for several keys in one turn of the object; all or none.

        Raises:
            LeaseExpired: some keys are not this owner's; `leases` names them. NOT_APPLIED.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        await self._begin()
        results, name = ARGUMENTS.commits(commits), ARGUMENTS.owner(owner)
        seconds = checked_seconds(ttl_seconds, "ttl_seconds")
        with self._namespace.lock:
            lost = self._ledger.commit(results, name, seconds, self._clock.now())
        if lost:
            raise refusals.lost(lost, len(results))

    async def release(self, key: str, *, owner: str) -> None:
        """Give the key back: the work was not done, and anybody may take it at once."""
        await self.release_many([key], owner=owner)

    async def release_many(self, keys: Sequence[str], *, owner: str) -> None:
        """`release` for several keys in one turn of the object."""
        await self._begin()
        given_back, name = ARGUMENTS.keys(keys), ARGUMENTS.owner(owner)
        with self._namespace.lock:
            self._ledger.release(given_back, name)

    @property
    def _ledger(self) -> Ledger:
        return self._namespace.ledger(self._config.ledger)


class MockSequencer(_Mock):
    """Sequencer on the ledger object."""

    async def append(self, key: str, payload: bytes) -> Appended:
        """Give the key the next number, or tell the one that it has.

        Raises:
            KeyCollision: the key came with another payload before (IDEM099); NOT_APPLIED.
            InvalidArgument: the key is empty or an argument is out of range; NOT_APPLIED.
        """
        await self._begin()
        ARGUMENTS.key(key)
        digest = hashlib.sha256(checked_bytes(payload, "a payload")).digest()
        with self._namespace.lock:
            ledger = self._namespace.ledger(self._config.ledger)
            appended = ledger.append(key, digest, self._clock.now())
        if appended is None:
            raise refusals.colliding([key], 1)
        return appended
