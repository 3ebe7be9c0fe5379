"""Histories at the edges of what the vendor documents for Workers KV, for `kv/1`.

https://developers.cloudflare.com/kv/platform/limits/ and
https://developers.cloudflare.com/kv/api/write-key-value-pairs/
"""

from collections.abc import Mapping
from typing import cast

from core_caps.contract.suite import Call

__all__ = ["KV_BOUNDARIES"]

_KEY_EDGE = "k" * 512  # https://developers.cloudflare.com/kv/platform/limits/
_METADATA_EDGE = {"note": "m" * (1024 - len('{"note":""}'))}


def _refused_then_read(*call: object, **named: object) -> tuple[Call, ...]:
    """A put that meets an edge over an existing value, and what is there afterwards."""
    return (
        Call("put", ("edge", b"before"), {"metadata": {"first": True}}),
        Call("put", ("edge", *call), cast("Mapping[str, object]", named)),
        Call("get", ("edge",)),
        Call("get_with_metadata", ("edge",)),
        Call("list"),
    )


KV_BOUNDARIES: Mapping[str, tuple[Call, ...]] = {
    "ttl of 59 s": _refused_then_read(b"v", ttl_seconds=59),
    "ttl of 60 s": _refused_then_read(b"v", ttl_seconds=60),
    "ttl of 0 s": _refused_then_read(b"v", ttl_seconds=0),
    "metadata of 1024 bytes": _refused_then_read(b"v", metadata=_METADATA_EDGE),
    "metadata of 1025 bytes": _refused_then_read(
        b"v", metadata={"note": _METADATA_EDGE["note"] + "m"}
    ),
    "key of 512 bytes": (
        Call("put", (_KEY_EDGE, b"v")),
        Call("get", (_KEY_EDGE,)),
        Call("list", (), {"prefix": _KEY_EDGE}),
        Call("delete", (_KEY_EDGE,)),
        Call("get", (_KEY_EDGE,)),
    ),
    "key of 513 bytes": (
        Call("put", (_KEY_EDGE + "k", b"v")),
        Call("get", (_KEY_EDGE + "k",)),
        Call("delete", (_KEY_EDGE + "k",)),
        Call("list"),
    ),
    "key of 257 two-byte letters": (
        Call("put", ("é" * 257, b"v")),
        Call("get", ("é" * 257,)),
        Call("list"),
    ),
    "reserved keys": (*(Call("put", (key, b"v")) for key in ("", ".", "..")), Call("list")),
    "list limit of 1001": (Call("put", ("a", b"v")), Call("list", (), {"limit": 1001})),
    "order of keys": (
        *(
            Call("put", (key, key.encode()))
            for key in (
                "b",
                "a",
                "B",
                "é",
                "z",
                "\U0001f600",
                "ﬀ",
                "a/b",
                "a b",
                "a%2Fb",
                "10",
                "9",
            )
        ),
        Call("list"),
        Call("list", (), {"prefix": "a"}),
        Call("list", (), {"limit": 5}),
        Call("get", ("a%2Fb",)),
        Call("get", ("a/b",)),
    ),
    "overwriting drops metadata": (
        Call("put", ("k", b"1"), {"metadata": {"a": 1}, "ttl_seconds": 3600}),
        Call("put", ("k", b"2")),
        Call("get_with_metadata", ("k",)),
        Call("list"),
    ),
    "empty value, and bytes that are no text": (
        Call("put", ("empty", b"")),
        Call("put", ("bytes", bytes(range(256)))),
        Call("get", ("empty",)),
        Call("get_with_metadata", ("empty",)),
        Call("get", ("bytes",)),
        Call("list"),
    ),
    "metadata of every JSON kind": (
        Call(
            "put",
            ("k", b"v"),
            {"metadata": {"t": "é\U0001f600", "n": None, "b": False, "i": 7, "l": [1, {"x": ""}]}},
        ),
        Call("get_with_metadata", ("k",)),
        Call("list"),
        Call("put", ("k", b"v"), {"metadata": {}}),
        Call("get_with_metadata", ("k",)),
    ),
}
"""Histories at the edges that the vendor documents. The greatest value (25 MiB) is not among
them: it would cost more than all others together, and the contract's own cases hold it."""
