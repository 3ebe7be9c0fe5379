"""Dedupe for synchronous callers: the shape of what `core_caps.sync.connect` yields.

What each operation promises stands in `core_caps.capabilities.dedupe`; a test keeps the two equal.
"""

from collections.abc import Sequence
from typing import Protocol

from core_caps.capabilities.dedupe import Answer, Commit, Reservation

__all__ = ["SyncDedupe"]


class SyncDedupe(Protocol):
    """A store of reservations and results. Every operation converges: twice is once."""

    def reserve(
        self, key: str, *, owner: str, lease_seconds: float, payload: bytes = b""
    ) -> Answer:
        """Take the key if nobody has it, or say what became of it."""
        ...

    def reserve_many(
        self, reservations: Sequence[Reservation], *, owner: str, lease_seconds: float
    ) -> Sequence[Answer]:
        """`reserve` for several keys in one request, answered in their order; all or none."""
        ...

    def commit(self, key: str, *, owner: str, result: bytes = b"", ttl_seconds: float) -> None:
        """Record that the work is done; until its time is up the key is answered Done."""
        ...

    def commit_many(self, commits: Sequence[Commit], *, owner: str, ttl_seconds: float) -> None:
        """`commit` for several keys in one request; all or none."""
        ...

    def release(self, key: str, *, owner: str) -> None:
        """Give the key back: the work was not done, and anybody may take it at once."""
        ...

    def release_many(self, keys: Sequence[str], *, owner: str) -> None:
        """`release` for several keys in one request."""
        ...
