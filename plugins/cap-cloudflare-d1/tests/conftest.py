"""The backends that the suites run on, and a script that answers `remote`."""

import itertools
from typing import Any

import pytest
from cap_cloudflare_d1.config import MockConfig, RemoteConfig
from cap_cloudflare_d1.mock import MockSql
from cap_cloudflare_d1.remote import RemoteSql
from core_caps.clock import VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.http.testing import CloudflareWire
from core_caps.rng import SeededRng
from core_caps.secret import Secret

_stores = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")


@pytest.fixture
def backend() -> Backend:
    """The mock."""
    clock, store = VirtualClock(), f"contract-{next(_stores)}"

    def make(capability: str) -> MockSql:
        return MockSql(MockConfig(store=store), clock=clock, rng=SeededRng())

    return Backend("mock", make, clock, advance=clock.advance)


class Wire(CloudflareWire):
    """The answers of the API, and a client of it."""

    def rows(self, *results: tuple[list[str], list[list[Any]], int]) -> bytes:
        """The answer to so many statements: columns, rows and how many changed."""
        return self.envelope(
            [
                {
                    "results": {"columns": columns, "rows": rows},
                    "success": True,
                    "meta": {"changes": changes, "duration": 0.2, "served_by": "v3-prod"},
                }
                for columns, rows, changes in results
            ]
        )

    def client(self, url: str, **settings: Any) -> RemoteSql:
        config = RemoteConfig(
            account_id="acc",
            database_id="db",
            api_token=Secret(self.token),
            base_url=url,
            transport=self.transport,
            **{"timeout_seconds": 5.0, **settings},
        )
        return RemoteSql(config, clock=VirtualClock(), rng=SeededRng())


@pytest.fixture(params=["httpx", "aiohttp"])
def wire(request: pytest.FixtureRequest) -> Wire:
    """A scripted service, reached by each transport."""
    return Wire(request.param)
