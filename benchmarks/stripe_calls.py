"""Stripe calls: RemotePayments beside the bare SDK, against one local server in another process.

The server answers each request with the same customer, so that the client's own work is measured.
The bare SDK is as its documents show it: StripeClient with its HTTPXClient, no retries. Ours builds
its requests with the same SDK, and checks besides what it sends (limits, key) and what it reads
(type, length, bound, deadline). Each client keeps IN_FLIGHT calls going at once.

    python benchmarks/stripe_calls.py [--json]
"""

import asyncio
import contextlib
import json
import multiprocessing
import sys
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import stripe
from cap_stripe.config import RemoteConfig
from cap_stripe.remote import RemotePayments
from core_caps.clock import SystemClock
from core_caps.rng import SystemRng
from core_caps.secret import Secret

sys.path.insert(0, str(Path(__file__).parent))
from side_by_side import Comparison, compare, report

CALLS = 100
IN_FLIGHT = 10
CUSTOMER = {
    "id": "cus_1",
    "object": "customer",
    "created": 1_700_000_000,
    "email": "ada@example.com",
    "name": None,
    "livemode": False,
    "metadata": {"search_id": "42"},
}
BODY = json.dumps(CUSTOMER).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_1\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)

Use = Callable[[], Coroutine[Any, Any, object]]


class _Answering(asyncio.Protocol):
    """The least that answers: a request has arrived when its head and what it promises have."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.arrived = b""

    def data_received(self, data: bytes) -> None:
        self.arrived += data
        while b"\r\n\r\n" in self.arrived:
            head, _, rest = self.arrived.partition(b"\r\n\r\n")
            _, _, told = head.lower().partition(b"content-length:")
            size = int(told.split(b"\r\n")[0] or b"0")
            if len(rest) < size:
                return
            self.arrived = rest[size:]
            self.transport.write(ANSWER)


def _serve(ready: Connection) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextlib.contextmanager
def server() -> Iterator[int]:
    """The port of a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def timed(runner: asyncio.Runner, use: Use) -> Callable[[], None]:
    """A work that makes CALLS calls, IN_FLIGHT at once."""

    async def some(left: Iterator[int]) -> None:
        for _ in left:
            await use()

    async def all_of_them() -> None:
        left = iter(range(CALLS))
        await asyncio.gather(*(some(left) for _ in range(IN_FLIGHT)))

    return lambda: runner.run(all_of_them())


def uses(ours: RemotePayments, bare: stripe.StripeClient) -> dict[str, tuple[Use, Use]]:
    """What is measured: ours, and the same with the bare SDK."""

    async def our_write() -> object:
        return await ours.create_customer(
            email="ada@example.com", metadata={"search_id": "42"}, idempotency_key="key"
        )

    async def bare_write() -> object:
        return await bare.v1.customers.create_async(
            {"email": "ada@example.com", "metadata": {"search_id": "42"}},
            {"idempotency_key": "key"},
        )

    async def our_read() -> object:
        return await ours.get_customer("cus_1")

    async def bare_read() -> object:
        return await bare.v1.customers.retrieve_async("cus_1")

    return {"create_customer": (our_write, bare_write), "get_customer": (our_read, bare_read)}


def main() -> None:
    warnings.simplefilter("ignore", DeprecationWarning)  # the SDK's own, of httpx
    stripe.enable_telemetry = False  # for both: it would write a file
    with server() as port, asyncio.Runner() as runner:
        base = f"http://127.0.0.1:{port}"
        ours = {
            "": RemoteConfig(Secret("sk_test_1"), Secret("whsec_1"), base, transport="aiohttp"),
            ", httpx": RemoteConfig(
                Secret("sk_test_1"), Secret("whsec_1"), base, transport="httpx"
            ),
        }
        http = stripe.HTTPXClient()
        bare = stripe.StripeClient(
            "sk_test_1", base_addresses={"api": base}, http_client=http, max_network_retries=0
        )
        comparisons = [
            each for name, config in ours.items() for each in measured(runner, name, config, bare)
        ]
        runner.run(_closed(http.close_async()))
    report(comparisons)


def measured(
    runner: asyncio.Runner, transport: str, config: RemoteConfig, bare: stripe.StripeClient
) -> Iterator[Comparison]:
    """A write and a read over one transport of ours."""
    payments = RemotePayments(config, clock=SystemClock(), rng=SystemRng())
    runner.run(payments.__aenter__())
    for name, (mine, theirs) in uses(payments, bare).items():
        works = timed(runner, mine), timed(runner, theirs)
        yield compare(f"{name}{transport}", *works, goal="<= 1.1x", calls=1)
    runner.run(_closed(payments.__aexit__()))


async def _closed(closing: Awaitable[None]) -> None:
    await closing


if __name__ == "__main__":
    main()
