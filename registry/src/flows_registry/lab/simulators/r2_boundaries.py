"""Histories at the edges of what the vendor documents for R2, for `blob/1`.

https://developers.cloudflare.com/r2/platform/limits/ and
https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
"""

import hashlib
from collections.abc import Mapping

from core_caps.capabilities.blob_store import ByteRange, HttpMetadata
from core_caps.contract.suite import Call, Result, Stream

__all__ = ["R2_BOUNDARIES"]

_KEY_EDGE = "k" * 1024
_MEBIBYTE = 1024 * 1024
_METADATA_INSIDE = 8000
_METADATA_OUTSIDE = 8400
_HTTP = HttpMetadata(
    content_type="text/plain; charset=utf-8",
    content_language="en",
    content_disposition='attachment; filename="a.txt"',
    content_encoding="identity",
    cache_control="max-age=60",
    expires_at=2_000_000_000,
)
_PINNED = b"pinned"
_PINNED_KEY = f"sha256:{hashlib.sha256(_PINNED).hexdigest()}"


def _metadata(size_bytes: int) -> tuple[Call, ...]:
    return (
        Call("put", ("k", b"before"), {"metadata": {"first": "1"}}),
        Call("put", ("k", b"after"), {"metadata": {"note": "m" * (size_bytes - len("note"))}}),
        Call("head", ("k",)),
        Call("get", ("k",)),
    )


def _range(name: str, *ranges: ByteRange) -> dict[str, tuple[Call, ...]]:
    stored = {"ten bytes": b"0123456789", "an empty object": b""}
    return {
        f"{name} of {what}": (
            Call("put", ("k", data)),
            *(Call("get", ("k",), {"range": wanted}) for wanted in ranges),
        )
        for what, data in stored.items()
    }


