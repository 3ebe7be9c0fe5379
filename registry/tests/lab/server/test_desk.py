"""What the server remembers of a case does not depend on how quick its threads are."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from flows_registry.lab.agent.page import Page
from flows_registry.lab.references.exchange import Request, Response
from flows_registry.lab.server.desk import Desk

pytestmark = pytest.mark.feature("P4-03")


class Counting:
    """A reference that counts its requests, and how many of it were made."""

    made = 0

    def __init__(self, now: Callable[[], float]) -> None:
        type(self).made += 1
        self.reset()

    def handle(self, request: Request) -> Response:
        self._count += 1
        return Response(200, (), json.dumps(self._count).encode())

    def state(self) -> Mapping[str, Any]:
        return {"count": self._count}

    def reset(self) -> None:
        self._count = 0

    def failure(self, status: int) -> Response:
        return Response(status)


class Lagging(threading.Event):
    """The end of a case, which threads await without looking up in between."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(Page(str(tmp_path / "page")), Counting)
    made.arm([], {})
    return made


@pytest.mark.parametrize("leaves", [True, False])
def test_who_has_left_is_seen_although_the_thread_lags(desk: Desk, leaves: bool) -> None:
    desk.closing = Lagging()
    ours, theirs = socket.socketpair()
    desk.busy(+1)
    thread = threading.Thread(target=desk.stall, args=(ours,))
    with ours, theirs:
        thread.start()
        while desk.is_busy:
            pass
        if leaves:
            theirs.close()
        assert desk.disarm()["stalled_connections"] == (0 if leaves else 1)
        thread.join()


def test_a_replica_is_new_each_time_and_made_once(desk: Desk) -> None:
    asked = Request("GET", "host", "/", (), b"")
    before = Counting.made
    desk.apply(asked)
    assert {desk.stale(asked).body for _ in range(9)} == {b"1"}
    assert desk.apply(asked)[0].body == b"2"
    assert Counting.made == before
