"""The backends that the suites run on, and a script that answers `remote`."""

import itertools
import json
from typing import Any

import pytest
from cap_stripe.config import MockConfig, RemoteConfig
from cap_stripe.mock import MockPayments
from cap_stripe.remote import RemotePayments
from core_caps.clock import SystemClock, VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.http.testing import Wire as HttpWire
from core_caps.rng import SeededRng
from core_caps.secret import Secret

_stores = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")


@pytest.fixture
def backend() -> Backend:
    """The mock, through the SDK."""
    clock, store, rng = VirtualClock(), f"contract-{next(_stores)}", SeededRng()

    def make(capability: str) -> MockPayments:
        return MockPayments(MockConfig(store=store), clock=clock, rng=rng)

    return Backend("mock", make, clock, advance=clock.advance)


@pytest.fixture
def mock() -> MockPayments:
    """An account of its own."""
    return MockPayments(MockConfig(), clock=VirtualClock(), rng=SeededRng())


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
