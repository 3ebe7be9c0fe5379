"""At least one way to use each operation: what the certifier meets with faults."""

from core_caps.contract.suite import PERSONAL_CONTENT, Call, Exercise

__all__ = ["EXERCISES"]

_BYTES = bytes(range(256)) * 100
_KEY, _OTHER, _TRICKY = "greeting", "farewell", "a/b%2F+c?é#\U0001f511"
_TTL = {"ttl_seconds": 3600}

_PUT = Call("put", (_KEY, PERSONAL_CONTENT), _TTL)
_PUT_OTHER = Call("put", (_OTHER, b"bye"), _TTL)
_READ = (Call("get", (_KEY,)),)


def _put(name: str, value: bytes, key: str = _KEY, ttl_seconds: float = 3600) -> Exercise:
    call = Call("put", (key, value), {"ttl_seconds": ttl_seconds})
    return Exercise(name, call, (_PUT_OTHER,), (Call("get", (key,)),))


EXERCISES = (
    Exercise("get", Call("get", (_KEY,)), (_PUT,)),
    Exercise("get absent", Call("get", (_OTHER,)), (_PUT,)),
    Exercise("get binary", Call("get", (_KEY,)), (Call("put", (_KEY, _BYTES), _TTL),)),
    Exercise("get tricky key", Call("get", (_TRICKY,)), (Call("put", (_TRICKY, b"v"), _TTL),)),
    _put("put", PERSONAL_CONTENT),
    _put("put empty", b""),
    _put("put binary", _BYTES),
    _put("put tricky key", PERSONAL_CONTENT, _TRICKY),
    _put("put for a while", PERSONAL_CONTENT, ttl_seconds=90.5),
    Exercise("put over a value", Call("put", (_KEY, b"new"), _TTL), (_PUT,), _READ),
    Exercise("delete", Call("delete", (_KEY,)), (_PUT, _PUT_OTHER), _READ),
    Exercise("delete absent", Call("delete", (_OTHER,)), (_PUT,), _READ),
)
