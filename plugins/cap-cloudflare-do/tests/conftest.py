"""The backends that the suites run on, and a server that answers `remote` from a script."""

import itertools
import json
from typing import Any

import pytest
from cap_cloudflare_do.config import MockConfig, RemoteConfig
from cap_cloudflare_do.mock import MockDedupe, MockObjects, MockSequencer
from cap_cloudflare_do.remote import RemoteObjects
from cap_cloudflare_do.remote_ledger import RemoteDedupe, RemoteSequencer
from core_caps.clock import SystemClock, VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.http.testing import TOKEN, Wire
from core_caps.rng import SeededRng
from core_caps.secret import Secret

MOCKS = {"durable_object": MockObjects, "dedupe": MockDedupe, "sequencer": MockSequencer}
REMOTES = {"durable_object": RemoteObjects, "dedupe": RemoteDedupe, "sequencer": RemoteSequencer}
_stores = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")


@pytest.fixture
def backend() -> Backend:
    clock, store, rng = VirtualClock(), f"contract-{next(_stores)}", SeededRng()

    def make(capability: str) -> Any:
        return MOCKS[capability](MockConfig(store=store), clock=clock, rng=rng)

    return Backend("mock", make, clock, advance=clock.advance)


class BridgeWire(Wire):
    """A scripted bridge."""

    def client(self, url: str, *, capability: str = "durable_object", **settings: Any) -> Any:
        config = RemoteConfig(
            host="bridge.example",
            bridge_token=Secret(TOKEN),
            base_url=url,
            transport=self.transport,
            **{"timeout_seconds": 5.0, **settings},
        )
        return REMOTES[capability](config, clock=SystemClock(), rng=SeededRng())

    def result(self, result: Any = None) -> bytes:
        return self.answer(200, json.dumps({"result": result}).encode())

    def refusal(self, status: int, code: str = "", message: str = "", *more: str) -> bytes:
        content = {"error": {"code": code, "message": message}} if code else {}
        return self.answer(status, json.dumps(content).encode(), "application/json", *more)


@pytest.fixture(params=["httpx", "aiohttp"])
def wire(request: pytest.FixtureRequest) -> BridgeWire:
    """A scripted bridge, reached by each transport."""
    return BridgeWire(request.param)
