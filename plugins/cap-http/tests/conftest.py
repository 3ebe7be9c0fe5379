"""The backends that the suites run on: the mock, and `remote` on real servers of this machine."""

import itertools

import pytest
from cap_http.config import MockConfig
from cap_http.mock import MockHttp
from core_caps.clock import VirtualClock
from core_caps.contract.pytest_plugin import Backend
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
