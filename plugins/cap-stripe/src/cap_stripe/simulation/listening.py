"""The simulated account behind a real socket.

Two paths of its own play who is not there: `POST /simulate/checkout/sessions/ID/complete` is a
customer who pays (`payment_method=pm_card_visa`), `POST /simulate/faults` (`name=failed`) lets the
next request meet a fault.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn, Self
from urllib.parse import parse_qs

from core_caps.clock import Clock
from core_caps.rng import Rng
from core_caps.secret import Secret

from cap_stripe.config import MOCK_WEBHOOK_SECRET
from cap_stripe.sdk import Answer, Request
from cap_stripe.simulation.deliveries import Outbox
from cap_stripe.simulation.faults import FAULTS, FaultName, Lost
from cap_stripe.simulation.posting import Posting
from cap_stripe.simulation.refusals import Refusal
from cap_stripe.simulation.service import Service

__all__ = ["Server"]

BODY_BYTES_MAX = 4 * 1024 * 1024
_HEAD_BYTES_MAX = 64 * 1024
_SIMULATE = "/simulate/"


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Server:
    """One account on one address; entered, it listens.

    Args:
        clock: tells the account the time.
        rng: makes its names, and decides what becomes of webhooks.
        port: where to listen; 0 is any that is free.
        webhook_url: where events go; "" is nowhere.
        webhook_secret: what they are signed with.
        tell: is told of each event that the endpoint did not take.

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
        tell: Callable[[str], None] = _to_stderr,
    ) -> None:
        self.service = Service(clock, rng)
        self.url = ""
        self._at = host, port
        self._posting: Posting | None = None
        if webhook_url:
            outbox = Outbox(clock.now, rng, webhook_secret)
            outbox.follow(self.service.account)
            self._posting = Posting(outbox, webhook_url, clock, tell)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        host, port = self._at
        self._server = await asyncio.start_server(self._accept, host, port, limit=_HEAD_BYTES_MAX)
        named = f"[{host}]" if ":" in host else host
        self.url = f"http://{named}:{self._server.sockets[0].getsockname()[1]}"
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
