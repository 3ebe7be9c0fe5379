"""Posting webhooks to an endpoint: one request each, over a connection of its own."""

import asyncio
import contextlib
import ssl
from urllib.parse import urlsplit

from core_caps.capabilities.payments import SignedPayload
from core_caps.clock import Clock

from cap_stripe.simulation.deliveries import Outbox

__all__ = ["Posting"]

ANSWER_SECONDS_MAX = 10.0
"""An endpoint that takes longer has not taken it."""

_LOOK_SECONDS = 0.05


class Posting:
    """Takes what is due to where it goes, for as long as it runs.

    Args:
        outbox: what is on its way.
        url: the endpoint, http or https.
        clock: tells how long to wait between two looks.
    """

    def __init__(self, outbox: Outbox, url: str, clock: Clock) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"a webhook's URL is http://… or https://…, not {url!r}")
        self._outbox, self._clock = outbox, clock
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host, self._port = parts.hostname, parts.port or (443 if self._tls else 80)
        self._named = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            for delivery in self._outbox.due():
                signed = self._outbox.signed(delivery)
                self._outbox.settle(delivery, taken=await self._taken(signed))
            await self._clock.sleep(_LOOK_SECONDS)

    async def _taken(self, signed: SignedPayload) -> bool:
        """Whether the endpoint answered 2xx."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return 200 <= await self._status(signed) < 300
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            return False

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
            return int(answer.split(b" ")[1]) if answer.count(b" ") else 0
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
