"""A mock, and the lab's reference, against a Worker of the plugin's own in the real runtime."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from core_caps.capabilities.sequencer import Appended
from core_caps.contract.sequencer import CONTRACT
from core_caps.errors import InvalidArgument, KeyCollision
from flows_registry.checks.parity import Effort, parity
from flows_registry.lab.simulators.deployed import DeployedWorker
from flows_registry.lab.simulators.sides import ParitySubject, Run, WorkerTarget
from flows_registry.verdict import Verdict

pytestmark = pytest.mark.feature("DC-04", "PH2-09")

LITTLE = Effort(histories=4, length=8, shrink_seconds=2.0)
SOURCE = """
import { DurableObject } from "cloudflare:workers";
export class Order extends DurableObject {
  append(key, payload) {
    const held = this.ctx.storage.kv.get(key);
    if (held !== undefined) return { ...held, inserted: false };
    const sequence = (this.ctx.storage.kv.get("") ?? 0) + 1;
    this.ctx.storage.kv.put("", sequence);
    this.ctx.storage.kv.put(key, { sequence, payload });
    return { sequence, payload, inserted: true };
  }
}
export default {
  async fetch(request, env) {
    const { service, key, payload } = await request.json();
    return Response.json(await env.ORDERS.get(env.ORDERS.idFromName(service)).append(key, payload));
  },
};
"""
WORKER = DeployedWorker("worker.mjs", SOURCE, {"ORDERS": "Order"}, {}, "2026-07-01", ())


def _asked(settings: Any, key: str, payload: str) -> Any:
    content = {"service": settings["service"], "key": key, "payload": payload}
    body = json.dumps(content).encode()
    with urllib.request.urlopen(settings["url"], data=body) as answer:
        return json.loads(answer.read())


class Mock:
    """The same order in this process; also what the lab's reference answers."""

    def __init__(self, settings: Any) -> None:
        self.held: dict[str, tuple[int, bytes]] = {}

    async def append(self, key: str, payload: bytes) -> Appended:
        if not key:
            raise InvalidArgument("a key is not empty")
        inserted = key not in self.held
        sequence, known = self.held.setdefault(key, (self.next(), payload))
        if known != payload:
            raise KeyCollision("another payload", keys=[key])
        return Appended(inserted, sequence, 0.0)

    def next(self) -> int:
        return len(self.held) + 1


class FromTwo(Mock):
    def next(self) -> int:
        return super().next() + 1


class Remote(Mock):
    """What speaks to the Worker; without settings, to the lab's reference."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.settings = settings

    async def append(self, key: str, payload: bytes) -> Appended:
        if self.settings is None or not key:
            return await super().append(key, payload)
        found = _asked(self.settings, key, payload.hex())
        if found["payload"] != payload.hex():
            raise KeyCollision("another payload", keys=[key])
        return Appended(found["inserted"], found["sequence"], 0.0)


class ReferenceFromTwo(Remote):
    def next(self) -> int:
        return super().next() + 1


@pytest.mark.parametrize(
    ("mock", "remote", "refused"),
    [
        (Mock, Remote, set[str]()),
        (FromTwo, Remote, {"mock"}),
        (Mock, ReferenceFromTwo, {"remote"}),
    ],
)
def test_the_worker_decides(
    simulator: str,
    running: Callable[..., Run],
    mock: type[Mock],
    remote: type[Remote],
    refused: set[str],
) -> None:
    target = WorkerTarget(WORKER, lambda url, number: {"url": url, "service": f"s{number}"})
    subject = ParitySubject(
        CONTRACT,
        frozenset({"append"}),
        running(mock=mock, remote=remote),
        remotes={"remote": "orders"},
        workers={"remote": target},
    )
    results = {result.backend: result for result in parity(subject, effort=LITTLE)}
    assert {name for name, each in results.items() if each.verdict is Verdict.REFUSED} == refused
    assert {name for name, each in results.items() if each.verdict is Verdict.PASSED} == (
        {"mock", "remote"} - refused
    )
    assert {result.facts["simulator"] for result in results.values()} == {simulator}
