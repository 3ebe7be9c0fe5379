"""At least one way to use each operation: what the certifier meets with faults."""

import hashlib

from core_caps.capabilities.blob_store import ByteRange
from core_caps.contract.blob_store.metadata import CUSTOM, HTTP
from core_caps.contract.suite import PERSONAL_CONTENT, Call, Exercise, Grant, Result, Stream

__all__ = ["EXERCISES"]

_BYTES = bytes(range(256))
_KEY, _OTHER, _TRICKY = "greeting", "farewell", "a b/é%2F+c?#\U0001f511"
_PINNED = b"pinned content"
_DIGEST = f"sha256:{hashlib.sha256(_PINNED).hexdigest()}"
_NEVER = "0123456789abcdef0123456789abcdef"

_PUT = Call("put", (_KEY, PERSONAL_CONTENT))
_PUT_RICH = Call("put", (_KEY, PERSONAL_CONTENT), {"http": HTTP, "metadata": CUSTOM})
_READ = (Call("get", (_KEY,)), Call("list"))
_TREE = tuple(Call("put", (name, name.encode())) for name in ("p/a", "p/b/1", "p/b/2", "p/c"))

# The vendors' least part is 5 MiB: the smallest upload that really has two parts.
_TWO_PARTS = Stream((b"\xa5" * (5 * 1024 * 1024), b"!"))


def _get(name: str, *setup: Call, **named: object) -> Exercise:
    return Exercise(name, Call("get", (_KEY,), named), setup or (_PUT_RICH,))


def _put(name: str, data: object, *setup: Call, key: str = _KEY, **named: object) -> Exercise:
    return Exercise(
        name, Call("put", (key, data), named), setup, (Call("get", (key,)), Call("list"))
    )


EXERCISES = (
    _get("get"),
    _get("get empty", Call("put", (_KEY, b""))),
    _get("get binary", Call("put", (_KEY, _BYTES * 300))),
    Exercise("get absent", Call("get", (_OTHER,)), (_PUT,)),
    Exercise("get tricky key", Call("get", (_TRICKY,)), (Call("put", (_TRICKY, b"v")),)),
    _get("get range", Call("put", (_KEY, _BYTES)), range=ByteRange(16, 32)),
    _get("get suffix", Call("put", (_KEY, _BYTES)), range=ByteRange(None, 10)),
    _get("get if_match", _PUT, if_match=Result(0, "etag")),
    _get("get if_none_match", _PUT, if_none_match=_NEVER),
    Exercise("open", Call("open", (_KEY,)), (Call("put", (_KEY, _BYTES * 300)),)),
    Exercise("open empty", Call("open", (_KEY,)), (Call("put", (_KEY, b"")),)),
    Exercise("head", Call("head", (_KEY,)), (_PUT_RICH,)),
    Exercise("head absent", Call("head", (_OTHER,)), (_PUT,)),
    Exercise("list", Call("list"), (_PUT, *_TREE)),
    Exercise("list empty", Call("list")),
    Exercise("list prefix", Call("list", (), {"prefix": "p/"}), (_PUT, *_TREE)),
    Exercise("list delimiter", Call("list", (), {"prefix": "p/", "delimiter": "/"}), _TREE),
    Exercise(
        "list second page",
        Call("list", (), {"limit": 2, "cursor": Result(4, "cursor")}),
        (*_TREE, Call("list", (), {"limit": 2})),
    ),
    Exercise("get_by_hash", Call("get_by_hash", (_DIGEST,)), (Call("put", (_DIGEST, _PINNED)),)),
    Exercise("get_by_hash absent", Call("get_by_hash", (_DIGEST,)), (_PUT,)),
    _put("put", PERSONAL_CONTENT),
    _put("put empty", b""),
    _put("put binary", _BYTES * 300),
    _put("put tricky key", PERSONAL_CONTENT, key=_TRICKY),
    _put("put with metadata", PERSONAL_CONTENT, http=HTTP, metadata=CUSTOM),
    _put("put over an object", b"new", _PUT_RICH),
    _put("put if_none_match", PERSONAL_CONTENT, if_none_match="*"),
    _put("put if_match", b"new", _PUT, if_match=Result(0, "etag")),
    _put("put stream", Stream((b"one", b"", b"two" * 1000)), metadata=CUSTOM),
    _put("put stream of a stated size", Stream((b"one", b"two")), size_bytes=6),
    Exercise(
        "put stream in parts",
        Call("put", (_KEY, _TWO_PARTS), {"http": HTTP, "metadata": {"a": "1"}}),
        (_PUT,),
        (Call("head", (_KEY,)), Call("list")),
    ),
    Exercise("delete", Call("delete", (_KEY,)), (_PUT_RICH,), _READ),
    Exercise("delete absent", Call("delete", (_OTHER,)), (_PUT,), _READ),
    Exercise(
        "copy", Call("copy", (_KEY, _TRICKY)), (_PUT_RICH,), (Call("get", (_TRICKY,)), Call("list"))
    ),
    Exercise("copy absent", Call("copy", (_OTHER, _TRICKY)), (_PUT,), _READ),
    Exercise(
        "presign",
        Call("presign", (_KEY,)),
        (_PUT,),
        grant=Grant("GET", 3600, Call("get", (_KEY,)), answer=PERSONAL_CONTENT),
    ),
    Exercise(
        "presign put",
        Call("presign", (_KEY,), {"method": "PUT", "expires_in_seconds": 60}),
        (_PUT,),
        grant=Grant("PUT", 60, Call("put", (_KEY, b"by its URL")), content=b"by its URL"),
    ),
)
