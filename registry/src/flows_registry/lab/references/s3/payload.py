"""A request's body as it was meant: plain, or decoded from aws-chunked and every sum verified.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from flows_registry.lab.references.exchange import Request
from flows_registry.lab.references.s3.checksums import declared
from flows_registry.lab.references.s3.refusals import Refusal
from flows_registry.lab.references.s3.signing import UNSIGNED, Signed, sign

__all__ = ["Payload", "read_payload"]

_SIGNED: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_TRAILER: Final = "-TRAILER"
_STREAMING: Final = frozenset({_SIGNED, _SIGNED + _TRAILER, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
_EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()
_SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}\Z")


@dataclass(frozen=True, slots=True)
class Payload:
    """The decoded body.

    Attributes:
        data: the bytes.
        sums: the checksums declared for them, in headers or trailers, by algorithm.
    """

    data: bytes
    sums: dict[str, str]


def read_payload(request: Request, signed: Signed) -> Payload:
    """The body, decoded, its hash or its chunks' signatures verified.

    Raises:
        Refusal: XAmzContentSHA256Mismatch, SignatureDoesNotMatch, IncompleteBody, InvalidRequest.
    """
    sums = declared(request.headers)
    if signed.payload in _STREAMING:
        data, trailers = _decode(request, signed)
        return Payload(data, sums | declared(trailers))
    if signed.payload != UNSIGNED:
        if _SHA256.match(signed.payload) is None:
            raise Refusal("InvalidArgument", "x-amz-content-sha256 must be a valid value")
        if hashlib.sha256(request.body).hexdigest() != signed.payload.lower():
            raise Refusal("XAmzContentSHA256Mismatch")
    return Payload(request.body, sums)


def _decode(request: Request, signed: Signed) -> tuple[bytes, list[tuple[str, str]]]:
    length = request.header("x-amz-decoded-content-length")
    if length is None or not (length.isascii() and length.isdigit()):
        raise Refusal("MissingContentLength")
    body, position, previous = request.body, 0, signed.signature
    chunks: list[bytes] = []
    while True:
        line, position = _line(body, position)
        size_text, _, extension = line.partition(b";")
        if _SIZE.match(size_text) is None:
            raise Refusal("IncompleteBody", "a chunk's header is malformed")
        size = int(size_text, 16)
        chunk = body[position : position + size]
        position += size
        if len(chunk) != size or (size and body[position : position + 2] != b"\r\n"):
            raise Refusal("IncompleteBody", "a chunk is not as long as its header says")
        if signed.payload.startswith(_SIGNED):
            previous = _verify_chunk(signed, previous, extension, chunk)
        if size == 0:
            break
        position += 2
        chunks.append(chunk)
    data = b"".join(chunks)
    if len(data) != int(length):
        raise Refusal("IncompleteBody", "x-amz-decoded-content-length is not the length received")
    if not signed.payload.endswith(_TRAILER):
        return data, []
    return data, _trailers(request, signed, previous, body[position:])


def _line(body: bytes, position: int) -> tuple[bytes, int]:
    end = body.find(b"\r\n", position)
    if end < 0:
        raise Refusal("IncompleteBody")
    return body[position:end], end + 2


def _verify_chunk(signed: Signed, previous: str, extension: bytes, chunk: bytes) -> str:
    claimed = extension.removeprefix(b"chunk-signature=").decode("latin-1")
    digest = hashlib.sha256(chunk).hexdigest()
    text = (
        f"AWS4-HMAC-SHA256-PAYLOAD\n{signed.date}\n{signed.scope}\n{previous}\n"
        f"{_EMPTY_SHA256}\n{digest}"
    )
    expected = sign(signed.key, text.encode())
    if not hmac.compare_digest(expected.encode(), claimed.encode()):
        raise Refusal("SignatureDoesNotMatch", "The chunk signature does not match.")
    return expected


def _trailers(
    request: Request, signed: Signed, previous: str, rest: bytes
) -> list[tuple[str, str]]:
    """The trailers after the last chunk: exactly those that `x-amz-trailer` announced."""
    found: list[tuple[str, str]] = []
    for line in rest.split(b"\r\n"):
        # Some clients end trailers with a bare line feed; the signature is over that form.
        name, colon, value = line.strip(b"\n").decode("latin-1").partition(":")
        if colon:
            found.append((name.strip().lower(), value.strip()))
    claimed = dict(found).get("x-amz-trailer-signature", "")
    found = [(name, value) for name, value in found if name != "x-amz-trailer-signature"]
    announced = [
        name.strip().lower() for name in (request.header("x-amz-trailer") or "").split(",")
    ]
    if sorted(name for name, _ in found) != sorted(filter(None, announced)):
        raise Refusal("InvalidRequest", "The trailers are not those x-amz-trailer announced.")
    if signed.payload.startswith(_SIGNED):
        canonical = "".join(f"{name}:{value}\n" for name, value in found)
        digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
        text = f"AWS4-HMAC-SHA256-TRAILER\n{signed.date}\n{signed.scope}\n{previous}\n{digest}"
        if not hmac.compare_digest(sign(signed.key, text.encode()), claimed):
            raise Refusal("SignatureDoesNotMatch", "The trailer signature does not match.")
    return found
