"""Whatever comes over a line that is no message breaks the room, and nothing else."""

import socket
from collections.abc import Iterator

import pytest
from flows_registry.lab.broken import AgentDisturbed, RoomBroken
from flows_registry.lab.room import line as line_module
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


def test_a_message_without_an_end_is_cut_short(
    ends: tuple[Line, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "MESSAGE_BYTES_MAX", 1000)
    line, theirs = ends
    theirs.sendall(b"x" * 2000)
    with pytest.raises(RoomBroken, match="more than 1000 bytes at once"):
        line.receive(1)


@pytest.mark.parametrize("said", [b'{"event": "done"}', b'{"event": "done", "word": "guessed"}'])
def test_who_does_not_know_the_word_is_somebody_else(said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = Line(ours, "the agent", word="sesame", broken=AgentDisturbed)
        theirs.sendall(b'{"event": "warm", "word": "sesame"}\n' + said + b"\n")
        assert line.receive(1) == {"event": "warm"}
        with pytest.raises(AgentDisturbed, match="somebody spoke for the agent"):
            line.receive(1)


def test_who_ends_without_having_read_has_gone(ends: tuple[Line, socket.socket]) -> None:
    line, theirs = ends
    line.send({"never": "read"})
    theirs.close()
    with pytest.raises(RoomBroken, match="the agent has gone"):
        line.receive(1)
