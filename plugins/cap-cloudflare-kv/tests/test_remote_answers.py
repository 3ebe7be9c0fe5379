"""What `remote` makes of answers: the class of each error, its outcome, and nothing accepted."""

import json
from typing import Any

import pytest
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

pytestmark = pytest.mark.feature("W2-01", "P4-03", "AL-07")

CALLS = {
    "get": lambda kv: kv.get("a"),
    "get_with_metadata": lambda kv: kv.get_with_metadata("a"),
    "get_many": lambda kv: kv.get_many(["a"]),
    "list": lambda kv: kv.list(),
    "put": lambda kv: kv.put("a", b"v"),
    "put_many": lambda kv: kv.put_many({"a": b"v"}),
    "delete": lambda kv: kv.delete("a"),
    "delete_many": lambda kv: kv.delete_many(["a"]),
}
READS = ("get", "get_with_metadata", "get_many", "list")
EVERY_CALL = pytest.mark.parametrize("operation", CALLS)


def _outcome(operation: str) -> Outcome:
    return Outcome.NOT_APPLIED if operation in READS else Outcome.UNKNOWN


def _failed(wire: Any, operation: str, *steps: bytes) -> ProviderError:
    script, error = wire.run(steps, CALLS[operation])
    assert isinstance(error, ProviderError), error
    assert len(script.requests) == 1, "nothing is repeated"
    return error


@EVERY_CALL
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 10021, InvalidArgument),
        (400, 6003, Unauthenticated),
        (400, 10011, ContainerNotFound),
        (400, 10022, RateLimited),
        (401, 10000, Unauthenticated),
        (403, 10000, PermissionDenied),
        (404, 10013, ContainerNotFound),
        (404, 7003, ContainerNotFound),
        (404, 0, ContainerNotFound),
        (405, 10000, ProtocolViolation),
        (409, 0, Conflict),
        (412, 0, PreconditionFailed),
        (413, 10024, InvalidArgument),
        (414, 10030, InvalidArgument),
        (418, 0, ProtocolViolation),
        (422, 0, InvalidArgument),
        (429, 971, RateLimited),
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
def test_5xx_leaves_a_write_unknown(wire: Any, operation: str, status: int) -> None:
    error = _failed(wire, operation, wire.answer(status, b"<html>", "text/html"))
    assert type(error) is Unavailable
    assert error.outcome is _outcome(operation)


@EVERY_CALL
@pytest.mark.parametrize("status", [201, 202, 204, 206, 299, 300, 301, 302, 303, 304, 307, 308])
def test_other_2xx_and_3xx_are_never_success(wire: Any, operation: str, status: int) -> None:
    body = b"" if status in (204, 304) else b'{"success": true, "result": {}}'
    moved = wire.answer(status, body, "application/json", "Location: /elsewhere")
    error = _failed(wire, operation, moved)
    assert type(error) is ProtocolViolation
    assert error.outcome is _outcome(operation)


@EVERY_CALL
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((200, b"<html>welcome</html>", "text/html"), id="a page"),
        pytest.param((200, b"", ""), id="nothing"),
        pytest.param((200, b"v", ""), id="no content type"),
        pytest.param((200, b'{"success": true}', "text/plain"), id="other type"),
        pytest.param((200, b"v", "application/octet-stream", "Content-Encoding: gzip"), id="gzip"),
    ],
)
def test_undocumented_answers_are_refused(
    wire: Any, operation: str, answer: tuple[Any, ...]
) -> None:
    error = _failed(wire, operation, wire.answer(*answer))
    assert type(error) is ProtocolViolation
    assert error.outcome is _outcome(operation)


@pytest.mark.parametrize(
    "operation", [name for name in CALLS if name not in ("get", "get_with_metadata")]
)
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
    assert error.outcome is _outcome(operation)


@pytest.mark.parametrize("operation", ["get_many", "list", "put_many", "delete_many"])
def test_results_of_another_form_are_refused(wire: Any, operation: str) -> None:
    error = _failed(wire, operation, wire.envelope("text"))
    assert type(error) is ProtocolViolation
    assert error.outcome is _outcome(operation)


