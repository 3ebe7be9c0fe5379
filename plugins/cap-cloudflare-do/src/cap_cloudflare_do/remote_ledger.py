"""Dedupe and Sequencer on the ledger object of the bridge Worker: one request, one turn of it."""

import hashlib
from collections.abc import Sequence
from functools import partial

from core_caps.capabilities.arguments import checked_bytes, checked_seconds
from core_caps.capabilities.dedupe import Answer, Commit, Reservation
from core_caps.capabilities.durable_object import ObjectRef
from core_caps.capabilities.sequencer import Appended

from cap_cloudflare_do import answers, limits, refusals
from cap_cloudflare_do.answers import coded
from cap_cloudflare_do.bridge import BridgeClient, write
from cap_cloudflare_do.ledger_arguments import ARGUMENTS

__all__ = ["RemoteDedupe", "RemoteSequencer"]

_KEYS_BYTES_MAX = 6 * limits.BATCH_KEYS_MAX * limits.KEY_SIZE_BYTES_MAX
"""Of the keys of a batch: JSON escapes a byte in at most six."""

ANSWERS_BYTES_MAX = _KEYS_BYTES_MAX + 2 * limits.TRANSACTION_SIZE_BYTES_MAX
"""Of the answers to a batch, its results among them."""


class _LedgerClient(BridgeClient):
    """A client of the one ledger object that the settings name."""

    def _ledger(self) -> dict[str, object]:
        return {"object": self._named(ObjectRef(name=self._config.ledger))}


class RemoteDedupe(_LedgerClient):
    """Dedupe; leases and retention are by the object's clock.

    Every operation may raise Unauthenticated, PermissionDenied, ContainerNotFound, RateLimited,
    Unavailable, TimedOut and ProtocolViolation, besides what it lists itself.
    """

    async def reserve(
        self, key: str, *, owner: str, lease_seconds: float, payload: bytes = b""
    ) -> Answer:
        """Take the key if nobody has it, or say what became of it.

        Raises:
            KeyCollision: the key was given out for another payload (IDEM099); NOT_APPLIED.
            InvalidArgument: an argument is empty or out of range; NOT_APPLIED.
        """
        reservations = [Reservation(key, payload)]
        (answer,) = await self._reserve("reserve", reservations, owner, lease_seconds)
        return answer

    async def reserve_many(
        self, reservations: Sequence[Reservation], *, owner: str, lease_seconds: float
    ) -> Sequence[Answer]:
        """`reserve` for several keys in one turn of the object; all or none.

        Raises:
            KeyCollision: keys were given out for other payloads; NOT_APPLIED, for any of them.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        return await self._reserve("reserve_many", reservations, owner, lease_seconds)

    async def commit(
        self, key: str, *, owner: str, result: bytes = b"", ttl_seconds: float
    ) -> None:
        """Record that the work is done; until its time is up the key is answered Done.

        Raises:
            LeaseExpired: the key is not this owner's any more; `leases` names it. NOT_APPLIED.
            InvalidArgument: an argument is empty or out of range; NOT_APPLIED.
        """
        await self._commit("commit", [Commit(key, result)], owner, ttl_seconds)

    async def commit_many(
        self, commits: Sequence[Commit], *, owner: str, ttl_seconds: float
    ) -> None:
        """`commit` for several keys in one turn of the object; all or none.

        Raises:
            LeaseExpired: some keys are not this owner's; `leases` names them. NOT_APPLIED.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        await self._commit("commit_many", commits, owner, ttl_seconds)

    async def release(self, key: str, *, owner: str) -> None:
        """Give the key back: the work was not done, and anybody may take it at once."""
        await self._release("release", [key], owner)

    async def release_many(self, keys: Sequence[str], *, owner: str) -> None:
        """`release` for several keys in one turn of the object."""
        await self._release("release_many", keys, owner)

    async def _reserve(
        self, operation: str, reservations: Sequence[Reservation], owner: str, lease: float
    ) -> Sequence[Answer]:
        exchange = self._opened()
        asked = ARGUMENTS.reservations(reservations)
        content = {
            **self._ledger(),
            "reservations": [(key, coded(payload)) for key, payload in asked.items()],
            "owner": ARGUMENTS.owner(owner),
            "lease_seconds": checked_seconds(lease, "lease_seconds"),
        }
        if not asked:
            return ()
        result = partial(answers.reserved, keys=list(asked))
        call = write(operation, "/v1/reserve_many", content, result, ANSWERS_BYTES_MAX)
        found, colliding = await exchange.in_time(operation, exchange.send(call), writes=True)
        if colliding:
            raise refusals.colliding(colliding, len(asked))
        return found

    async def _commit(
        self, operation: str, commits: Sequence[Commit], owner: str, ttl: float
    ) -> None:
        exchange = self._opened()
        results = ARGUMENTS.commits(commits)
        content = {
            **self._ledger(),
            "commits": [(key, coded(result)) for key, result in results.items()],
            "owner": ARGUMENTS.owner(owner),
            "ttl_seconds": checked_seconds(ttl, "ttl_seconds"),
        }
        if not results:
            return
        result = partial(answers.lost, keys=list(results))
        call = write(operation, "/v1/commit_many", content, result, _KEYS_BYTES_MAX)
        lost = await exchange.in_time(operation, exchange.send(call), writes=True)
        if lost:
            raise refusals.lost(lost, len(results))

    async def _release(self, operation: str, keys: Sequence[str], owner: str) -> None:
        exchange = self._opened()
        given_back = ARGUMENTS.keys(keys)
        content = {**self._ledger(), "keys": given_back, "owner": ARGUMENTS.owner(owner)}
        if given_back:
            call = write(operation, "/v1/release_many", content, answers.nothing)
            await exchange.in_time(operation, exchange.send(call), writes=True)


class RemoteSequencer(_LedgerClient):
    """Sequencer; the order is that of the object's turns."""

    async def append(self, key: str, payload: bytes) -> Appended:
        """Give the key the next number, or tell the one that it has.

        Raises:
            KeyCollision: the key came with another payload before (IDEM099); NOT_APPLIED.
            InvalidArgument: the key is empty or an argument is out of range; NOT_APPLIED.
        """
        exchange = self._opened()
        digest = hashlib.sha256(checked_bytes(payload, "a payload")).hexdigest()
        content = {**self._ledger(), "key": ARGUMENTS.key(key), "digest": digest}
        result = partial(answers.appended, key=key)
        call = write("append", "/v1/append", content, result)
        appended = await exchange.in_time("append", exchange.send(call), writes=True)
        if appended is None:
            raise refusals.colliding([key], 1)
        return appended
