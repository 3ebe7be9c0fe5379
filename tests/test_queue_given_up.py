"""The mock of Queues and the vendor's own runtime give up the same messages after as many tries."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from cap_cloudflare_queue.config import MockConfig
from cap_cloudflare_queue.mock import MockQueue
from core_caps.clock import VirtualClock
from core_caps.rng import SeededRng
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.bridge import BridgeCall
from flows_registry.lab.simulators.miniflare import Hall, Miniflare, start
from flows_registry.lab.simulators.node import find_node
from flows_registry.lab.simulators.packages import MINIFLARE, fetch

RETRIES_MAX = 2
FATES: Mapping[bytes, int] = {b"at once": 0, b"once more": 1, b"at last": 2, b"poison": 9, b"": 9}
"""How often the consumer fails at each message before it is done with it."""

Seen = tuple[Mapping[bytes, list[int]], list[tuple[bytes, int]]]
"""The attempts that were seen of each body, and what the dead letter queue then holds."""


@pytest.mark.feature("DC-04", "PH2-06")
def test_they_give_up_the_same_messages() -> None:
    node = find_node()
    if isinstance(node, Absent):
        pytest.skip(f"{node.reason}. {node.next_step}")
    installed = fetch(MINIFLARE, node=node)
    if isinstance(installed, Absent):
        pytest.skip(f"{installed.reason}. {installed.next_step}")
    with start(installed, node, queues=[Hall("queue", max_retries=RETRIES_MAX)]) as simulator:
        theirs = consumed_there(simulator)
    ours = asyncio.run(consumed_here())
    assert ours == theirs
    assert ours[0][b"poison"] == [1, 2, 3]
    assert ours[1] == [(b"", 1), (b"poison", 1)]


async def consumed_here() -> Seen:
    clock, rng = VirtualClock(), SeededRng()

    def queue(name: str, dead_letter_queue: str = "") -> MockQueue:
        config = MockConfig(
            store="given up",
            queue=name,
            dead_letter_queue=dead_letter_queue,
            max_retries=RETRIES_MAX,
            duplicate_rate=0.0,
            lost_ack_rate=0.0,
        )
        return MockQueue(config, clock=clock, rng=rng)

    seen: dict[bytes, list[int]] = {}
    async with queue("live", "dead") as live, queue("dead") as dead:
        for body in FATES:
            await live.send(body)
        while found := await live.pull():
            for each in found:
                seen.setdefault(each.body, []).append(each.attempts)
                done = each.attempts > FATES[each.body]
                await (live.ack if done else live.retry)([each.lease])
        return seen, sorted((each.body, each.attempts) for each in await dead.pull())


def consumed_there(simulator: Miniflare) -> Seen:
    def call(method: str, *args: object) -> Any:
        return simulator.call([BridgeCall("queue", method, args)])[0]

    seen: dict[bytes, list[int]] = {}
    for body in FATES:
        call("$send", body.decode(), {"contentType": "text"})
    while found := call("$pull", 100):
        for each in found:
            body = each["body"].encode()
            seen.setdefault(body, []).append(each["attempts"])
            done = each["attempts"] > FATES[body]
            assert call("$settle", [each["lease"]], {"retry": not done}) == []
    return seen, sorted((each["body"].encode(), each["attempts"]) for each in call("$dead", 2))
