"""At least one way to use each operation: what the certifier meets with faults."""

from core_caps.contract.suite import PERSONAL_CONTENT, Call, Exercise, Result

__all__ = ["EXERCISES"]

_FAR = 4_102_444_800
"""2100-01-01: an absolute expiry that no clock of a test reaches."""

_BYTES = bytes(range(256))
_KEY, _OTHER, _TRICKY = "greeting", "farewell", "a/b%2F+c?é#\U0001f511"
_METADATA = {"language": "en", "tags": ["é", 1, None, True]}

_PUT = Call("put", (_KEY, PERSONAL_CONTENT))
_PUT_RICH = Call("put", (_KEY, PERSONAL_CONTENT), {"metadata": _METADATA, "ttl_seconds": 3600})
_READ = (Call("get_with_metadata", (_KEY,)), Call("list"))


def _put(name: str, value: bytes, key: str = _KEY, **named: object) -> Exercise:
    probe = (Call("get_with_metadata", (key,)), Call("list"))
    return Exercise(name, Call("put", (key, value), named), probe=probe)


_THREE = tuple(Call("put", (f"page/{name}", name.encode())) for name in "abc")

EXERCISES = (
    Exercise("get", Call("get", (_KEY,)), (_PUT,)),
    Exercise("get absent", Call("get", (_OTHER,)), (_PUT,)),
    Exercise("get empty", Call("get", (_KEY,)), (Call("put", (_KEY, b"")),)),
    Exercise("get binary", Call("get", (_KEY,)), (Call("put", (_KEY, _BYTES * 300)),)),
    Exercise("get tricky key", Call("get", (_TRICKY,)), (Call("put", (_TRICKY, b"v")),)),
    Exercise("get_with_metadata", Call("get_with_metadata", (_KEY,)), (_PUT_RICH,)),
    Exercise("get_with_metadata without", Call("get_with_metadata", (_KEY,)), (_PUT,)),
    Exercise("get_with_metadata absent", Call("get_with_metadata", (_OTHER,)), (_PUT,)),
    _put("put", PERSONAL_CONTENT),
    _put("put empty", b""),
    _put("put binary", _BYTES * 300),
    _put("put tricky key", PERSONAL_CONTENT, _TRICKY),
    _put("put with ttl", PERSONAL_CONTENT, ttl_seconds=3600),
    _put("put with expires_at", PERSONAL_CONTENT, expires_at=_FAR),
    _put("put with metadata", _BYTES, metadata=_METADATA),
    _put("put with metadata and ttl", PERSONAL_CONTENT, metadata=_METADATA, ttl_seconds=3600),
    Exercise("put over a value", Call("put", (_KEY, b"new")), (_PUT_RICH,), _READ),
    Exercise("delete", Call("delete", (_KEY,)), (_PUT_RICH,), _READ),
    Exercise("delete absent", Call("delete", (_OTHER,)), (_PUT,), _READ),
    Exercise("list", Call("list"), (_PUT_RICH, Call("put", (_OTHER, b"bye")))),
    Exercise("list empty", Call("list")),
    Exercise("list with prefix", Call("list", (), {"prefix": "page/"}), (*_THREE, _PUT)),
    Exercise("list first page", Call("list", (), {"limit": 2}), _THREE),
    Exercise(
        "list second page",
        Call("list", (), {"limit": 2, "cursor": Result(3, "cursor")}),
        (*_THREE, Call("list", (), {"limit": 2})),
    ),
    Exercise("get_many", Call("get_many", ([_KEY, _OTHER],)), (_PUT,)),
    Exercise(
        "get_many of bytes that are no text",
        Call("get_many", ([_KEY, _OTHER],)),
        (Call("put", (_KEY, _BYTES)), Call("put", (_OTHER, b"bye"))),
    ),
    Exercise(
        "put_many",
        Call("put_many", ({_KEY: PERSONAL_CONTENT, _OTHER: _BYTES, _TRICKY: b""},)),
        (_PUT_RICH,),
        (*(Call("get_with_metadata", (key,)) for key in (_KEY, _OTHER, _TRICKY)), Call("list")),
    ),
    Exercise(
        "delete_many",
        Call("delete_many", ([_KEY, _OTHER],)),
        (_PUT, Call("put", (_TRICKY, b"stays"))),
        (Call("get", (_KEY,)), Call("get", (_TRICKY,)), Call("list")),
    ),
)
