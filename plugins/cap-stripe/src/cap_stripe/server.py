"""The simulated account behind a real socket, for any SDK of Stripe's and any language.

    python -m cap_stripe.server --port 12111 --webhook-url http://127.0.0.1:8000/stripe

Two paths of its own play who is not there: `POST /simulate/checkout/sessions/ID/complete` is a
customer who pays (`payment_method=pm_card_visa`), `POST /simulate/faults` (`name=failed`) lets the
next request meet a fault.
"""

import argparse
import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import NoReturn, Self
from urllib.parse import parse_qs

from core_caps.clock import Clock, SystemClock
from core_caps.rng import Rng, SeededRng
from core_caps.secret import Secret

from cap_stripe.config import MOCK_WEBHOOK_SECRET
from cap_stripe.sdk import Answer, Request
from cap_stripe.simulation.deliveries import Outbox
from cap_stripe.simulation.faults import FAULTS, FaultName, Lost
from cap_stripe.simulation.posting import Posting
from cap_stripe.simulation.refusals import Refusal
from cap_stripe.simulation.service import Service

__all__ = ["Server", "main"]

BODY_BYTES_MAX = 4 * 1024 * 1024
_HEAD_BYTES_MAX = 64 * 1024
_SIMULATE = "/simulate/"


class Server:
    """One account on one address; entered, it listens.

    Args:
        clock: tells the account the time.
        rng: makes its names, and decides what becomes of webhooks.
        port: where to listen; 0 is any that is free.
        webhook_url: where events go; "" is nowhere.
        webhook_secret: what they are signed with.

    Attributes:
        service: the account.
        url: where it is, once entered.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        rng: Rng,
        host: str = "127.0.0.1",
        port: int = 0,
        webhook_url: str = "",
        webhook_secret: Secret = MOCK_WEBHOOK_SECRET,
    ) -> None:
        self.service = Service(clock, rng)
        self.url = ""
        self._at = host, port
        self._posting: Posting | None = None
        if webhook_url:
            outbox = Outbox(clock.now, rng, webhook_secret)
            outbox.follow(self.service.account)
            self._posting = Posting(outbox, webhook_url, clock)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        host, port = self._at
        self._server = await asyncio.start_server(self._accept, host, port, limit=_HEAD_BYTES_MAX)
        self.url = f"http://{host}:{self._server.sockets[0].getsockname()[1]}"
        if self._posting is not None:
            self._keep(asyncio.ensure_future(self._posting.run()))
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def forever(self) -> NoReturn:
        """Serve until cancelled."""
        await self._server.serve_forever()
        raise AssertionError("it serves for ever")

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._keep(task)
        try:
            while (request := await _read(reader)) is not None:
                answer = await self._answered(request)
                writer.write(_written(answer))
                await writer.drain()
        except Lost:
            writer.transport.abort()
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            pass  # no HTTP, or nobody there any more
        except asyncio.CancelledError:
            pass  # the server ends
        finally:
            writer.close()

    async def _answered(self, request: Request) -> Answer:
        if not request.url.startswith(_SIMULATE):
            return await self.service.handle(request)
        try:
            done = self._simulated(request)
        except Refusal as refusal:
            return Answer(refusal.status, _JSON, refusal.body)
        return Answer(200, _JSON, json.dumps(done).encode())

    def _simulated(self, request: Request) -> Mapping[str, object]:
        """What a customer or the network does."""
        given = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        match request.url.removeprefix(_SIMULATE).split("/"):
            case ["checkout", "sessions", session, "complete"]:
                return self.service.complete(session, given.get("payment_method", "pm_card_visa"))
            case ["faults"]:
                known: list[FaultName] = [name for name in FAULTS if name == given.get("name")]
                if not known:
                    raise Refusal(400, f"name is one of {', '.join(FAULTS)}", param="name")
                self.service.faults.arm(*known)
                return {"armed": known[0]}
            case _:
                raise Refusal(404, f"nothing is simulated at {request.url}")


_JSON = {"content-type": "application/json"}


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request, or None where there is no more.

    Raises:
        ValueError: it is no HTTP, or too long.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().title(): value.strip() for name, _, value in pairs}
    size = int(headers.get("Content-Length", "0"))
    if not 0 <= size <= BODY_BYTES_MAX:
        raise ValueError(f"a body of {size} bytes")
    return Request(method, target, headers, await reader.readexactly(size))


def _written(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} Answer"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines.append(f"content-length: {len(answer.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m cap_stripe.server", description="A Stripe account that is simulated."
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen")
    parser.add_argument("--port", type=int, default=12111, help="0 is any that is free")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same names")
    parser.add_argument("--webhook-url", default="", help="where events are posted")
    parser.add_argument("--webhook-secret", default="", help="what they are signed with")
    given = parser.parse_args(arguments)
    secret = Secret(given.webhook_secret) if given.webhook_secret else MOCK_WEBHOOK_SECRET
    server = Server(
        clock=SystemClock(),
        rng=SeededRng(given.seed),
        host=given.host,
        port=given.port,
        webhook_url=given.webhook_url,
        webhook_secret=secret,
    )

    async def serve() -> None:
        async with server:
            print(f"listening on {server.url}", flush=True)
            await server.forever()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    main()
