"""One request and its whole answer: bounded, complete, never redirected, never repeated."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

import httpx

from core_caps.clock import Clock
from core_caps.errors import ProviderError
from core_caps.http import transports
from core_caps.http.bodies import SLICE_BYTES, error_body, slices, whole_body
from core_caps.http.failures import Failures, Malformed, Refusal, retry_after_seconds, shown
from core_caps.http.settings import Transport
from core_caps.http.transports import Broken
from core_caps.secret import Secret

__all__ = ["Call", "Exchange", "Service"]

_Result = TypeVar("_Result")

URLS_MAX = 1024
"""How many parsed URLs are kept."""


@dataclass(frozen=True, slots=True)
class Service:
    """Whom a client speaks to, and how.

    Attributes:
        distribution: the plugin's, which the service is told as User-Agent.
        url: what every path is put behind.
        failures: what its refusals and the network's mean.
        headers: of every request, the credential among them.
        secrets: what no error may show.
        timeout_seconds: the longest that one call takes, all its requests and bodies included.
        connect_timeout_seconds: the longest wait for a connection within that.
        transport: how HTTP is spoken.
    """

    distribution: str
    url: str
    failures: Failures
    headers: Mapping[str, str]
    secrets: tuple[Secret, ...]
    timeout_seconds: float
    connect_timeout_seconds: float
    transport: Transport = "auto"


@dataclass(frozen=True, slots=True)
class Call(Generic[_Result]):
    """What is asked of the service.

    Attributes:
        operation: the operation's name, for errors.
        method: the HTTP method.
        path: the path below the service's URL and the query, percent-encoded.
        writes: whether the service's state may change.
        read: `(body, content type) → result` of a success; raises Malformed.
        size_bytes_max: of a success's body.
        accept: the documented content type of a success.
        content_type: of the body, where there is one.
        body: the request's content.
        headers: what this request alone has.
    """

    operation: str
    method: str
    path: str
    writes: bool
    read: Callable[[bytes, str], _Result]
    size_bytes_max: int
    accept: str = "application/json"
    content_type: str = "application/json"
    body: bytes | None = None
    headers: Mapping[str, str] | None = None


class Exchange:
    """The connection pool of one client."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self._service = service
        self._failures = service.failures
        self._base = service.url
        self._address = httpx.URL(service.url).netloc.decode("ascii")
        self._secrets = tuple(secret.reveal() for secret in service.secrets)
        self._headers = httpx.Headers(
            {
                **service.headers,
                "Accept-Encoding": "identity",
                "User-Agent": service.distribution,
            }
        )
        # Parsing a URL is a tenth of a small read's work; hot keys do without.
        self._url = functools.lru_cache(maxsize=URLS_MAX)(httpx.URL)
        self._clock = clock
        self._extensions = transports.waits(
            service.timeout_seconds, service.connect_timeout_seconds
        )
        self._transport = transports.open_transport(
            service.transport,
            tls=service.url.startswith("https:"),
            distribution=service.distribution,
        )

    async def close(self) -> None:
        """Close every connection."""
        await transports.let_go(self._transport)

    async def in_time(
        self, operation: str, work: Coroutine[Any, Any, _Result], *, writes: bool
    ) -> _Result:
        """The result of the work, all its requests included, within the one deadline of a call.

        Raises:
            TimedOut: it is not there by then.
        """
        seconds = self._service.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            pass
        raise self._failures.late(operation, seconds, writes=writes)

    @overload
    async def send(self, call: Call[_Result]) -> _Result: ...

    @overload
    async def send(
        self, call: Call[_Result], accepts: Callable[[int, Refusal], bool]
    ) -> _Result | None: ...

    async def send(
        self, call: Call[_Result], accepts: Callable[[int, Refusal], bool] | None = None
    ) -> _Result | None:
        """The result of a documented success; None for a refusal that `accepts` calls an answer.

        Raises:
            ProviderError: everything else, by the service's table.
        """
        try:
            response = await self._transport.handle_async_request(self._request(call))
        except Exception as problem:
            found = transports.classified(problem)
            said = shown(str(found), self._secrets)
            error = transports.unanswered(
                self._failures, call.operation, found, said, writes=call.writes, to=self._address
            )
        else:
            try:
                return await self._read(call, response, accepts)
            finally:
                await transports.let_go(response)
        # Raised out here so that it carries no vendor exception: those hold the request's headers.
        raise error

    def _request(self, call: Call[Any]) -> httpx.Request:
        headers = self._headers.copy()
        headers["Accept"] = call.accept
        if call.headers:
            headers.update(call.headers)
        content: bytes | AsyncIterator[bytes] | None = call.body
        if call.body is not None:
            headers["Content-Type"] = call.content_type
            if len(call.body) > SLICE_BYTES:
                headers["Content-Length"] = str(len(call.body))
                content = slices(call.body)
        return httpx.Request(
            call.method,
            self._url(self._base + call.path),
            headers=headers,
            content=content,
            extensions=self._extensions,
        )

    async def _read(
        self,
        call: Call[_Result],
        response: httpx.Response,
        accepts: Callable[[int, Refusal], bool] | None,
    ) -> _Result | None:
        content_type = response.headers.get("content-type", "")
        if response.status_code != 200:
            refusal = self._failures.refusal(await error_body(response), content_type)
            if accepts is not None and accepts(response.status_code, refusal):
                return None
            raise self._refused(call, response, refusal)
        try:
            return call.read(await whole_body(response, call.size_bytes_max), content_type)
        except (Broken, Malformed) as problem:
            said = str(problem)
        except Exception as problem:
            said = f"it broke off: {transports.classified(problem)}"
        said = shown(said, self._secrets)
        raise self._failures.broken(call.operation, said, writes=call.writes)

    def _refused(
        self, call: Call[Any], response: httpx.Response, refusal: Refusal
    ) -> ProviderError:
        return self._failures.refused(
            call.operation,
            response.status_code,
            refusal,
            shown(refusal.detail, self._secrets),
            writes=call.writes,
            retry_after_seconds=retry_after_seconds(
                response.headers.get("retry-after"), self._clock.now()
            ),
        )
