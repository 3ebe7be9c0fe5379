"""The backends that the suites run on."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from cap_local.blob import LocalBlob, MockBlob
from cap_local.cache import LocalCache, MockCache
from cap_local.config import LocalConfig, MockConfig
from cap_local.dedupe import LocalDedupe, MockDedupe
from cap_local.kv import LocalKv, MockKv
from cap_local.queue import LocalQueue, MockQueue
from cap_local.sql import LocalSql, MockSql
from core_caps.clock import VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.rng import SeededRng

_stores = itertools.count()

PROVIDERS: dict[tuple[str, str], Any] = {
    ("blob", "mock"): MockBlob,
    ("blob", "local"): LocalBlob,
    ("cache", "mock"): MockCache,
    ("cache", "local"): LocalCache,
    ("dedupe", "mock"): MockDedupe,
    ("dedupe", "local"): LocalDedupe,
    ("kv", "mock"): MockKv,
    ("kv", "local"): LocalKv,
    ("queue", "mock"): MockQueue,
    ("queue", "local"): LocalQueue,
    ("sql", "mock"): MockSql,
    ("sql", "local"): LocalSql,
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")
    config.addinivalue_line("markers", "slow: takes more than a few seconds")


@pytest.fixture(params=["mock", "local"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """In memory, and in files."""
    clock, store = VirtualClock(), f"contract-{next(_stores)}"
    name: str = request.param

    def make(capability: str) -> Any:
        provider = PROVIDERS[capability, name]
        config = MockConfig(store) if name == "mock" else LocalConfig(str(tmp_path / "files"))
        return provider(config, clock=clock, rng=SeededRng())

    return Backend(name, make, clock, advance=clock.advance)
