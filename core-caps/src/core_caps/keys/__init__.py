"""Canonical CBOR, BLAKE3 and the idempotency key made of both."""

from core_caps.keys.blake3 import digest, digest_pure
from core_caps.keys.cbor import DEPTH_MAX, SIZE_BYTES_MAX, encode
from core_caps.keys.compiled import KeyFunction, compile_key
from core_caps.keys.idempotency import (
    PAYLOAD_SIZE_BYTES_MAX,
    IdempotencyKey,
    idempotency_key,
    payload_digest,
)
from core_caps.keys.schema import KeySchema, nullable

__all__ = [
    "DEPTH_MAX",
    "PAYLOAD_SIZE_BYTES_MAX",
    "SIZE_BYTES_MAX",
    "IdempotencyKey",
    "KeyFunction",
    "KeySchema",
    "compile_key",
    "digest",
    "digest_pure",
    "encode",
    "idempotency_key",
    "nullable",
    "payload_digest",
]
