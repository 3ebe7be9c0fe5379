"""What `remote` makes of answers: whole and bounded, or an error that says what happened."""

import asyncio
import gzip
import zlib
from contextlib import aclosing

import httpx
import pytest
from core_caps.errors import (
    ObjectAbsent,
    Outcome,
    ProtocolViolation,
    RateLimited,
    TimedOut,
    Unavailable,
)

pytestmark = pytest.mark.feature("DC-01")

SMALL = {"body_size_bytes_max": 100_000, "stream_size_bytes_max": 200_000}


def get(http, url):
    return http.get(f"{url}/")


def post(http, url):
    return http.post(f"{url}/", b"body")


def test_headers_that_come_twice_are_joined(wire) -> None:
    headers = ("X-A: 1", "x-a: 2", "Set-Cookie: a=b, c", "set-cookie: d=e")
    _, found = wire.run([wire.answer(200, b"", *headers)], get)
    assert found.headers["x-a"] == "1, 2"
    assert found.headers["set-cookie"] == "a=b, c\nd=e"


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
def test_gzip_is_undone(wire, coding: str) -> None:
    body = bytes(range(256)) * 1000
    coded = gzip.compress(body[:1000]) + gzip.compress(body[1000:])
    _, found = wire.run([wire.answer(200, coded, f"Content-Encoding: {coding}")], get)
    assert found.body == body
    assert found.headers.keys() & {"content-encoding", "content-length"} == set()


def test_a_coded_answer_may_be_empty(wire) -> None:
    _, found = wire.run([wire.answer(200, b"", "Content-Encoding: gzip")], get)
    assert found.body == b""


