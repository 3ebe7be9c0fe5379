"""What `remote` makes of answers: the class of each error, its outcome, and nothing accepted."""

from typing import Any

import pytest
from core_caps.capabilities.queue import Message
from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

pytestmark = pytest.mark.feature("PH2-06", "P4-03", "AL-07")

CALLS = {
    "send": lambda queue: queue.send(b"a"),
    "send_batch": lambda queue: queue.send_batch([Message(b"a")]),
    "pull": lambda queue: queue.pull(),
    "ack": lambda queue: queue.ack(["~lease"]),
    "retry": lambda queue: queue.retry(["~lease"]),
}
EVERY_CALL = pytest.mark.parametrize("operation", CALLS)


def _failed(wire: Any, operation: str, *steps: bytes) -> ProviderError:
    script, error = wire.run(steps, CALLS[operation])
    assert isinstance(error, ProviderError), error
    assert len(script.requests) == 1, "nothing is repeated"
    return error


@EVERY_CALL
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 10207, InvalidArgument),
        (400, 10204, InvalidArgument),
        (400, 6003, Unauthenticated),
        (400, 10107, ContainerNotFound),
        (400, 10201, Unavailable),
        (401, 10000, Unauthenticated),
        (403, 10000, PermissionDenied),
        (404, 10104, ContainerNotFound),
        (404, 7003, ContainerNotFound),
        (404, 0, ContainerNotFound),
        (405, 0, PermissionDenied),
        (409, 0, Conflict),
        (412, 0, PreconditionFailed),
        (413, 10205, InvalidArgument),
        (414, 0, InvalidArgument),
        (418, 0, ProtocolViolation),
        (422, 0, InvalidArgument),
        (429, 971, RateLimited),
        (429, 10252, RateLimited),
    ],
)
def test_4xx_is_not_applied(
    wire: Any, operation: str, status: int, code: int, kind: type[ProviderError]
) -> None:
    error = _failed(wire, operation, wire.refusal(status, code, "the reason"))
    assert type(error) is kind
    assert error.outcome is Outcome.NOT_APPLIED
    assert error.status == status
    assert error.hint
    assert not code or f"the reason [{code}]" in error.message


@EVERY_CALL
@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 599])
def test_5xx_is_unknown(wire: Any, operation: str, status: int) -> None:
    error = _failed(wire, operation, wire.answer(status, b"<html>", "text/html"))
    assert type(error) is Unavailable
    assert error.outcome is Outcome.UNKNOWN


@EVERY_CALL
@pytest.mark.parametrize("status", [201, 202, 204, 206, 299, 300, 301, 302, 303, 304, 307, 308])
def test_other_2xx_and_3xx_are_never_success(wire: Any, operation: str, status: int) -> None:
    body = b"" if status in (204, 304) else b'{"success": true, "result": {}}'
    moved = wire.answer(status, body, "application/json", "Location: /elsewhere")
    error = _failed(wire, operation, moved)
    assert type(error) is ProtocolViolation
    assert error.outcome is Outcome.UNKNOWN


@EVERY_CALL
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((200, b"<html>welcome</html>", "text/html"), id="a page"),
        pytest.param((200, b"", ""), id="nothing"),
        pytest.param((200, b"v", ""), id="no content type"),
        pytest.param((200, b'{"success": true}', "text/plain"), id="other type"),
        pytest.param((200, b"{}", "application/json", "Content-Encoding: gzip"), id="gzip"),
    ],
)
def test_undocumented_answers_are_refused(
    wire: Any, operation: str, answer: tuple[Any, ...]
) -> None:
    error = _failed(wire, operation, wire.answer(*answer))
    assert type(error) is ProtocolViolation
    assert error.outcome is Outcome.UNKNOWN


@EVERY_CALL
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"true",
        b"{}",
        b'{"result": []}',
        b'{"success": 1, "result": {}}',
        b'{"success": "true", "result": {}}',
        b'{"success": true, "result": NaN}',
        b'{"success": false, "errors": [{"code": 10001, "message": "m"}]}',
        b"[" * 100_000,
    ],
    ids=lambda body: body[:30].decode("latin-1"),
)
def test_broken_envelopes_are_refused(wire: Any, operation: str, body: bytes) -> None:
    error = _failed(wire, operation, wire.answer(200, body))
    assert type(error) is ProtocolViolation
    assert error.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("operation", ["pull", "ack", "retry"])
