"""The bridge of cap-cloudflare-do in the vendor's runtime, and clients of it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cap_cloudflare_do
import pytest
from cap_cloudflare_do.config import RemoteConfig
from cap_cloudflare_do.remote import RemoteObjects
from cap_cloudflare_do.remote_ledger import RemoteDedupe, RemoteSequencer
from core_caps.clock import SystemClock
from core_caps.rng import SystemRng
from core_caps.secret import Secret
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.deployed import DeployedWorker, read_worker
from flows_registry.lab.simulators.miniflare import start
from flows_registry.lab.simulators.node import find_node
from flows_registry.lab.simulators.packages import MINIFLARE, fetch

TOKEN = "canary-token-7f3a"
HOME = Path(cap_cloudflare_do.__file__).parent
CLIENTS = {"durable_object": RemoteObjects, "dedupe": RemoteDedupe, "sequencer": RemoteSequencer}

TOLD = """
export class Told extends StorageObject {
  constructor(ctx, env) {
    const send = async (message) => {
      const told = (ctx.storage.kv.get("told") ?? new Uint8Array()).length;
      ctx.storage.kv.put("told", new Uint8Array(told + 1));
      await ctx.storage.sync();
      if (told === 0) throw new Error("the queue is away");
      ctx.storage.kv.put("message", new TextEncoder().encode(JSON.stringify(message)));
    };
    super(ctx, { ...env, ALARMS: { send } });
  }
}
"""
"""An object that is told of its alarm, and fails the first time."""


@dataclass(frozen=True)
class Bridge:
    """A bridge that runs.

    Attributes:
        url: where it is.
    """

    url: str
    token: str = TOKEN

    def client(self, capability: str, namespace: str, **settings: Any) -> Any:
        """A client of the bridge in a namespace of its own."""
        config = RemoteConfig(
            host="bridge.example",
            bridge_token=Secret(self.token),
            base_url=self.url,
            namespace=namespace,
            **settings,
        )
        return CLIENTS[capability](config, clock=SystemClock(), rng=SystemRng())

    def run(self, capability: str, namespace: str, use: Callable[[Any], Awaitable[Any]]) -> Any:
        """What `use` makes of a client."""

        async def main() -> Any:
            async with self.client(capability, namespace) as client:
                return await use(client)

        return asyncio.run(main())


@contextlib.contextmanager
def _running(change: Callable[[DeployedWorker], DeployedWorker]) -> Iterator[Bridge]:
    node = find_node()
    if isinstance(node, Absent):
        pytest.skip(f"{node.reason}. {node.next_step}")
    installed = fetch(MINIFLARE, node=node)
    if isinstance(installed, Absent):
        pytest.skip(f"{installed.reason}. {installed.next_step}")
    worker = change(read_worker(HOME / "wrangler.toml", {"BRIDGE_TOKEN": TOKEN}))
    with start(installed, node, worker=worker) as simulator:
        yield Bridge(simulator.deployed_url)


@pytest.fixture(scope="session")
def bridge() -> Iterator[Bridge]:
    """The bridge as it is deployed."""
    with _running(lambda worker: worker) as bridge:
        yield bridge


@pytest.fixture(scope="session")
def told() -> Iterator[Bridge]:
    """A bridge whose queue of alarms is away the first time."""
    with _running(
        lambda worker: replace(
            worker, source=worker.source + TOLD, objects={**worker.objects, "OBJECTS": "Told"}
        )
    ) as bridge:
        yield bridge


@pytest.fixture(scope="session")
def without_token() -> Iterator[Bridge]:
    """A bridge whose owner forgot its secret."""
    with _running(lambda worker: replace(worker, secrets={})) as bridge:
        yield bridge
