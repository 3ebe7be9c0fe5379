"""What is to go wrong, on demand: the next requests meet it, one each."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from cap_stripe.simulation.refusals import Refusal

__all__ = ["FAULTS", "Fault", "FaultName", "Faults", "Lost"]

FaultName = Literal["lost before commit", "lost after commit", "rate limited", "failed"]
"""The connection breaks before anything was done, or after all was; 429; 500 after all was done."""


class Lost(Exception):
    """The answer does not arrive; the connection ends."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        name: what it is.
        after_commit: whether the request is worked on before.
        status: what is answered instead; 0 is nothing.
        message, code: of the answer.
    """

    name: FaultName
    after_commit: bool
    status: int = 0
    message: str = ""
    code: str | None = None

    def answer(self) -> tuple[int, bytes]:
        """What is answered.

        Raises:
            Lost: nothing is.
        """
        if not self.status:
            raise Lost(self.name)
        kind = "api_error" if self.status >= 500 else "invalid_request_error"
        return self.status, Refusal(self.status, self.message, type=kind, code=self.code).body


FAULTS: dict[FaultName, Fault] = {
    "lost before commit": Fault("lost before commit", after_commit=False),
    "lost after commit": Fault("lost after commit", after_commit=True),
    "rate limited": Fault(
        "rate limited",
        after_commit=False,
        status=429,
        message="Request rate limit exceeded.",
        code="rate_limit",
    ),
    "failed": Fault("failed", after_commit=True, status=500, message="An unknown error occurred."),
}


@dataclass(slots=True)
class Faults:
    """What the next requests meet, in order."""

    _waiting: deque[Fault | None] = field(default_factory=deque["Fault | None"])

    def arm(self, *names: FaultName | None) -> None:
        """Let the next requests meet these, one each; None lets one pass."""
        self._waiting += [None if name is None else FAULTS[name] for name in names]

    def next(self) -> Fault | None:
        """What this request meets."""
        return self._waiting.popleft() if self._waiting else None
