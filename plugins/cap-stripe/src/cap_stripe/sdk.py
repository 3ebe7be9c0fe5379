"""The official SDK, which builds the requests and understands the answers, and nothing else.

How a request travels is given to it. It never repeats one, writes no telemetry file, tells nobody
about this machine and reads no proxy variable.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import stripe
import stripe.checkout
from core_caps.errors import ProviderError
from core_caps.secret import Secret

__all__ = ["Answer", "NoAnswer", "Request", "Send", "client", "content"]

_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Stripe-Version")
"""What is sent of what the SDK would; the rest describes this machine."""


class Request(NamedTuple):
    """A request as it is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """An answer, whole. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """What a way of sending raises where there is no answer to give to the SDK.

    Attributes:
        means: `(operation, writes) → error` for whoever asked.
    """

    def __init__(self, means: Callable[[str, bool], ProviderError]) -> None:
        super().__init__()
        self.means = means


Send = Callable[[Request], Awaitable[Answer]]


_LOADED = (
    stripe.CheckoutService, stripe.checkout.SessionService, stripe.checkout.Session,
    stripe.CustomerService, stripe.Customer, stripe.EventService, stripe.Event,
    stripe.PaymentIntentService, stripe.PaymentIntent, stripe.PriceService, stripe.Price,
    stripe.RefundService, stripe.Refund, stripe.ListObject,
)  # fmt: skip
"""The SDK imports its parts when they are first used: now, rather than in the midst of a call."""


def client(api_key: Secret, base_url: str, send: Send) -> stripe.StripeClient:
    """The SDK's client, whose requests go where `send` takes them.

    The SDK's telemetry is one switch for the whole process; it is off from here on.
    """
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        api_key.reveal(),
        base_addresses={"api": base_url},
        http_client=_Carrier(send),
        max_network_retries=0,
    )


def content(answer: object) -> object:
    """The JSON that the SDK made an object of."""
    response = getattr(answer, "last_response", None)
    return None if response is None else response.data


class _Carrier(stripe.HTTPClient):
    """The SDK's way to the network: ours."""

    name = "cap-stripe"

    def __init__(self, send: Send) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._send = send

    async def request_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        kept = {name: headers[name] for name in _HEADERS if name in headers}
        body = post_data.encode() if isinstance(post_data, str) else b""
        status, told, content = await self._send(Request(method.upper(), url, kept, body))
        return content, status, told
