"""What both backends refuse in the same words: conditions, collisions, leases, large answers."""

from collections.abc import Sequence

from core_caps.errors import InvalidArgument, KeyCollision, LeaseExpired, PreconditionFailed

from cap_cloudflare_do.limits import TRANSACTION_SIZE_BYTES_MAX

__all__ = ["colliding", "lost", "not_as_expected", "refuse_large_answer"]


def not_as_expected(keys: Sequence[str], asked: int) -> PreconditionFailed:
    """The error for a transaction whose conditions do not hold."""
    return PreconditionFailed(
        f"{len(keys)} of {asked} keys are not as expected, {keys[0][:80]!r} among them",
        hint="read them, then decide",
    )


def colliding(keys: Sequence[str], asked: int) -> KeyCollision:
    """The error for keys that stand for other payloads."""
    return KeyCollision(
        f"{len(keys)} of {asked} keys were seen with another payload",
        keys=keys,
        hint="make the key of all that the work depends on",
    )


def lost(keys: Sequence[str], asked: int) -> LeaseExpired:
    """The error for keys that are not their owner's any more."""
    return LeaseExpired(
        f"{len(keys)} of {asked} keys are not this owner's any more",
        leases=keys,
        hint="somebody else may have done the work: reserve the keys to learn what became of them",
    )


def refuse_large_answer(size_bytes: int) -> None:
    """Nothing, if values of this size can be answered together.

    Raises:
        InvalidArgument: they are too large; NOT_APPLIED.
    """
    if size_bytes > TRANSACTION_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the values have {size_bytes} bytes; the limit is {TRANSACTION_SIZE_BYTES_MAX}",
            hint="ask for fewer keys at a time",
        )
