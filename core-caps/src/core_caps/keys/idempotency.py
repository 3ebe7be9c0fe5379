"""The idempotency key: one name for one piece of work, the same on every attempt.

    key = BLAKE3(canonical CBOR of {"f": flow, "n": node, "p": partition, "x": fields})

The key says *which* work is meant and never *how often* it was tried: no attempt number, no clock,
no random part. `docs/idempotency-key.md` writes the format down for other languages.
"""

from collections.abc import Mapping
from typing import Self, cast

from core_caps.errors import NoCanonicalForm
from core_caps.keys.blake3 import DIGEST_SIZE_BYTES, digest
from core_caps.keys.cbor import SIZE_BYTES_MAX, encode

__all__ = ["PAYLOAD_SIZE_BYTES_MAX", "IdempotencyKey", "idempotency_key", "payload_digest"]

PAYLOAD_SIZE_BYTES_MAX = 64 * 1_048_576
"""The longest canonical encoding that `payload_digest` accepts."""


class IdempotencyKey(bytes):
    """The 32 bytes of a key; `str(key)` is its 64 hexadecimal digits, as a header carries them."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `str(key)` wrote.

        Raises:
            ValueError: the text is not 64 hexadecimal digits.
        """
        key = cls.fromhex(text)
        if len(key) != DIGEST_SIZE_BYTES or len(text) != 2 * DIGEST_SIZE_BYTES:
            raise ValueError(f"a key has {2 * DIGEST_SIZE_BYTES} hexadecimal digits: {text[:80]!r}")
        return key

    def __str__(self) -> str:
        return self.hex()

    def __repr__(self) -> str:
        return f"IdempotencyKey({self.hex()!r})"


def idempotency_key(
    flow: str, node: str, partition: str, fields: Mapping[str, object]
) -> IdempotencyKey:
    """The key of one piece of work.

    `compile_key` gives the same bytes several times as fast where the fields have a schema.

    Args:
        flow: the flow's id.
        node: the node's id within the flow.
        partition: what the work belongs to (a customer, a shard); may be empty.
        fields: a dict of what identifies the work, and nothing that changes from one attempt to
            the next.

    Raises:
        NoCanonicalForm: a part is not text, or the fields have no single encoding (IDEM025).
    """
    return IdempotencyKey(digest(key_cbor(flow, node, partition, fields)))


def key_cbor(flow: str, node: str, partition: str, fields: object) -> bytes:
    """The bytes that a key is the digest of.

    Raises:
        NoCanonicalForm: as `idempotency_key` (IDEM025).
    """
    if type(fields) is not dict:
        raise NoCanonicalForm(
            f"the fields of a key are of type {type(fields).__name__}, not a dict",
            hint="give each field a name: {'invoice': invoice_id}",
        )
    written = encode(cast("object", fields))
    data = b"".join((*key_prefix(flow, node), text_part("partition", partition), b"\x61x", written))
    if len(data) > SIZE_BYTES_MAX:
        raise NoCanonicalForm(
            f"the key's encoding has {len(data)} bytes, and {SIZE_BYTES_MAX} are allowed",
            hint="use the digest of what is large, or fewer fields",
        )
    return data


def key_prefix(flow: str, node: str) -> tuple[bytes, ...]:
    """The encoding up to the partition's value, which is the same for every key of a node.

    Raises:
        NoCanonicalForm: a part is not text (IDEM025).
    """
    return (
        b"\xa4",
        b"\x61f" + text_part("flow", flow),
        b"\x61n" + text_part("node", node),
        b"\x61p",
    )


def text_part(name: str, value: object) -> bytes:
    """One of the key's own three texts, encoded.

    Raises:
        NoCanonicalForm: it is not text, or holds a lone surrogate; `name` says which (IDEM025).
    """
    if type(value) is not str:
        raise NoCanonicalForm(
            f"the {name} of a key is of type {type(value).__name__}, not text",
            hint="use str(value)",
        )
    try:
        return encode(value)
    except NoCanonicalForm as error:
        message = error.message.replace("$", f"the {name} of a key", 1)
        raise NoCanonicalForm(message, hint=error.hint) from None


def payload_digest(value: object) -> bytes:
    """The 32-byte digest of a payload, stored beside its key so that a collision is seen.

    Two calls with one key and different payload digests are two pieces of work that were given
    one name by mistake.

    Raises:
        NoCanonicalForm: the payload has no single encoding, or a longer one than
            `PAYLOAD_SIZE_BYTES_MAX` (IDEM025).
    """
    return digest(encode(value, size_bytes_max=PAYLOAD_SIZE_BYTES_MAX))