@pytest.mark.parametrize(
    "content",
    [
        {"result": [{"nam": "a"}], "result_info": {}},
        {"result": [{"name": 5}], "result_info": {}},
        {"result": [{"name": ""}], "result_info": {}},
        {"result": [{"name": "\ud800"}], "result_info": {}},
        {"result": ["a"], "result_info": {}},
        {"result": {}, "result_info": {}},
        {"result": None},
        {"result": [{"name": "a", "expiration": "soon"}], "result_info": {}},
        {"result": [{"name": "a"}], "result_info": {"cursor": 5}},
        {"result": [{"name": f"{n:04}"} for n in range(1000)]},
        {"result": [], "result_info": []},
    ],
    ids=lambda content: json.dumps(content)[:40],
)
def test_broken_listings_are_refused(wire: Any, content: dict[str, Any]) -> None:
    error = _failed(wire, "list", wire.envelope(**content))
    assert type(error) is ProtocolViolation


def test_listing_of_other_keys_is_refused(wire: Any) -> None:
    _, error = wire.run(
        [wire.envelope([{"name": "b"}], result_info={})], lambda kv: kv.list(prefix="a")
    )
    assert isinstance(error, ProtocolViolation)


@pytest.mark.parametrize("values", [None, [], {"a": 5}, {"a": ["v"]}, {"a": True}])
def test_broken_bulk_values_are_refused(wire: Any, values: Any) -> None:
    error = _failed(wire, "get_many", wire.envelope({"values": values}))
    assert type(error) is ProtocolViolation


@pytest.mark.parametrize("operation", ["put_many", "delete_many"])
def test_partly_failed_bulk_write_is_unknown(wire: Any, operation: str) -> None:
    result = {"successful_key_count": 0, "unsuccessful_keys": ["a"]}
    error = _failed(wire, operation, wire.envelope(result))
    assert type(error) is Unavailable
    assert error.outcome is Outcome.UNKNOWN
    assert "1 of 1 keys" in error.message


def test_miscounted_bulk_write_is_refused(wire: Any) -> None:
    error = _failed(wire, "put_many", wire.envelope({"successful_key_count": 5}))
    assert type(error) is ProtocolViolation
    assert error.outcome is Outcome.UNKNOWN


def test_absence_needs_the_vendors_code(wire: Any) -> None:
    _, value = wire.run([wire.not_found], CALLS["get"])
    assert value is None
    _, value = wire.run([wire.not_found], CALLS["delete"])
    assert value is None
    for operation in ("get", "get_with_metadata", "delete"):
        for answer in (
            wire.answer(404, b"<html>", "text/html"),
            wire.answer(404),
            wire.answer(404, b'{"errors": [{"code": 10009}]}'),
            wire.answer(404, b'{"success": false, "errors": [{"code": 10009}]}', "text/html"),
            wire.refusal(403, 10009, "key not found"),
        ):
            error = _failed(wire, operation, answer)
            assert error.outcome is Outcome.NOT_APPLIED
    for operation in ("put", "put_many", "delete_many", "list", "get_many"):
        assert type(_failed(wire, operation, wire.not_found)) is ContainerNotFound


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
    kind = b"application/octet-stream" if operation.startswith("get") else b"application/json"
    kind = b"application/json" if operation == "get_many" else kind

    async def step(writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n" + tail)
        await writer.drain()
        writer.close()

    error = _failed(wire, operation, step)
    assert type(error) is ProtocolViolation
    assert error.outcome is _outcome(operation)


@EVERY_CALL
@pytest.mark.parametrize("garbage", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 99])
def test_answers_that_are_no_http_are_refused(wire: Any, operation: str, garbage: bytes) -> None:
    async def step(writer: Any) -> None:
        writer.write(garbage)
        await writer.drain()
        writer.close()

    error = _failed(wire, operation, step)
    assert isinstance(error, ProtocolViolation | Unavailable)
    assert error.outcome is _outcome(operation)


def test_bodies_are_bounded(wire: Any) -> None:
    async def endless(writer: Any) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        while not writer.is_closing():
            writer.write(b"100000\r\n" + bytes(0x100000) + b"\r\n")
            await writer.drain()

    error = _failed(wire, "get", endless)
    assert type(error) is ProtocolViolation
    assert "longer than 26214400 bytes" in error.message


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
    error = _failed(wire, "put", wire.refusal(status, 971, "slow down", header))
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
