"""The backends that the suites run on. `remote` meets the full fault matrix in the certifier."""

import itertools

import pytest
from cap_cloudflare_kv.config import MockConfig
from cap_cloudflare_kv.mock import MockKv
from core_caps.clock import VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.rng import SeededRng

_stores = itertools.count()


@pytest.fixture(params=[0, 60], ids=["fresh", "stale"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """The mock, reading fresh, and reading as late as the vendor allows."""
    clock, store = VirtualClock(), f"contract-{next(_stores)}"

    def make(capability: str) -> MockKv:
        config = MockConfig(store=store, stale_read_seconds=request.param)
        return MockKv(config, clock=clock, rng=SeededRng())

    return Backend("mock", make, clock, advance=clock.advance)
