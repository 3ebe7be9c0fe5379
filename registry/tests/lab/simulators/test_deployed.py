"""A Worker of a plugin's own, read from its configuration and run beside the bridge."""

import json
import urllib.request
from pathlib import Path

import pytest
from flows_registry.lab.simulators.absence import Absent, SimulatorFailed
from flows_registry.lab.simulators.bridge import BridgeCall
from flows_registry.lab.simulators.deployed import read_worker
from flows_registry.lab.simulators.miniflare import start
from flows_registry.lab.simulators.node import find_node
from flows_registry.lab.simulators.packages import MINIFLARE, fetch

pytestmark = pytest.mark.feature("PH2-09", "P4-03")

CONFIGURATION = """
main = "worker.mjs"
compatibility_date = "2026-07-01"
[[durable_objects.bindings]]
name = "COUNTERS"
class_name = "Counter"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Counter"]
"""
WORKER = """
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  next() {
    const value = (this.ctx.storage.kv.get("value") ?? 0) + 1;
    this.ctx.storage.kv.put("value", value);
    return value;
  }
}
export default {
  async fetch(request, env) {
    const name = new URL(request.url).pathname;
    const value = await env.COUNTERS.get(env.COUNTERS.idFromName(name)).next();
    return Response.json({ name, value, token: env.TOKEN });
  },
};
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    (tmp_path / "worker.mjs").write_text(WORKER)
    (tmp_path / "wrangler.toml").write_text(CONFIGURATION)
    return tmp_path / "wrangler.toml"


def test_it_runs_beside_the_bridge(configuration: Path) -> None:
    node = find_node()
    if isinstance(node, Absent):
        pytest.skip(f"{node.reason}. {node.next_step}")
    installed = fetch(MINIFLARE, node=node)
    if isinstance(installed, Absent):
        pytest.skip(f"{installed.reason}. {installed.next_step}")
    worker = read_worker(configuration, {"TOKEN": "canary"})
    with start(installed, node, kv=["store"], worker=worker) as simulator:

        def ask(path: str) -> object:
            with urllib.request.urlopen(simulator.deployed_url + path) as answer:
                return json.loads(answer.read())

        assert [ask("/a"), ask("/a"), ask("/b")] == [
            {"name": name, "value": value, "token": "canary"}
            for name, value in (("/a", 1), ("/a", 2), ("/b", 1))
        ]
        simulator.call([BridgeCall("store", "put", ("key", "value"))])
        assert simulator.call([BridgeCall("store", "get", ("key",))]) == ["value"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('main = "worker.mjs"', ""),
        ('main = "worker.mjs"', 'main = "other.mjs"'),
        ('main = "worker.mjs"', "main = "),
        ('new_sqlite_classes = ["Counter"]', 'new_sqlite_classes = ["Other"]'),
        ('new_sqlite_classes = ["Counter"]', 'new_classes = ["Counter"]'),
    ],
)
def test_a_configuration_that_is_not_understood_is_named(
    configuration: Path, old: str, new: str
) -> None:
    configuration.write_text(CONFIGURATION.replace(old, new))
    with pytest.raises(SimulatorFailed, match=r"wrangler\.toml"):
        read_worker(configuration, {})
