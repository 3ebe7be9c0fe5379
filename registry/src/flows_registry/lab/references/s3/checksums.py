"""The checksums of S3, declared by name: how a body is summed and how a declared sum is checked."""

import base64
import binascii
import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Final

from flows_registry.lab.references.s3.refusals import Refusal

__all__ = ["ALGORITHMS", "checksum", "composite", "declared", "verify_declared", "verify_md5"]


@cache
def _tables(polynomial: int) -> tuple[tuple[int, ...], ...]:
    """Eight tables: the n-th says what a byte comes to once n more bytes have followed it."""
    first: list[int] = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ polynomial if value & 1 else value >> 1
        first.append(value)
    tables = [tuple(first)]
    for _ in range(7):
        tables.append(tuple(first[value & 0xFF] ^ (value >> 8) for value in tables[-1]))
    return tuple(tables)


def _reflected_crc(data: bytes, polynomial: int, ones: int) -> int:
    """Eight bytes a step: the standard library has neither of these, and parts are megabytes."""
    t0, t1, t2, t3, t4, t5, t6, t7 = _tables(polynomial)
    value, whole = ones, len(data) & ~7
    for (word,) in struct.iter_unpack("<Q", memoryview(data)[:whole]):
        word ^= value  # noqa: PLW2901
        value = (
            t7[word & 0xFF]
            ^ t6[word >> 8 & 0xFF]
            ^ t5[word >> 16 & 0xFF]
            ^ t4[word >> 24 & 0xFF]
            ^ t3[word >> 32 & 0xFF]
            ^ t2[word >> 40 & 0xFF]
            ^ t1[word >> 48 & 0xFF]
            ^ t0[word >> 56]
        )
    for byte in data[whole:]:
        value = t0[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ ones


def _crc32(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")


def _crc32c(data: bytes) -> bytes:
    return _reflected_crc(data, 0x82F63B78, 0xFFFF_FFFF).to_bytes(4, "big")


def _crc64nvme(data: bytes) -> bytes:
    return _reflected_crc(data, 0x9A6C9329AC4BC9B5, 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "big")


ALGORITHMS: Final[Mapping[str, tuple[int, Callable[[bytes], bytes]]]] = {
    "crc32": (4, _crc32),
    "crc32c": (4, _crc32c),
    "crc64nvme": (8, _crc64nvme),
    "sha1": (20, lambda data: hashlib.sha1(data, usedforsecurity=False).digest()),
    "sha256": (32, lambda data: hashlib.sha256(data).digest()),
}
"""Name → (size in bytes, how to compute it).

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""


def checksum(algorithm: str, data: bytes) -> str:
    """The checksum of data, in the base64 that headers carry."""
    return base64.b64encode(ALGORITHMS[algorithm][1](data)).decode()


def composite(algorithm: str, parts: Iterable[str]) -> str:
    """The checksum of a multipart object: of its parts' checksums, and how many they were."""
    sums = [base64.b64decode(part) for part in parts]
    return f"{checksum(algorithm, b''.join(sums))}-{len(sums)}"


def declared(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The checksums among these headers, by algorithm."""
    found: dict[str, str] = {}
    for name, value in headers:
        algorithm = name.removeprefix("x-amz-checksum-")
        if algorithm != name and algorithm in ALGORITHMS:
            found[algorithm] = value.strip()
    return found


def verify_declared(sums: Mapping[str, str], data: bytes) -> None:
    """Compare declared checksums with the data.

    Raises:
        Refusal: InvalidDigest for a malformed sum, BadDigest for a wrong one, InvalidRequest for
            more than one.
    """
    if len(sums) > 1:
        raise Refusal("InvalidRequest", "Expecting a single x-amz-checksum- header")
    for algorithm, value in sums.items():
        size, compute = ALGORITHMS[algorithm]
        if _decoded(value, size) != compute(data):
            raise Refusal(
                "BadDigest",
                f"The {algorithm.upper()} you specified did not match the calculated checksum.",
            )


def verify_md5(value: str | None, digest: bytes) -> None:
    """Compare a Content-MD5 header with the data's MD5.

    Raises:
        Refusal: InvalidDigest for a malformed header, BadDigest for a wrong one.
    """
    if value is not None and _decoded(value, 16) != digest:
        raise Refusal("BadDigest", "The Content-MD5 you specified did not match what we received.")


def _decoded(value: str, size: int) -> bytes:
    try:
        raw = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != size:
        raise Refusal("InvalidDigest")
    return raw
