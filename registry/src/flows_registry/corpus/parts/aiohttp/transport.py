"""aiohttp, one connection for each request."""

import ssl

import aiohttp

from .wire import BODY_BYTES_MAX, Answer, Broken, Lost, NotConnected, Request

__all__ = ["Transport"]


class Transport:
    """Sends a request and reads its whole answer; nothing is followed or repeated."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(), force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
            middlewares=(_once,),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def exchange(self, request: Request) -> Answer:
        """The answer to one request."""
        async with self._session.request(
            request.method,
            self._base_url + request.target,
            data=request.body,
            headers={**request.headers, "Accept-Encoding": "identity"},
            allow_redirects=False,
        ) as response:
            headers = {name.lower(): text for name, text in response.headers.items()}
            body, damage = await _whole(response)
            return Answer(response.status, headers, body, damage)


async def _whole(response: aiohttp.ClientResponse) -> tuple[bytes, str]:
    """The body, and why it cannot be used."""
    lengths = set(response.headers.getall("content-length", []))
    chunked = "transfer-encoding" in response.headers
    if len(lengths) > 1 or bool(lengths) == chunked:
        return b"", "it does not tell its length once"
    chunks: list[bytes] = []
    size_bytes = 0
    try:
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size_bytes += len(chunk)
            if size_bytes > BODY_BYTES_MAX:
                return b"", "it is too long"
    except (aiohttp.ClientError, OSError) as problem:
        return b"", f"it broke off: {type(problem).__name__}"
    body = b"".join(chunks)
    return body, "it ended early" if lengths and str(len(body)) not in lengths else ""


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send once: aiohttp repeats an idempotent request whose connection fails, but not an error
    of ours."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError as problem:
        raise NotConnected(type(problem).__name__) from None
    except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as problem:
        raise Broken(type(problem).__name__) from None
    except (aiohttp.ClientError, OSError) as problem:
        raise Lost(type(problem).__name__) from None
