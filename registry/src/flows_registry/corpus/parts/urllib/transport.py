"""urllib in a thread, its socket shut where the call is cancelled."""

import asyncio
import contextlib
import functools
import http.client
import socket
import ssl
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .wire import BODY_BYTES_MAX, Answer, Broken, Lost, NotConnected, Request

__all__ = ["Transport"]

CONNECTIONS_MAX = 32
READ_SECONDS_MAX = 35.0


class _Connection(http.client.HTTPSConnection):
    """A connection that shows its socket to whoever may have to shut it."""

    def __init__(self, host: str, *, line: list[socket.socket], **named: Any) -> None:
        super().__init__(host, **named)
        self._line = line

    def connect(self) -> None:
        super().connect()
        self._line.append(self.sock)


class _Handler(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext, line: list[socket.socket]) -> None:
        super().__init__(context=context)
        self._tls = context
        self._line = line

    def https_open(self, req: urllib.request.Request) -> Any:
        made = functools.partial(_Connection, line=self._line)
        return self.do_open(made, req, context=self._tls)  # type: ignore[arg-type]


class Transport:
    """Sends a request and reads its whole answer; nothing is followed or repeated."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._context = ssl.create_default_context()
        self._threads = ThreadPoolExecutor(CONNECTIONS_MAX)

    async def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False)

    async def exchange(self, request: Request) -> Answer:
        """The answer to one request."""
        line: list[socket.socket] = []
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._send, request, line)
        finally:
            for held in line:
                with contextlib.suppress(OSError):
                    held.shutdown(socket.SHUT_RDWR)

    def _send(self, request: Request, line: list[socket.socket]) -> Answer:
        opener = urllib.request.OpenerDirector()
        opener.add_handler(_Handler(self._context, line))
        asked = urllib.request.Request(
            self._base_url + request.target,
            data=request.body,
            headers={**request.headers, "Accept-Encoding": "identity"},
            method=request.method,
        )
        try:
            response = opener.open(asked, timeout=READ_SECONDS_MAX)
        except (http.client.RemoteDisconnected, ConnectionError, TimeoutError) as problem:
            raise Lost(type(problem).__name__) from None
        except http.client.HTTPException as problem:
            raise Broken(type(problem).__name__) from None
        except OSError as problem:
            raise (Lost if line else NotConnected)(type(problem).__name__) from None
        with response:
            headers = {name.lower(): text for name, text in response.headers.items()}
            body, damage = _whole(response)
            return Answer(response.status, headers, body, damage)


def _whole(response: Any) -> tuple[bytes, str]:
    """The body, and why it cannot be used."""
    lengths = set(response.headers.get_all("content-length", []))
    if len(lengths) > 1 or (lengths and response.chunked):
        return b"", "its lengths contradict each other"
    if not lengths and not response.chunked:
        return b"", "it does not tell its length"
    try:
        body = response.read(BODY_BYTES_MAX)
        if lengths and len(body) != int(min(lengths)):
            return b"", "it ended early"
        return body, "it is too long" if response.read(1) else ""
    except (http.client.HTTPException, OSError, ValueError) as problem:
        return b"", f"it broke off: {type(problem).__name__}"
