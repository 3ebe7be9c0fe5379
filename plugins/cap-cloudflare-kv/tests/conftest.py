"""The backends that the suites run on, and a script that answers `remote`."""

import itertools
from typing import Any

import pytest
from cap_cloudflare_kv.config import MockConfig, RemoteConfig
from cap_cloudflare_kv.mock import MockKv
from cap_cloudflare_kv.remote import RemoteKv
from core_caps.clock import SystemClock, VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.http.testing import CloudflareWire
from core_caps.rng import SeededRng
from core_caps.secret import Secret

_stores = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")


@pytest.fixture(params=[0, 60], ids=["fresh", "stale"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """The mock, reading fresh, and reading as late as the vendor allows."""
    clock, store = VirtualClock(), f"contract-{next(_stores)}"

    def make(capability: str) -> MockKv:
        config = MockConfig(store=store, stale_read_seconds=request.param)
        return MockKv(config, clock=clock, rng=SeededRng())

    return Backend("mock", make, clock, advance=clock.advance)


class Wire(CloudflareWire):
    """The answers of the API, and a client of it."""

    def value(self, body: bytes, *more: str) -> bytes:
        return self.answer(200, body, "application/octet-stream", *more)

    @property
    def not_found(self) -> bytes:
        return self.refusal(404, 10009, "get: 'key not found'")

    def client(self, url: str, **settings: Any) -> RemoteKv:
        config = RemoteConfig(
            account_id="acc",
            namespace_id="ns",
            api_token=Secret(self.token),
            base_url=url,
            transport=self.transport,
            **{"timeout_seconds": 5.0, **settings},
        )
        return RemoteKv(config, clock=SystemClock(), rng=SeededRng())


@pytest.fixture(params=["httpx", "aiohttp"])
def wire(request: pytest.FixtureRequest) -> Wire:
    """A scripted service, reached by each transport."""
    return Wire(request.param)
