"""Stripe through its public API: the official SDK over connections of our own."""

import functools
import json
from typing import Self

import httpx
from core_caps.clock import Clock
from core_caps.errors import ProviderError
from core_caps.http import transports
from core_caps.http.bodies import error_body, whole_body
from core_caps.http.failures import shown
from core_caps.http.json_bodies import is_type
from core_caps.http.transports import Broken
from core_caps.rng import Rng

from cap_stripe import sdk
from cap_stripe.api import Api
from cap_stripe.config import RemoteConfig
from cap_stripe.errors import FAILURES
from cap_stripe.payments import StripePayments
from cap_stripe.webhooks import Signer

__all__ = ["RemotePayments"]

ANSWER_BYTES_MAX = 16 * 1024 * 1024
"""Of any answer: a page of 100 events, each with its object."""

URLS_MAX = 1024
"""How many parsed URLs are kept."""

_NO_ERROR = b'{"error": {}}'
"""What the SDK is given where an error says nothing: its status says enough, and the SDK would
lose the headers of an answer that is no JSON."""

_TOLD = ("retry-after", "request-id")
"""The headers of an answer that are looked at."""


class RemotePayments(StripePayments):
    """One Stripe account over the public API."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        del rng  # requests carry nothing random: every write has its key
        super().__init__(Signer(config.webhook_secret, config.webhook_tolerance_seconds, clock))
        self._config = config
        self._clock = clock
        self._line: _Line | None = None

    def __repr__(self) -> str:
        return f"RemotePayments({self._config.base_url})"

    async def __aenter__(self) -> Self:
        self._line = _Line(self._config)
        key = self._config.api_key
        self._api = Api(
            sdk.client(key, self._config.base_url, self._line.send),
            self._clock,
            timeout_seconds=self._config.timeout_seconds,
            hidden=[key.reveal()],
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        line, self._line, self._api = self._line, None, None
        if line is not None:
            await line.close()


class _Line:
    """The connection pool of one client: one request, its whole answer, nothing redirected."""

    def __init__(self, config: RemoteConfig) -> None:
        self._secret = config.api_key
        self._address = httpx.URL(config.base_url).netloc.decode("ascii")
        self._transport = transports.open_transport(
            config.transport,
            tls=config.base_url.startswith("https:"),
            distribution="cap-stripe",
        )
        # Parsing a URL is a tenth of a small call's work; collections are asked again and again.
        self._url = functools.lru_cache(maxsize=URLS_MAX)(httpx.URL)
        self._extensions = transports.waits(config.timeout_seconds, config.connect_timeout_seconds)

    async def close(self) -> None:
        """Close every connection."""
        await transports.let_go(self._transport)

    async def send(self, request: sdk.Request) -> sdk.Answer:
        """The whole answer.

        Raises:
            NoAnswer: there is none, or none that is documented.
        """
        headers = {
            **request.headers,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "cap-stripe",
        }
        asked = httpx.Request(
            request.method,
            self._url(request.url),
            headers=headers,
            content=request.body or None,
            extensions=self._extensions,
        )
        failure: sdk.NoAnswer
        try:
            response = await self._transport.handle_async_request(asked)
            try:
                return await _whole(response)
            finally:
                await transports.let_go(response)
        except Exception as problem:
            failure = self._without(problem)
        # Raised out here: exceptions of the transport hold the request's headers.
        raise failure

    def _without(self, problem: Exception) -> sdk.NoAnswer:
        """What it means that there is no answer."""
        found = transports.classified(problem)
        said = shown(str(found), [self._secret.reveal()])

        def means(operation: str, writes: bool) -> ProviderError:
            return transports.unanswered(
                FAILURES, operation, found, said, writes=writes, to=self._address
            )

        return sdk.NoAnswer(means)


async def _whole(response: httpx.Response) -> sdk.Answer:
    """The answer, complete; of an error, as much as can be used.

    Raises:
        Broken: it is a success and not whole, no JSON, or of a status that means nothing here.
    """
    status, headers = response.status_code, response.headers
    told = {name: headers[name] for name in _TOLD if name in headers}
    is_json = is_type(headers.get("content-type", ""), "application/json")
    if not 200 <= status < 300:
        return sdk.Answer(status, told, await _told_error(response) if is_json else _NO_ERROR)
    if status != 200:
        raise Broken(f"its status is {status}, which is documented nowhere")
    if not is_json:
        raise Broken("its content type is not application/json")
    try:
        return sdk.Answer(status, told, await whole_body(response, ANSWER_BYTES_MAX))
    except Broken:
        raise
    except Exception as problem:
        raise Broken(f"it broke off: {transports.classified(problem)}") from None


async def _told_error(response: httpx.Response) -> bytes:
    """The body where the SDK finds an error in it; else one that says nothing."""
    body = await error_body(response)
    try:
        match json.loads(body):
            case {"error": {**_error}}:
                return body
            case _:
                return _NO_ERROR
    except (ValueError, RecursionError):
        return _NO_ERROR
