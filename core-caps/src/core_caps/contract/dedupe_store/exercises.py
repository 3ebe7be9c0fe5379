"""At least one way to use each operation: what the certifier meets with faults."""

from core_caps.capabilities.dedupe import Commit, Reservation
from core_caps.contract.suite import PERSONAL_CONTENT, Call, Exercise

__all__ = ["EXERCISES"]

_BYTES = bytes(range(256)) * 20
_KEY, _OTHER, _TRICKY = "greeting", "farewell", "a/b%2F+c?é#\U0001f511"
_LEASE = {"owner": "one", "lease_seconds": 3600}
_TTL = {"owner": "one", "ttl_seconds": 86_400}

_RESERVE = Call("reserve", (_KEY,), _LEASE)
_RESERVED = Call("reserve", (_KEY,), {**_LEASE, "payload": PERSONAL_CONTENT})
_THEIRS = Call("reserve", (_OTHER,), {**_LEASE, "owner": "two"})
_COMMIT = Call("commit", (_KEY,), {**_TTL, "result": _BYTES})
_THREE = Call(
    "reserve_many", ([Reservation(_KEY), Reservation(_OTHER, b"p"), Reservation(_TRICKY)],), _LEASE
)
_LOOK = tuple(
    Call("reserve", (key,), {"owner": "reader", "lease_seconds": 3600}) for key in (_KEY, _OTHER)
)

EXERCISES = (
    Exercise("reserve", _RESERVE, probe=_LOOK),
    Exercise("reserve with payload", _RESERVED, probe=_LOOK),
    Exercise("reserve tricky key", Call("reserve", (_TRICKY,), _LEASE)),
    Exercise("reserve again", _RESERVED, (_RESERVED,)),
    Exercise("reserve others' key", Call("reserve", (_OTHER,), _LEASE), (_THEIRS,)),
    Exercise("reserve done work", _RESERVE, (_RESERVED, _COMMIT)),
    Exercise("reserve_many", _THREE, probe=_LOOK),
    Exercise("reserve_many of all kinds", _THREE, (_RESERVED, _COMMIT, _THEIRS)),
    Exercise("commit", _COMMIT, (_RESERVED,), _LOOK),
    Exercise("commit no result", Call("commit", (_KEY,), _TTL), (_RESERVE,), _LOOK),
    Exercise("commit again", _COMMIT, (_RESERVED, _COMMIT), _LOOK),
    Exercise(
        "commit_many",
        Call("commit_many", ([Commit(_KEY, _BYTES), Commit(_OTHER), Commit(_TRICKY, b"r")],), _TTL),
        (_THREE,),
        _LOOK,
    ),
    Exercise("release", Call("release", (_KEY,), {"owner": "one"}), (_RESERVED,), _LOOK),
    Exercise("release nothing", Call("release", (_KEY,), {"owner": "one"}), probe=_LOOK),
    Exercise(
        "release_many",
        Call("release_many", ([_KEY, _TRICKY],), {"owner": "one"}),
        (_THREE,),
        _LOOK,
    ),
)