def test_chunks_are_joined(wire) -> None:
    chunked = wire.raw(
        "HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    _, found = wire.run([chunked], get)
    assert found.body == b"abcde"


BOMB = gzip.compress(b"\0" * 50_000_000)

UNUSABLE = {
    "a bomb": ("Content-Encoding: gzip", BOMB),
    "bombs in a row": ("Content-Encoding: gzip", gzip.compress(b"\0" * 90_000) * 3),
    "gzip that ends in the middle": ("Content-Encoding: gzip", gzip.compress(b"x" * 999)[:-9]),
    "gzip that is none": ("Content-Encoding: gzip", b"plain"),
    "gzip with something behind": ("Content-Encoding: gzip", gzip.compress(b"x") + b"plain"),
    "a coding not asked for": ("Content-Encoding: br", b"x"),
    "two codings": ("Content-Encoding: gzip, gzip", gzip.compress(gzip.compress(b"x"))),
    "deflate": ("Content-Encoding: deflate", zlib.compress(b"x")),
    "too many bytes": ("X-A: 1", b"x" * 200_001),
}


@pytest.mark.parametrize(("header", "body"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_refused(wire, streamed, header: str, body: bytes) -> None:
    answer = wire.answer(200, body, header)
    for use, outcome in (
        (get, Outcome.NOT_APPLIED),
        (lambda http, url: streamed(http, f"{url}/"), Outcome.NOT_APPLIED),
        (post, Outcome.UNKNOWN),
    ):
        _, error = wire.run([answer], use, **SMALL)
        assert isinstance(error, ProtocolViolation), error
        assert error.outcome is outcome


def test_what_is_too_large_to_be_whole_can_be_streamed(wire, streamed) -> None:
    answer = wire.answer(200, b"x" * 150_000)
    _, error = wire.run([answer], get, **SMALL)
    assert "100000" in str(error)
    assert "open()" in error.hint
    assert "body_size_bytes_max" in error.hint
    _, found = wire.run([answer], lambda http, url: streamed(http, f"{url}/"), **SMALL)
    assert found == b"x" * 150_000


def test_a_bomb_is_unfolded_no_further_than_its_bound(wire) -> None:
    """It comes in small pieces, and the first that is too much is the last."""
    sizes = []

    async def use(http, url):
        async for piece in http.open(f"{url}/"):
            sizes.append(len(piece))

    _, error = wire.run(
        [wire.answer(200, BOMB, "Content-Encoding: gzip")], use, stream_size_bytes_max=1_000_000
    )
    assert isinstance(error, ProtocolViolation)
    assert "stream_size_bytes_max" in error.hint
    assert max(sizes) <= 256 * 1024
    assert sum(sizes) <= 1_000_000


def test_an_answer_that_does_not_tell_its_length_is_refused(wire) -> None:
    async def close(writer: asyncio.StreamWriter) -> None:
        writer.write(wire.raw("HTTP/1.1 200 OK", body=b"as much as there"))
        writer.close()

    _, error = wire.run([close], get)
    assert isinstance(error, ProtocolViolation)
    assert "length" in str(error)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_content_needs_no_length(wire, status: int) -> None:
    _, found = wire.run([wire.raw(f"HTTP/1.1 {status} None")], get)
    assert (found.status, found.body) == (status, b"")


def test_a_head_has_the_length_of_what_is_not_sent(wire) -> None:
    _, found = wire.run(
        [wire.raw("HTTP/1.1 200 OK", "Content-Length: 999999999", "Content-Encoding: br")],
        lambda http, url: http.head(f"{url}/"),
    )
    assert (found.status, found.body) == (200, b"")


async def _closes(writer: asyncio.StreamWriter) -> None:
    writer.close()


def _cut(writer: asyncio.StreamWriter) -> object:
    async def cut() -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        writer.close()

    return cut()


@pytest.mark.parametrize(
    ("step", "kind"),
    [(_closes, Unavailable), (_cut, ProtocolViolation), (b"garbage\r\n\r\n", ProtocolViolation)],
)
def test_a_write_that_lost_its_answer_is_unknown(wire, step, kind) -> None:
    for use, outcome in ((get, Outcome.NOT_APPLIED), (post, Outcome.UNKNOWN)):
        _, error = wire.run([step], use)
        assert isinstance(error, kind), error
        assert error.outcome is outcome


def test_nobody_there_is_not_applied(wire) -> None:
    async def main() -> Exception:
        async with wire.client("http://127.0.0.1:1") as http:
            with pytest.raises(Unavailable) as refused:
                await http.post("http://127.0.0.1:1/", b"")
        return refused.value

    error = asyncio.run(main())
    assert error.outcome is Outcome.NOT_APPLIED


@pytest.mark.parametrize("closes", [httpx.Response, httpx.AsyncHTTPTransport])
def test_how_a_connection_ends_changes_nothing(wire, streamed, monkeypatch, closes) -> None:
    """An answer that was read, a stream that was left, a redirect that was followed, the client."""
    close = closes.aclose

    async def fails(self) -> None:
        await close(self)
        raise httpx.ReadError("the connection did not end well")

    async def use(http, url):
        stream = http.open(f"{url}/")
        async with aclosing(stream):
            assert await anext(stream) == b"whole"
        with pytest.raises(ObjectAbsent):
            await streamed(http, f"{url}/absent")
        return (await http.get(f"{url}/")).body, await streamed(http, f"{url}/")

    monkeypatch.setattr(closes, "aclose", fails)
    whole = wire.answer(200, b"whole")
    steps = [whole, wire.answer(404), wire.answer(302, b"", "Location: /there"), whole]
    assert wire.run(steps, use)[1] == (b"whole", b"whole")


def _silent(wait: float, *pieces: bytes):
    async def step(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(wait)
        await asyncio.sleep(30)

    return step


@pytest.mark.parametrize(
    "step",
    [
        _silent(0),
        _silent(0.1, *[b"H", b"T", b"T", b"P"] * 20),
        _silent(0.1, b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", *[b"x"] * 20),
    ],
    ids=["silence", "a slow head", "a slow body"],
)
def test_no_call_waits_longer_than_it_may(wire, streamed, step) -> None:
    for use, outcome in (
        (get, Outcome.NOT_APPLIED),
        (lambda http, url: streamed(http, f"{url}/"), Outcome.NOT_APPLIED),
        (post, Outcome.UNKNOWN),
    ):
        _, error = wire.run([step], use, timeout_seconds=0.4)
        assert isinstance(error, TimedOut), error
        assert error.outcome is outcome


def test_a_stream_waits_for_its_reader(wire) -> None:
    async def use(http, url):
        size = 0
        async for piece in http.open(f"{url}/"):
            size += len(piece)
            await asyncio.sleep(0.2)
        return size

    body = b"x" * 400_000
    _, found = wire.run([wire.answer(200, body)], use, timeout_seconds=0.3)
    assert found == len(body)


def test_a_cancelled_call_lets_go_of_its_connection(wire, streamed) -> None:
    left = []

    async def waits(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx")
        left.append(writer)
        await asyncio.sleep(0)

    async def use(http, url):
        for call in (http.get(f"{url}/"), http.post(f"{url}/", b""), streamed(http, f"{url}/")):
            task = asyncio.ensure_future(call)
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        stream = http.open(f"{url}/")
        async with aclosing(stream):
            assert await anext(stream) == b"x"
        await asyncio.sleep(0.1)
        return [writer.transport.is_closing() or writer.transport._sock is None for writer in left]

    _, closed = wire.run([waits], use)
    assert closed == [True] * 4


@pytest.mark.parametrize("use", [get, post])
def test_a_status_is_an_answer_and_its_error_for_the_asking(wire, use) -> None:
    _, found = wire.run([wire.answer(429, b"slowly", "Retry-After: 3")], use)
    assert (found.status, found.body, found.retry_after_seconds) == (429, b"slowly", 3)
    with pytest.raises(RateLimited) as raised:
        found.raise_for_status()
    assert raised.value.retry_after_seconds == 3
    _, found = wire.run([wire.answer(503)], use)
    with pytest.raises(Unavailable) as failed:
        found.raise_for_status()
    assert failed.value.outcome is (Outcome.UNKNOWN if use is post else Outcome.NOT_APPLIED)


def test_a_range_may_be_streamed(wire, streamed) -> None:
    answer = wire.answer(206, b"part")
    _, found = wire.run(
        [answer], lambda http, url: streamed(http, f"{url}/", headers={"range": "bytes=0-3"})
    )
    assert found == b"part"
    _, error = wire.run([answer], lambda http, url: streamed(http, f"{url}/"))
    assert isinstance(error, ProtocolViolation)


def test_no_error_shows_a_header_or_a_query(wire) -> None:
    headers = {"authorization": "Bearer canary"}
    for step in (_closes, b"garbage\r\n\r\n", _silent(0)):
        _, error = wire.run(
            [step],
            lambda http, url: http.get(f"{url}/?token=canary", headers=headers),
            timeout_seconds=0.4,
        )
        seen = []
        while error is not None:
            seen.append(f"{error!r} {error} {vars(error)}")
            error = error.__cause__ or error.__context__
        assert not [text for text in seen if "canary" in text]
