"""The backend that the suites run on, and real servers of this machine that answer `remote`."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from cap_http.config import MockConfig, RemoteConfig
from cap_http.mock import MockHttp
from cap_http.remote import RemoteHttp
from core_caps.clock import SystemClock, VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.http.testing import Script, Step
from core_caps.rng import SeededRng

_stores = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")


@pytest.fixture(params=["mock"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """The mock; `remote` is held to the same promises on the lab's site."""
    clock, store, rng = VirtualClock(), f"contract-{next(_stores)}", SeededRng()

    def make(capability: str) -> MockHttp:
        return MockHttp(MockConfig(store=store), clock=clock, rng=rng)

    return Backend("mock", make, clock, advance=clock.advance)


class Wire:
    """Answers as bytes, real servers on this machine that give them, and clients of those."""

    def answer(self, status: int, body: bytes = b"", *headers: str) -> bytes:
        """An answer with its length, and more headers as lines."""
        head = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *headers]
        return "\r\n".join([*head, "", ""]).encode() + body

    def raw(self, *lines: str, body: bytes = b"") -> bytes:
        """An answer as it is written."""
        return "\r\n".join([*lines, "", ""]).encode() + body

    def client(self, *urls: str, **settings: Any) -> RemoteHttp:
        """A client that may reach the servers at these URLs; it is yet to be entered."""
        hosts = ", ".join(url.rpartition("//")[2] for url in urls)
        given = {
            "hosts": hosts,
            "private_networks": "127.0.0.0/8",
            "plain_http": True,
            "timeout_seconds": 5.0,
            **settings,
        }
        return RemoteHttp(RemoteConfig(**given), clock=SystemClock(), rng=SeededRng())

    def run(
        self,
        steps: Sequence[Step],
        use: Callable[[RemoteHttp, str], Awaitable[Any]],
        **settings: Any,
    ) -> tuple[Script, Any]:
        """What `use` returns or raises, given a client and the server's URL; and the server."""

        async def main() -> tuple[Script, Any]:
            async with (
                Script(steps).running() as script,
                self.client(script.url, **settings) as http,
            ):
                try:
                    return script, await use(http, script.url)
                except Exception as error:
                    return script, error

        return asyncio.run(main())


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def streamed(http: RemoteHttp, url: str, **named: Any) -> bytes:
    """The whole content of a stream."""
    return b"".join([chunk async for chunk in http.open(url, **named)])


@pytest.fixture(name="streamed")
def _streamed() -> Callable[..., Awaitable[bytes]]:
    return streamed
