"""Sequencer: what comes is numbered in the order in which it came first, and repeats are known.

    appended = await sequencer.append(key, payload)
    if appended.inserted:
        ...          # nobody sent this before; it is number `appended.sequence`

A sender that is not sure whether it was heard sends again, under the same key, and is answered with
the number that it was given before.
"""

from dataclasses import dataclass
from typing import Protocol

from core_caps.claims.operation import capability, operation

__all__ = ["Appended", "Sequencer"]


@dataclass(frozen=True, slots=True)
class Appended:
    """Where something stands in the order.

    Attributes:
        inserted: this call brought it; False is a repeat.
        sequence: its number, from 1 without a gap.
        first_seen: when it came first, in seconds since 1970 by the service's clock.
    """

    inserted: bool
    sequence: int
    first_seen: float


@capability("sequencer", version=1)
class Sequencer(Protocol):
    """One order over everything that is appended. Twice is once."""

    @operation("resource::dedupe::write")
    async def append(self, key: str, payload: bytes) -> Appended:
        """Give the key the next number, or tell the one that it has.

        Only a digest of the payload is kept, to be compared with.

        Args:
            key: the idempotency key, non-empty text.
            payload: what is numbered under it.

        Raises:
            KeyCollision: the key came with another payload before (IDEM099); `keys` names it, and
                nothing changed.
            InvalidArgument: the key is empty or an argument is out of range; nothing changed.
        """
        ...
