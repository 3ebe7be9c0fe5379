"""What a client sends is a request or a BadRequest, whatever lengths it claims."""

import socket

import pytest
from flows_registry.lab.references.exchange import Request
from flows_registry.lab.server import http_wire
from flows_registry.lab.server.http_wire import BadRequest, Reader

pytestmark = pytest.mark.feature("P4-03")

CHUNKED = "Transfer-Encoding: chunked"


def _read(header: str, body: bytes) -> Request | None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(f"PUT / HTTP/1.1\r\n{header}\r\n\r\n".encode() + body)
        theirs.shutdown(socket.SHUT_WR)
        return Reader(ours).request("http", "host")


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("Content-Length: 5", b"value"),
        (CHUNKED, b"2\r\nva\r\n3;x=y\r\nlue\r\n0\r\n\r\n"),
        (CHUNKED, b"0005 \r\nvalue\r\n0\r\nTrailer: x\r\n\r\n"),
    ],
)
def test_an_honest_body_is_read(header: str, body: bytes) -> None:
    request = _read(header, body)
    assert request is not None
    assert request.body == b"value"


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("Content-Length: -5", b"value"),
        ("Content-Length: +5", b"value"),
        ("Content-Length: 0_5", b"value"),
        ("Content-Length: five", b"value"),
        ("Content-Length: 11", b"0123456789a"),
        (CHUNKED, b"-5\r\nvalue\r\n0\r\n\r\n"),
        (CHUNKED, b"0x5\r\nvalue\r\n0\r\n\r\n"),
        (CHUNKED, b"b\r\n0123456789a\r\n0\r\n\r\n"),
        (CHUNKED, b"6\r\n012345\r\n" * 2 + b"0\r\n\r\n"),
        (CHUNKED, b"5\r\nvalue\r\n"),
    ],
)
def test_a_dishonest_or_boundless_one_is_refused(
    header: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_wire, "BODY_BYTES_MAX", 10)
    with pytest.raises(BadRequest):
        _read(header, body)
