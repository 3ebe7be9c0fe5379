"""The backends that the suites run on, and a script that answers `remote`."""

import itertools
from typing import Any

import pytest
from cap_cloudflare_queue.config import MockConfig, RemoteConfig
from cap_cloudflare_queue.mock import MockQueue
from cap_cloudflare_queue.remote import RemoteQueue
from core_caps.clock import SystemClock, VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.http.testing import CloudflareWire
from core_caps.rng import SeededRng
from core_caps.secret import Secret

_stores = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")


LUCK = {
    "in order": {"reorder": False, "duplicate_rate": 0.0, "lost_ack_rate": 0.0},
    "in any order": {"duplicate_rate": 0.0, "lost_ack_rate": 0.0},
    "as it comes": {},
}


@pytest.fixture(params=LUCK)
def backend(request: pytest.FixtureRequest) -> Backend:
    """The mock: exactly once, in any order, and with the bad luck that it has by itself."""
    clock, store, rng = VirtualClock(), f"contract-{next(_stores)}", SeededRng()

    def make(capability: str) -> MockQueue:
        config = MockConfig(store=store, **LUCK[request.param])
        return MockQueue(config, clock=clock, rng=rng)

    return Backend("mock", make, clock, advance=clock.advance)


class Wire(CloudflareWire):
    """The answers of the API, and a client of it."""

    def pulled(self, *messages: dict[str, Any]) -> bytes:
        """The answer to a pull: each message has what is said of it, and the rest made up."""
        made = [
            {
                "id": f"id-{number}",
                "body": "hello",
                "attempts": 1,
                "timestamp_ms": 1_700_000_000_123,
                "lease_id": f"lease-{number}",
                "metadata": {"CF-Content-Type": "text"},
                **message,
            }
            for number, message in enumerate(messages)
        ]
        return self.envelope({"message_backlog_count": len(made), "messages": made})

    def settled(self, acks: int = 0, retries: int = 0, **warnings: str) -> bytes:
        result = {"ackCount": acks, "retryCount": retries, "warnings": warnings}
        return self.envelope(result)

    def client(self, url: str, **settings: Any) -> RemoteQueue:
        config = RemoteConfig(
            account_id="acc",
            queue_id="q",
            api_token=Secret(self.token),
            base_url=url,
            transport=self.transport,
            **{"timeout_seconds": 5.0, **settings},
        )
        return RemoteQueue(config, clock=SystemClock(), rng=SeededRng())


@pytest.fixture(params=["httpx", "aiohttp"])
def wire(request: pytest.FixtureRequest) -> Wire:
    """A scripted service, reached by each transport."""
    return Wire(request.param)
