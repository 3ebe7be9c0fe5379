"""Webhooks on their way: each event until somebody takes it, now and then twice or out of order.

What happens is drawn from a source of randomness, so that a run repeats itself.
https://docs.stripe.com/webhooks#automatic-retries https://docs.stripe.com/webhooks#event-ordering
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from core_caps.capabilities.payments import SignedPayload
from core_caps.rng import Rng
from core_caps.secret import Secret

from cap_stripe.simulation.account import Account, Thing
from cap_stripe.webhooks import signature_of

__all__ = ["ATTEMPTS_MAX", "Delivery", "Outbox"]

ATTEMPTS_MAX = 16
"""About three days in all, with waits that double from 10 seconds up to half a day."""

_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 10.0, 43_200.0


@dataclass(slots=True)
class Delivery:
    """An event on its way.

    Attributes:
        due_at: when it is sent next.
        attempts: how often it was sent.
    """

    event: Thing
    due_at: float
    attempts: int = 0


@dataclass(slots=True)
class Outbox:
    """The deliveries of one endpoint.

    Attributes:
        secret: the endpoint's signing secret.
        duplicate_rate: how many of the events that were taken, of 1, are sent once more.
        reorder: send what is due in any order.
    """

    now: Callable[[], float]
    rng: Rng
    secret: Secret
    duplicate_rate: float = 0.05
    reorder: bool = True
    _waiting: list[Delivery] = field(default_factory=list[Delivery])

    def follow(self, account: Account) -> None:
        """Deliver what happens to this account from now on."""
        account.listeners.append(self._take)

    def due(self) -> list[Delivery]:
        """What is to be sent now."""
        now = self.now()
        found = [each for each in self._waiting if each.due_at <= now]
        if self.reorder:
            found.sort(key=lambda each: self.rng.random())
        return found

    def signed(self, delivery: Delivery) -> SignedPayload:
        """The request's body and signature, which is made anew for each attempt."""
        payload = json.dumps(delivery.event).encode()
        return SignedPayload(payload, signature_of(self.secret, payload, int(self.now())))

    def settle(self, delivery: Delivery, *, taken: bool) -> float | None:
        """Say whether the endpoint answered 2xx; what it did not take comes again, later and
        later, until it is given up.

        Returns:
            In how many seconds it comes again, or None.
        """
        delivery.attempts += 1
        again = not taken or self.rng.random() < self.duplicate_rate
        if not again or delivery.attempts >= ATTEMPTS_MAX:
            self._waiting.remove(delivery)
            return None
        doubled = _FIRST_WAIT_SECONDS * 2.0 ** (delivery.attempts - 1)
        wait_seconds = min(doubled, _LONGEST_WAIT_SECONDS)
        delivery.due_at = self.now() + wait_seconds
        return wait_seconds

    def _take(self, event: Thing) -> None:
        self._waiting.append(Delivery(event, self.now()))
