"""The hall: what the runtime pushes waits until it is pulled, and is settled by its lease."""

from collections.abc import Iterator
from typing import Any

import pytest
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.bridge import BridgeCall, BridgeError
from flows_registry.lab.simulators.miniflare import Hall, Miniflare, start
from flows_registry.lab.simulators.node import find_node
from flows_registry.lab.simulators.packages import MINIFLARE, fetch

pytestmark = pytest.mark.feature("DC-04", "PH2-06")

DONE, AGAIN = {"retry": False}, {"retry": True, "options": {}}
TEXT = {"contentType": "text"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Miniflare]:
    node = find_node()
    if isinstance(node, Absent):
        pytest.skip(f"{node.reason}. {node.next_step}")
    installed = fetch(MINIFLARE, node=node)
    if isinstance(installed, Absent):
        pytest.skip(f"{installed.reason}. {installed.next_step}")
    with start(installed, node, queues=[Hall("one", 4, 2), Hall("other", 4, 0)]) as running:
        yield running


class Queue:
    def __init__(self, simulator: Miniflare, name: str = "one") -> None:
        self.simulator, self.name = simulator, name
        simulator.purge([name])

    def call(self, method: str, *args: object) -> Any:
        return self.simulator.call([BridgeCall(self.name, method, args)])[0]

    def pull(self, limit: int = 10) -> list[dict[str, Any]]:
        return self.call("$pull", limit)

    def leases(self) -> list[str]:
        return [message["lease"] for message in self.pull()]


@pytest.fixture
def queue(simulator: Miniflare) -> Queue:
    return Queue(simulator)


def test_bodies_travel_whole(queue: Queue) -> None:
    queue.call("$send", "é", TEXT)
    queue.call("$send", b"\xff\x00", {"contentType": "bytes"})
    queue.call("$send", {"key": "k"}, {"contentType": "json"})
    found = queue.pull()
    assert {message["attempts"] for message in found} == {1}
    bodies = [message["body"] for message in found]
    assert all(body in bodies for body in ("é", b"\xff\x00", {"key": "k"}))
    assert queue.pull() == [], "what was pulled is hidden"


def test_a_held_message_holds_up_no_other(queue: Queue) -> None:
    queue.call("$send", "held", TEXT)
    (held,) = queue.leases()
    queue.call("$send", "next", TEXT)
    assert [message["body"] for message in queue.pull()] == ["next"]
    assert queue.call("$settle", [held], DONE) == []


def test_retries_are_counted_by_the_runtime_and_end_in_the_dead_letter_queue(queue: Queue) -> None:
    queue.call("$send", "poison", TEXT)
    attempts = []
    while found := queue.pull():
        (message,) = found
        attempts.append(message["attempts"])
        assert queue.call("$settle", [message["lease"]], AGAIN) == []
    assert attempts == [1, 2, 3]
    (buried,) = queue.call("$dead", 1)
    assert (buried["body"], buried["attempts"]) == ("poison", 1)
    assert buried["id"] == message["id"]


def test_a_lease_settles_once(queue: Queue) -> None:
    queue.call("$send", "a", TEXT)
    (lease,) = queue.leases()
    assert queue.call("$settle", ["unknown", lease], AGAIN) == ["unknown"]
    assert queue.call("$settle", [lease], DONE) == [lease]
    (again,) = queue.leases()
    assert again != lease
    assert queue.call("$settle", [again], DONE) == []
    assert queue.pull() == []


def test_a_batch_is_taken_whole_or_not_at_all(queue: Queue) -> None:
    entry = {"body": "m", "contentType": "text"}
    assert isinstance(queue.call("$send_batch", [entry] * 101), BridgeError)
    assert queue.pull() == []
    assert queue.call("$send_batch", [entry, {**entry, "delaySeconds": 60}, entry]) is None
    assert [message["body"] for message in queue.pull()] == ["m", "m"]


def test_a_purge_empties_what_waits_and_what_is_held(queue: Queue) -> None:
    for number in range(6):  # more than there are places: two wait behind others
        queue.call("$send", str(number), TEXT)
    assert queue.pull(1) != []
    queue.simulator.purge(["one"])
    assert queue.pull() == []
    queue.call("$send", "new", TEXT)
    assert [message["body"] for message in queue.pull()] == ["new"]


def test_queues_do_not_meet(simulator: Miniflare, queue: Queue) -> None:
    other = Queue(simulator, "other")
    queue.call("$send", "a", TEXT)
    assert other.pull() == []
    other.call("$send", "b", TEXT)
    (lease,) = other.leases()
    assert other.call("$settle", [lease], AGAIN) == []
    assert other.pull() == [], "it may be delivered once"
    assert isinstance(queue.call("$nothing"), BridgeError)
