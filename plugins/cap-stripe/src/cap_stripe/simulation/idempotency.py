"""What the service remembers under an idempotency key, for a day.

https://docs.stripe.com/api/idempotent_requests https://docs.stripe.com/error-low-level#idempotency
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cap_stripe.limits import IDEMPOTENCY_KEY_CHARACTERS_MAX
from cap_stripe.simulation.refusals import Refusal

__all__ = ["KEPT_SECONDS", "Kept", "Keys"]

KEPT_SECONDS = 86_400.0
"""https://docs.stripe.com/api/idempotent_requests"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and the request that it was given to.

    Attributes:
        request: method, path and parameters.
        at: when it was given.
    """

    request: tuple[str, str, str]
    status: int
    body: bytes
    at: float


@dataclass(slots=True)
class Keys:
    """The keys of an account."""

    now: Callable[[], float]
    _kept: dict[str, Kept] = field(default_factory=dict[str, Kept])
    _busy: dict[str, tuple[str, str, str]] = field(default_factory=dict[str, tuple[str, str, str]])

    def begin(self, key: str, request: tuple[str, str, str]) -> Kept | None:
        """What was answered under this key before; where it was not, the key is taken until
        `finish` or `release`.

        Raises:
            Refusal: it was, or is just now, another request's, or is at work for this one.
        """
        if len(key) > IDEMPOTENCY_KEY_CHARACTERS_MAX:
            raise Refusal(
                400,
                f"Idempotency keys are up to {IDEMPOTENCY_KEY_CHARACTERS_MAX} characters long.",
            )
        if key in self._busy:
            raise Refusal(
                409,
                f"There is currently another in-progress request using this Idempotent Key: {key}",
                type="idempotency_error",
                code="idempotency_key_in_use",
            )
        kept = self._kept.get(key)
        if kept is not None and self.now() - kept.at >= KEPT_SECONDS:
            del self._kept[key]
            kept = None
        if kept is not None and kept.request != request:
            raise Refusal(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                type="idempotency_error",
            )
        if kept is None:
            self._busy[key] = request
        return kept

    def finish(self, key: str, status: int, body: bytes) -> None:
        """Remember the answer."""
        self._kept[key] = Kept(self._busy.pop(key), status, body, self.now())

    def release(self, key: str) -> None:
        """Remember nothing: the work was not begun."""
        self._busy.pop(key, None)
