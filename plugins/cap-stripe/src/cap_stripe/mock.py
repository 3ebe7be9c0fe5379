"""Stripe in this process: the official SDK speaks to an account with the vendor's rules.

No socket is opened. The same account behind a real one is `cap_stripe.server`.
"""

from typing import Self

from core_caps.clock import Clock
from core_caps.errors import ProviderError
from core_caps.rng import Rng
from core_caps.secret import Secret

from cap_stripe import sdk
from cap_stripe.api import Api
from cap_stripe.config import MOCK_WEBHOOK_SECRET, MockConfig
from cap_stripe.errors import FAILURES
from cap_stripe.payments import StripePayments
from cap_stripe.simulation.faults import Lost
from cap_stripe.simulation.service import Service
from cap_stripe.webhooks import Signer

__all__ = ["MockPayments"]

_STORES: dict[str, Service] = {}
"""The named accounts of this process: they outlive their clients, as the service does."""

_KEY = Secret("sk_test_mock")
_URL = "https://api.stripe.com"


class MockPayments(StripePayments):
    """One account of the simulated service.

    Attributes:
        service: the account, to pay on a checkout session's page (`service.complete`), to let
            something go wrong (`service.faults.arm`) or to listen to (`service.account`).
    """

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        secret = config.webhook_secret or MOCK_WEBHOOK_SECRET
        super().__init__(Signer(secret, config.webhook_tolerance_seconds, clock))
        self._clock = clock
        made = Service(clock, rng)
        self.service = _STORES.setdefault(config.store, made) if config.store else made

    async def __aenter__(self) -> Self:
        self._api = Api(sdk.client(_KEY, _URL, self._send), self._clock)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._api = None

    async def _send(self, request: sdk.Request) -> sdk.Answer:
        try:
            return await self.service.handle(request)
        except Lost:
            raise sdk.NoAnswer(_lost) from None


def _lost(operation: str, writes: bool) -> ProviderError:
    return FAILURES.lost(operation, "the mock was told to lose it", writes=writes)