@pytest.mark.parametrize("result", ["text", None, [], 5])
def test_results_of_another_form_are_refused(wire: Any, operation: str, result: Any) -> None:
    error = _failed(wire, operation, wire.envelope(result))
    assert type(error) is ProtocolViolation
    assert error.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "broken",
    [
        {"id": None},
        {"id": ""},
        {"lease_id": 5},
        {"lease_id": ""},
        {"lease_id": "é"},
        {"lease_id": "a\nb"},
        {"body": None},
        {"body": {"greeting": "hello"}},
        {"body": "\ud800"},
        {"attempts": "1"},
        {"attempts": -1},
        {"attempts": True},
        {"attempts": 1e308},
        {"timestamp_ms": None},
        {"body": "%", "metadata": {"CF-Content-Type": "bytes"}},
        {"body": "{", "metadata": {"CF-Content-Type": "json"}},
    ],
    ids=str,
)
def test_broken_messages_are_refused(wire: Any, broken: dict[str, Any]) -> None:
    error = _failed(wire, "pull", wire.pulled({}, broken))
    assert type(error) is ProtocolViolation
    assert error.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("messages", [5, {}, "text", [5], [None]])
def test_broken_lists_of_messages_are_refused(wire: Any, messages: Any) -> None:
    error = _failed(wire, "pull", wire.envelope({"messages": messages}))
    assert type(error) is ProtocolViolation


def test_more_messages_than_asked_for_are_refused(wire: Any) -> None:
    _, error = wire.run([wire.pulled({}, {})], lambda queue: queue.pull(limit=1))
    assert isinstance(error, ProtocolViolation)


@pytest.mark.parametrize("operation", ["ack", "retry"])
@pytest.mark.parametrize("count", [-1, 2, "1", True, 1e308, [1]])
def test_counts_that_cannot_be_are_refused(wire: Any, operation: str, count: Any) -> None:
    result = {"ackCount": count, "retryCount": count, "warnings": {}}
    error = _failed(wire, operation, wire.envelope(result))
    assert type(error) is ProtocolViolation
    assert error.outcome is Outcome.UNKNOWN


@EVERY_CALL
@pytest.mark.parametrize(
    "tail",
    [
        b"Content-Length: 100\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}",
        b"Content-Length: two\r\n\r\n{}",
        b"\r\n{}",
    ],
    ids=["cut", "cut chunk", "bad chunk", "two lengths", "no number", "no length"],
)
def test_broken_bodies_are_refused(wire: Any, operation: str, tail: bytes) -> None:
    async def step(writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + tail)
        await writer.drain()
        writer.close()

    error = _failed(wire, operation, step)
    assert type(error) is ProtocolViolation
    assert error.outcome is Outcome.UNKNOWN


@EVERY_CALL
@pytest.mark.parametrize("garbage", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 99])
def test_answers_that_are_no_http_are_refused(wire: Any, operation: str, garbage: bytes) -> None:
    async def step(writer: Any) -> None:
        writer.write(garbage)
        await writer.drain()
        writer.close()

    error = _failed(wire, operation, step)
    assert isinstance(error, ProtocolViolation | Unavailable)
    assert error.outcome is Outcome.UNKNOWN


def test_bodies_are_bounded(wire: Any) -> None:
    async def endless(writer: Any) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        while not writer.is_closing():
            writer.write(b"100000\r\n" + bytes(0x100000) + b"\r\n")
            await writer.drain()

    error = _failed(wire, "send", endless)
    assert type(error) is ProtocolViolation
    assert "longer than 4194304 bytes" in error.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 7", 7.0),
        ("Retry-After: 0", 0.0),
        ("Retry-After: 99999999", 99_999_999.0),
        ("Retry-After: -5", None),
        ("Retry-After: 1.5", None),
        ("Retry-After: soon", None),
        ("Retry-After: ", None),
        ("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Retry-After: Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("X-Other: 7", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(wire: Any, header: str, seconds: float | None, status: int) -> None:
    error = _failed(wire, "send", wire.refusal(status, 971, "slow down", header))
    assert error.retry_after_seconds == seconds
    assert isinstance(error, RateLimited if status == 429 else Unavailable)


@EVERY_CALL
def test_status_decides_where_an_errors_body_is_unusable(wire: Any, operation: str) -> None:
    async def step(writer: Any) -> None:
        writer.write(b"HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 999\r\n\r\n{")
        await writer.drain()
        writer.close()

    error = _failed(wire, operation, step)
    assert type(error) is RateLimited
    assert error.retry_after_seconds == 3.0
    assert error.outcome is Outcome.NOT_APPLIED


@EVERY_CALL
def test_token_is_in_no_error(wire: Any, operation: str) -> None:
    import traceback

    for answer in (
        wire.refusal(403, 10000, f"the token {wire.token} lacks a scope"),
        wire.answer(200, b"<html>", f"text/{wire.token}"),
        wire.answer(302, b"", "text/html", f"Location: https://x/?t={wire.token}"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    ):
        _, error = wire.run([answer], CALLS[operation])
        assert isinstance(error, ProviderError)
        shown = "".join(traceback.TracebackException.from_exception(error).format())
        assert wire.token not in shown
        assert error.__cause__ is None
        assert error.__context__ is None