R2_BOUNDARIES: Mapping[str, tuple[Call, ...]] = {
    "key of 1024 bytes": (
        Call("put", (_KEY_EDGE, b"v")),
        Call("get", (_KEY_EDGE,)),
        Call("head", (_KEY_EDGE,)),
        Call("list"),
        Call("delete", (_KEY_EDGE,)),
        Call("head", (_KEY_EDGE,)),
    ),
    "key of 1025 bytes": (
        Call("put", (_KEY_EDGE + "k", b"v")),
        Call("get", (_KEY_EDGE + "k",)),
        Call("list"),
    ),
    "key of 513 two-byte letters": (Call("put", ("é" * 513, b"v")), Call("list")),
    "metadata of 2000 bytes": _metadata(2000),
    "metadata of 8000 bytes": _metadata(_METADATA_INSIDE),
    "metadata of 8400 bytes": _metadata(_METADATA_OUTSIDE),
    "list limit of 1001": (Call("put", ("a", b"v")), Call("list", (), {"limit": 1001})),
    "list limit of 0": (Call("put", ("a", b"v")), Call("list", (), {"limit": 0})),
    **_range("range inside", ByteRange(2, 3), ByteRange(0, 10), ByteRange(4), ByteRange(None, 3)),
    **_range("range over the end", ByteRange(8, 100), ByteRange(None, 100), ByteRange(9, 1)),
    **_range("range at the end", ByteRange(10), ByteRange(10, 1)),
    **_range("range beyond the end", ByteRange(11), ByteRange(1000, 5)),
    "conditional put": (
        Call("put", ("k", b"1"), {"if_none_match": "*"}),
        Call("put", ("k", b"2"), {"if_none_match": "*"}),
        Call("get", ("k",)),
        Call("put", ("k", b"3"), {"if_match": Result(0, "etag")}),
        Call("put", ("k", b"4"), {"if_match": Result(0, "etag")}),
        Call("get", ("k",)),
        Call("put", ("absent", b"5"), {"if_match": Result(0, "etag")}),
        Call("list"),
    ),
    "conditional get": (
        Call("put", ("k", b"1")),
        Call("get", ("k",), {"if_match": Result(0, "etag")}),
        Call("get", ("k",), {"if_none_match": Result(0, "etag")}),
        Call("put", ("k", b"2")),
        Call("get", ("k",), {"if_match": Result(0, "etag")}),
        Call("get", ("k",), {"if_none_match": Result(0, "etag")}),
        Call("get", ("absent",), {"if_match": Result(0, "etag")}),
        Call("open", ("k",), {"if_match": Result(0, "etag")}),
        Call("open", ("k",), {"if_match": Result(3, "etag")}),
    ),
    "the etag of a listing and of a head": (
        Call("put", ("k", b"1")),
        Call("head", ("k",)),
        Call("put", ("k", b"2"), {"if_match": Result(1, "etag")}),
        Call("get", ("k",)),
    ),
    "overwriting drops metadata": (
        Call("put", ("k", b"1"), {"metadata": {"a": "1"}, "http": _HTTP}),
        Call("head", ("k",)),
        Call("put", ("k", b"2"), {"metadata": {"b": "2"}}),
        Call("head", ("k",)),
        Call("put", ("k", b"3")),
        Call("get", ("k",)),
    ),
    "HTTP metadata": (
        Call("put", ("k", b"1"), {"http": _HTTP}),
        Call("get", ("k",)),
        Call("head", ("k",)),
        Call("put", ("plain", b"1")),
        Call("head", ("plain",)),
    ),
    "custom metadata": (
        Call("put", ("k", b"1"), {"metadata": {"plain": "value", "spaced": "a  b", "empty": "x"}}),
        Call("head", ("k",)),
        Call("get", ("k",)),
    ),
    "copy": (
        Call("copy", ("absent", "target")),
        Call("put", ("source", b"1"), {"metadata": {"a": "1"}, "http": _HTTP}),
        Call("put", ("target", b"old"), {"metadata": {"b": "2"}}),
        Call("copy", ("source", "target")),
        Call("get", ("target",)),
        Call("get", ("source",)),
        Call("list"),
    ),
    "streams": (
        Call("put", ("k", Stream((b"ab", b"", b"cd")))),
        Call("get", ("k",)),
        Call("put", ("sized", Stream((b"ab", b"cd"))), {"size_bytes": 4}),
        Call("open", ("sized",)),
        Call("put", ("empty", Stream(()))),
        Call("get", ("empty",)),
        Call("head", ("empty",)),
    ),
    "a stream of several parts": (
        Call("put", ("k", Stream((b"p" * _MEBIBYTE,) * 9)), {"metadata": {"a": "1"}}),
        Call("head", ("k",)),
        Call("get", ("k",), {"range": ByteRange(5 * _MEBIBYTE - 2, 4)}),
        Call("put", ("k", b"small"), {"if_match": Result(0, "etag")}),
        Call("get", ("k",)),
    ),
    "a stream of another size than said": (
        Call("put", ("k", b"old")),
        Call("put", ("k", Stream((b"ab", b"cd"))), {"size_bytes": 5}),
        Call("get", ("k",)),
        Call("put", ("k", Stream((b"ab", b"cd"))), {"size_bytes": 3}),
        Call("get", ("k",)),
    ),
    "a stream that breaks": (
        Call("put", ("k", b"old")),
        Call("put", ("k", Stream((b"ab", b"cd"), breaks_after=1))),
        Call("get", ("k",)),
        Call("put", ("new", Stream((b"ab", b"cd"), breaks_after=2))),
        Call("head", ("new",)),
        Call("list"),
    ),
    "absence": (
        Call("get", ("absent",)),
        Call("head", ("absent",)),
        Call("open", ("absent",)),
        Call("delete", ("absent",)),
        Call("list"),
    ),
    "order of keys, and folders": (
        *(
            Call("put", (key, key.encode()))
            for key in ("b", "a/b", "a/c/d", "a/", "B", "é", "\U0001f600", "ﬀ", "a b+c&d", "a%2Fb")
        ),
        Call("list"),
        Call("list", (), {"prefix": "a"}),
        Call("list", (), {"delimiter": "/"}),
        Call("list", (), {"delimiter": "/", "prefix": "a/"}),
        Call("list", (), {"limit": 3}),
        Call("get", ("a%2Fb",)),
        Call("get", ("a b+c&d",)),
        Call("delete", ("a/b",)),
        Call("list", (), {"prefix": "a/"}),
    ),
    "pinned reads": (
        Call("put", (_PINNED_KEY, _PINNED)),
        Call("get_by_hash", (_PINNED_KEY,)),
        Call("put", (_PINNED_KEY, b"other")),
        Call("get_by_hash", (_PINNED_KEY,)),
        Call("delete", (_PINNED_KEY,)),
        Call("get_by_hash", (_PINNED_KEY,)),
        Call("get_by_hash", ("sha256:short",)),
    ),
}
