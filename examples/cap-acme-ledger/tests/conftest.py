"""The backends that the suites run on."""

import itertools

import pytest
from cap_acme_ledger.config import MockConfig
from cap_acme_ledger.mock import MockLedger
from core_caps.clock import VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.rng import SeededRng

_stores = itertools.count()


@pytest.fixture
def backend() -> Backend:
    """The mock, on a fresh store."""
    clock, store = VirtualClock(), f"contract-{next(_stores)}"

    def make(capability: str) -> MockLedger:
        return MockLedger(MockConfig(store=store), clock=clock, rng=SeededRng())

    return Backend("mock", make, clock, advance=clock.advance)
