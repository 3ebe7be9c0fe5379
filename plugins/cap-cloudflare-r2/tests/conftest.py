"""The backends on which the contract runs."""

import itertools

import pytest
from cap_cloudflare_r2.config import MockConfig
from cap_cloudflare_r2.mock import MockR2
from core_caps.clock import VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.rng import SeededRng

_stores = itertools.count()


@pytest.fixture(params=["mock"])
def backend(request: pytest.FixtureRequest) -> Backend:
    clock, store = VirtualClock(), f"contract-{next(_stores)}"

    def opened(_: str) -> MockR2:
        return MockR2(MockConfig(store=store), clock=clock, rng=SeededRng())

    return Backend(request.param, opened, clock, advance=clock.advance)
