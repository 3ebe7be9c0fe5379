"""Askers are served in turn, and nobody waits for a queue that is closed."""

import threading

from flows_registry.lab.turns import Turns


def test_who_asks_for_one_does_not_wait_for_who_asks_for_many() -> None:
    turns: Turns[str] = Turns()
    turns.put(f"many {number}" for number in range(4))
    turns.put(["one"])
    taken = [turns.take() for _ in range(5)]
    assert taken == ["many 0", "one", "many 1", "many 2", "many 3"]


def test_nothing_asked_is_no_turn() -> None:
    turns: Turns[str] = Turns()
    turns.put([])
    turns.put(["one"])
    assert turns.take() == "one"


def test_closing_gives_back_what_nobody_took_and_lets_everybody_go() -> None:
    turns: Turns[str] = Turns()
    ended: list[str | None] = []
    waiting = threading.Thread(target=lambda: ended.append(turns.take()))
    waiting.start()
    assert turns.close() == []
    waiting.join(timeout=10)
    assert ended == [None]
    turns.put(["late"])
    assert turns.take() is None


def test_what_was_left_is_told() -> None:
    turns: Turns[str] = Turns()
    turns.put(["a", "b"])
    turns.put(["c"])
    assert turns.take() == "a"
    assert turns.close() == ["c", "b"]
