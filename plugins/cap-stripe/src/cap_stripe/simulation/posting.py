"""Posting webhooks to an endpoint: one request each, over a connection of its own."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from core_caps.capabilities.payments import SignedPayload
from core_caps.clock import Clock

from cap_stripe.simulation.deliveries import ATTEMPTS_MAX, Delivery, Outbox

__all__ = ["Posting", "check_endpoint"]

ANSWER_SECONDS_MAX = 10.0
"""An endpoint that takes longer has not taken it."""

_LOOK_SECONDS = 0.05


def check_endpoint(url: str) -> SplitResult:
    """The parts of an endpoint's URL.

    Raises:
        ValueError: it is none; the text says what to give.
    """
    with contextlib.suppress(ValueError):  # what urlsplit and the port say of themselves
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        if whole and url.isascii() and url.isprintable() and " " not in url:
            return parts
    raise ValueError("it is no endpoint; give http://HOST:PORT/PATH or https://HOST/PATH")


class Posting:
    """Takes what is due to where it goes, for as long as it runs.

    Args:
        outbox: what is on its way.
        url: the endpoint, http or https.
        clock: tells how long to wait between two looks.
        tell: is told of each attempt that failed, without the URL's path or any secret.

    Raises:
        ValueError: the URL is no endpoint's.
    """

    def __init__(self, outbox: Outbox, url: str, clock: Clock, tell: Callable[[str], None]) -> None:
        parts = check_endpoint(url)
        self._outbox, self._clock, self._tell = outbox, clock, tell
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._tls else 80)
        self._named = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            for delivery in self._outbox.due():
                problem = await self._problem(self._outbox.signed(delivery))
                wait_seconds = self._outbox.settle(delivery, taken=not problem)
                if problem:
                    self._tell(self._missed(delivery, problem, wait_seconds))
            await self._clock.sleep(_LOOK_SECONDS)

    def _missed(self, delivery: Delivery, problem: str, wait_seconds: float | None) -> str:
        """What is told of an attempt that failed."""
        event = delivery.event
        what = f"webhook {event['id']} {event['type']} to {self._host}:{self._port}"
        then = "given up" if wait_seconds is None else f"again in {wait_seconds:g} s"
        return f"{what}: {problem} (attempt {delivery.attempts} of {ATTEMPTS_MAX}); {then}"

    async def _problem(self, signed: SignedPayload) -> str:
        """Why the endpoint did not take it; "" where it answered 2xx."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                status = await self._status(signed)
        except TimeoutError:
            return f"no answer in {ANSWER_SECONDS_MAX:g} s"
        except ssl.SSLError as problem:
            return f"no TLS: {problem.reason or type(problem).__name__}"
        except OSError as problem:
            known = problem.errno is not None and problem.errno > 0
            return (
                f"no connection: {os.strerror(problem.errno or 0) if known else problem.strerror}"
            )
        except (EOFError, ValueError, asyncio.LimitOverrunError):
            return "it answered no HTTP"
        return "" if 200 <= status < 300 else f"it answered {status}"

    async def _status(self, signed: SignedPayload) -> int:
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        try:
            head = [
                f"POST {self._target} HTTP/1.1",
                f"Host: {self._named}",
                "Content-Type: application/json; charset=utf-8",
                f"Content-Length: {len(signed.payload)}",
                f"Stripe-Signature: {signed.signature}",
                "Connection: close",
            ]
            writer.write("\r\n".join([*head, "", ""]).encode("latin-1") + signed.payload)
            await writer.drain()
            answer = await reader.readline()
            return int(answer.split(b" ", 2)[1].strip() if answer.startswith(b"HTTP/") else b"")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
