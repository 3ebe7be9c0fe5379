"""The backends on which the contract runs, and a remote client on a scripted server."""

import itertools
from collections.abc import Callable

import pytest
from cap_cloudflare_r2.config import MockConfig, RemoteConfig
from cap_cloudflare_r2.mock import MockR2
from core_caps.clock import Clock, SystemClock, VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.rng import SeededRng
from core_caps.secret import Secret

SECRET = "5ecret/that+must-never-be-5een"

_stores = itertools.count()


@pytest.fixture(params=["mock"])
def backend(request: pytest.FixtureRequest) -> Backend:
    clock, store = VirtualClock(), f"contract-{next(_stores)}"

    def opened(_: str) -> MockR2:
        return MockR2(MockConfig(store=store), clock=clock, rng=SeededRng())

    return Backend(request.param, opened, clock, advance=clock.advance)


@pytest.fixture
def client() -> Callable[..., object]:
    """Makes a RemoteR2 on an address; keyword arguments are settings, and `clock`."""
    from cap_cloudflare_r2.remote import RemoteR2

    def make(url: str, *, clock: Clock | None = None, **settings: object) -> RemoteR2:
        config = {
            "account_id": "0123456789abcdef0123456789abcdef",
            "bucket": "test-bucket",
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": Secret(SECRET),
            "base_url": url,
            "timeout_seconds": 10.0,
            "part_size_bytes": 5 * 1024 * 1024,
            **settings,
        }
        return RemoteR2(RemoteConfig(**config), clock=clock or SystemClock(), rng=SeededRng())

    return make
