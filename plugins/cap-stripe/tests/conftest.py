"""The backends that the suites run on, and a script that answers `remote`."""

import asyncio
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cap_stripe.config import MockConfig, RemoteConfig
from cap_stripe.mock import MockPayments
from cap_stripe.remote import RemotePayments
from cap_stripe.server import Server
from core_caps.clock import Clock, SystemClock, VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.http.testing import Wire as HttpWire
from core_caps.rng import SeededRng
from core_caps.secret import Secret

_stores = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")


@contextmanager
def served(clock: Clock) -> Iterator[Server]:
    """The simulated account behind a socket, in a thread of its own."""
    server = Server(clock=clock, rng=SeededRng())
    started, loop = threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with server:
            started.set()
            await ended.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


@pytest.fixture(params=["mock", "over a socket"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The mock, and the public API's client with the mock's account behind a socket."""
    clock, store, rng = VirtualClock(), f"contract-{next(_stores)}", SeededRng()
    if request.param == "mock":
        config = MockConfig(store=store)
        make = lambda capability: MockPayments(config, clock=clock, rng=rng)  # noqa: E731
        yield Backend("mock", make, clock, advance=clock.advance)
        return
    with served(clock) as server:
        remote = RemoteConfig(Secret("sk_test_key"), Secret("whsec_test"), server.url)
        make = lambda capability: RemotePayments(remote, clock=clock, rng=rng)  # noqa: E731
        yield Backend("remote", make, clock, advance=clock.advance)


@pytest.fixture
def mock() -> MockPayments:
    """An account of its own."""
    return MockPayments(MockConfig(), clock=VirtualClock(), rng=SeededRng())


@pytest.fixture
def server() -> Iterator[Server]:
    """The simulated account behind a socket."""
    with served(SystemClock()) as running:
        yield running


class Wire(HttpWire):
    """The answers of the API, and a client of it."""

    def object(self, **fields: Any) -> bytes:
        """An object."""
        return self.answer(200, json.dumps(fields).encode())

    def customer(self, **fields: Any) -> bytes:
        """A customer; what is not said of it is made up."""
        made: dict[str, Any] = {
            "id": "cus_1",
            "object": "customer",
            "email": None,
            "name": None,
            "metadata": {},
        }
        return self.object(**(made | fields))

    def refusal(self, status: int, *more: str, **error: Any) -> bytes:
        """An error object."""
        body = json.dumps({"error": error}).encode()
        return self.answer(status, body, "application/json", *more)

    def client(self, url: str, **settings: Any) -> RemotePayments:
        given: dict[str, Any] = {"timeout_seconds": 5.0, **settings}
        config = RemoteConfig(
            Secret(self.token), Secret("whsec_test"), url, transport=self.transport, **given
        )
        return RemotePayments(config, clock=SystemClock(), rng=SeededRng())


@pytest.fixture(params=["httpx", "aiohttp"])
def wire(request: pytest.FixtureRequest) -> Wire:
    """A scripted service, reached by each transport."""
    return Wire(request.param)
