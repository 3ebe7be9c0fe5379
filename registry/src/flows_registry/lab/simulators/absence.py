"""Why a simulator is not there, as a value: a check that lacks one says so and proves nothing."""

from dataclasses import dataclass

__all__ = ["Absent", "SimulatorFailed"]


@dataclass(frozen=True, slots=True)
class Absent:
    """A part of the lab is missing on this machine.

    Attributes:
        reason: what is missing, with the values.
        next_step: the one thing to do about it.
    """

    reason: str
    next_step: str


class SimulatorFailed(Exception):
    """A simulator that was there did not start, died or stopped answering."""
