"""Askers are served in turn, and nobody waits for a queue that is closed."""

import threading

from flows_registry.lab.turns import RUN, Turns


def test_who_asks_for_one_does_not_wait_for_who_asks_for_many() -> None:
    turns: Turns[int] = Turns()
    turns.put(range(2 * RUN + 1))
    turns.put([-1])
    taken = [turns.take() for _ in range(4)]
    assert taken == [[*range(RUN)], [-1], [*range(RUN, 2 * RUN)], [2 * RUN]]


def test_nothing_asked_is_no_turn() -> None:
    turns: Turns[str] = Turns()
    turns.put([])
    turns.put(["one"])
    assert turns.take() == ["one"]


def test_closing_gives_back_what_nobody_took_and_lets_everybody_go() -> None:
    turns: Turns[str] = Turns()
    ended: list[list[str]] = []
    waiting = threading.Thread(target=lambda: ended.append(turns.take()))
    waiting.start()
    assert turns.close() == []
    waiting.join(timeout=10)
    assert ended == [[]]
    turns.put(["late"])
    assert turns.take() == []


def test_what_was_left_is_told() -> None:
    turns: Turns[int] = Turns()
    turns.put(range(RUN + 2))
    turns.put([-1])
    turns.take()
    assert turns.close() == [-1, RUN, RUN + 1]
