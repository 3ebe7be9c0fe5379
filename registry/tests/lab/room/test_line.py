"""Whatever comes over a line that is no message breaks the room, and nothing else."""

import socket
from collections.abc import Iterator

import pytest
from flows_registry.lab.broken import RoomBroken
from flows_registry.lab.room.line import Line

pytestmark = pytest.mark.feature("P4-03")


@pytest.fixture
def ends() -> Iterator[tuple[Line, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Line(ours, "the agent"), theirs


def test_messages_come_one_by_one(ends: tuple[Line, socket.socket]) -> None:
    line, theirs = ends
    theirs.sendall(b'{"a": 1}\n{"b": 2}\n')
    assert [line.receive(1), line.receive(1)] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("said", [b"garbage", b"\xff", b"7", b"[" * 100_000])
def test_garbage_is_told(ends: tuple[Line, socket.socket], said: bytes) -> None:
    line, theirs = ends
    theirs.sendall(said + b"\n")
    with pytest.raises(RoomBroken, match="the agent said what is no message"):
        line.receive(1)


def test_who_ends_without_having_read_has_gone(ends: tuple[Line, socket.socket]) -> None:
    line, theirs = ends
    line.send({"never": "read"})
    theirs.close()
    with pytest.raises(RoomBroken, match="the agent has gone"):
        line.receive(1)
