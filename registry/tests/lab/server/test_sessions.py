"""Sessions take turns, and whoever is handed the turn is busy before anybody looks."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from flows_registry.lab.server.desk import Desk
from flows_registry.lab.server.sessions import Sessions


class _Reference:
    """A transaction goes on until it is ended."""

    def __init__(self) -> None:
        self.under_way: set[str] = set()

    def is_idle(self, name: str) -> bool:
        return name not in self.under_way


class _Desk:
    """Notes who changed how many requests are being worked on."""

    def __init__(self) -> None:
        self.reference = _Reference()
        self.changes: list[tuple[str, int]] = []
        self.waits = threading.Event()

    def busy(self, change: int) -> None:
        self.changes.append((threading.current_thread().name, change))
        if change < 0:
            self.waits.set()

    @contextmanager
    def at_the_reference(self) -> Generator[None]:
        yield


def test_who_waits_is_made_busy_by_who_hands_the_turn_over() -> None:
    desk = _Desk()
    sessions = Sessions(cast("Desk", cast("Any", desk)), {})
    served: list[str] = []

    def ask(name: str) -> None:
        with sessions.turn(name):
            served.append(name)

    desk.reference.under_way.add("first")
    ask("first")
    others = [threading.Thread(target=ask, args=(name,), name=name) for name in ("second", "third")]
    for other in others:
        desk.waits.clear()
        other.start()
        assert desk.waits.wait(timeout=10)
    assert served == ["first"]
    desk.reference.under_way.clear()
    ask("first")
    for other in others:
        other.join(timeout=10)
    assert served == ["first", "first", "second", "third"]
    me = threading.current_thread().name
    assert desk.changes == [("second", -1), ("third", -1), (me, +1), ("second", +1)]
