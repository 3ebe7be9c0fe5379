"""Which timekeeper this process obeys, and what time it is by that."""

from .timekeeper import Timekeeper

__all__ = ["HELD", "monotonic", "now", "requests", "wall"]


class _Time:
    """What the stand-ins answer from.

    Attributes:
        keeper: the timekeeper that is followed, or None while time stands still.
        origin: the wall clock while none is followed.
        offset: a shift of the wall clock, for perturbation.
    """

    keeper: Timekeeper | None = None
    origin = 0.0
    offset = 0.0


HELD = _Time()


def now() -> float:
    """The time of the case, in seconds since 1970."""
    return HELD.origin if HELD.keeper is None else HELD.keeper.now()


def requests() -> int:
    """How many requests have reached the server since the case was armed."""
    return 0 if HELD.keeper is None else HELD.keeper.requests()


def wall() -> float:
    """The time as clocks on the wall show it."""
    return now() + HELD.offset


def monotonic() -> float:
    """The time as clocks show it that begin anywhere."""
    return now() - HELD.origin + 1000.0 + HELD.offset % 977.0
