"""Dedupe: who may do a piece of work, and what came of it, so that it is done once.

Before the work a consumer reserves its key; after it, it commits the result:

    match await dedupe.reserve(key, owner=me, lease_seconds=60):
        case Fresh():            result = await work()
                                 await dedupe.commit(key, owner=me, result=result, ttl_seconds=DAY)
        case Done(result):       ...          # somebody did it: answer the same, acknowledge
        case InProgress(until):  ...          # somebody is at it: come back, never acknowledge

A reservation is not a record of work done. When its owner dies the lease runs out, the key is
fresh again, and the message that comes back is worked on: nothing is lost to a crash between the
two steps.

A store remembers a key, with its owner and payload, from the first reservation until it is
released, or committed and the result's time is up. A lease that ran out forgets nothing; what
nobody came back for may be forgotten a day later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core_caps.claims.operation import capability, operation

__all__ = [
    "RETENTION_SECONDS_MIN",
    "Answer",
    "Commit",
    "Dedupe",
    "Done",
    "Fresh",
    "InProgress",
    "Reservation",
    "retention_problem",
]

RETENTION_SECONDS_MIN = 300.0
"""No result is remembered for less where work must be done once."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """The work is the caller's until its lease runs out."""


@dataclass(frozen=True, slots=True)
class InProgress:
    """Another owner is at it.

    Attributes:
        until: when that owner's lease runs out, in seconds since 1970.
    """

    until: float


@dataclass(frozen=True, slots=True)
class Done:
    """The work was done.

    Attributes:
        result: what was committed.
    """

    result: bytes = b""


Answer = Fresh | InProgress | Done


@dataclass(frozen=True, slots=True)
class Reservation:
    """A key to reserve.

    Attributes:
        key: the idempotency key.
        payload: a digest of what is to be worked on, compared with the first one that the key
            was given out for; b"" compares nothing.
    """

    key: str
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Commit:
    """A result to keep under a key."""

    key: str
    result: bytes = b""


def retention_problem(
    *, ttl_seconds: float, visibility_seconds: float, attempts_max: int
) -> str | None:
    """Why results are forgotten too early for the queue that the keys come from, or None.

    A message may come again as long as it is hidden after each of its deliveries; whoever forgets
    its result before that does its work twice.

    Args:
        ttl_seconds: how long results are remembered.
        visibility_seconds: how long a delivered message stays hidden.
        attempts_max: deliveries of a message in all, the first included.
    """
    needed = max(RETENTION_SECONDS_MIN, visibility_seconds * attempts_max)
    if ttl_seconds >= needed:
        return None
    if needed > RETENTION_SECONDS_MIN:
        why = f"{attempts_max} deliveries, each hidden for {visibility_seconds:g} s"
    else:
        why = "no result is remembered for less"
    return f"results are remembered for {ttl_seconds:g} s, and {needed:g} s are needed: {why}"


@capability("dedupe", version=1)
class Dedupe(Protocol):
    """A store of reservations and results. Every operation converges: twice is once."""

    @operation("resource::dedupe::write")
    async def reserve(
        self, key: str, *, owner: str, lease_seconds: float, payload: bytes = b""
    ) -> Answer:
        """Take the key if nobody has it, or say what became of it.

        The same owner is answered Fresh again and its lease begins anew.

        Args:
            key: the idempotency key, non-empty text.
            owner: who asks: one attempt of one worker, unique among all that may be alive.
            lease_seconds: for how long others are kept away; longer than the work takes.
            payload: a digest of what is to be worked on, compared with the first one that the key
                was given out for; b"" compares nothing.

        Raises:
            KeyCollision: the key was given out for another payload (IDEM099), whoever has it and
                whatever became of it; `keys` names it, and nothing changed.
            InvalidArgument: an argument is empty or out of range; nothing changed.
        """
        ...

    @operation("resource::dedupe::write")
    async def reserve_many(
        self, reservations: Sequence[Reservation], *, owner: str, lease_seconds: float
    ) -> Sequence[Answer]:
        """`reserve` for several keys in one request, answered in their order; all or none.

        Raises:
            KeyCollision: keys were given out for other payloads; nothing changed, for any of them.
            InvalidArgument: an argument is out of range, or a key is given twice.
        """
        ...

    @operation("resource::dedupe::write")
    async def commit(
        self, key: str, *, owner: str, result: bytes = b"", ttl_seconds: float
    ) -> None:
        """Record that the work is done; until its time is up the key is answered Done.

        A lease that ran out does no harm as long as nobody else took the key. The owner that
        committed a result commits the same one again with success, and no other one.

        Args:
            key: a key that this owner reserved.
            owner: as given to `reserve`.
            result: what to answer with.
            ttl_seconds: how long to remember; at least as long as the message may come back, see
                `retention_problem`.

        Raises:
            LeaseExpired: the key is not this owner's any more; `leases` names it. Somebody else
                may have done the work, and this result is not kept.
        """
        ...

    @operation("resource::dedupe::write")
    async def commit_many(
        self, commits: Sequence[Commit], *, owner: str, ttl_seconds: float
    ) -> None:
        """`commit` for several keys in one request; all or none.

        Raises:
            LeaseExpired: some keys are not this owner's; `leases` names them, and nothing is kept.
            InvalidArgument: an argument is out of range, or a key is given twice.
        """
        ...

    @operation("resource::dedupe::write")
    async def release(self, key: str, *, owner: str) -> None:
        """Give the key back: the work was not done, and anybody may take it at once.

        Success also where the key is not this owner's any more, or its work is done, and then
        nothing changes.
        """
        ...

    @operation("resource::dedupe::write")
    async def release_many(self, keys: Sequence[str], *, owner: str) -> None:
        """`release` for several keys in one request."""
        ...
