"""At least one way to use each operation: what the certifier meets with faults."""

from core_caps.capabilities.durable_object import Item, ObjectRef
from core_caps.contract.suite import PERSONAL_CONTENT, Call, Exercise, Result

__all__ = ["EXERCISES"]

_FAR = 4_102_444_800.0
"""2100-01-01: a time that no clock of a test reaches."""

_BYTES = bytes(range(256)) * 300
_ONE, _TRICKY = ObjectRef(name="session-7"), ObjectRef(name="a/b%2F+c?é#\U0001f511")
_KEY, _OTHER = "greeting", "a/b%2F+c?é#\U0001f511"

_PUT = Call("put", (_ONE, _KEY, PERSONAL_CONTENT))
_SEVERAL = Call(
    "transaction",
    (_ONE, [Item("page/a", b"a"), Item("page/b", b""), Item("page/c", _BYTES), Item("user", b"u")]),
)
_SET = Call("set_alarm", (_ONE, _FAR))
_LOOK = (Call("list", (_ONE,)), Call("get_alarm", (_ONE,)))


def _list(name: str, **bounds: object) -> Exercise:
    return Exercise(name, Call("list", (_ONE,), bounds), (_SEVERAL,))


EXERCISES = (
    Exercise("get", Call("get", (_ONE, _KEY)), (_PUT,)),
    Exercise("get absent", Call("get", (_ONE, _OTHER)), (_PUT,)),
    Exercise("get binary", Call("get", (_ONE, "page/c")), (_SEVERAL,)),
    Exercise("get many", Call("get_many", (_ONE, ["page/c", _OTHER, "page/b"])), (_SEVERAL,)),
    Exercise("get by a new id", Call("get", (Result(0, ""), _KEY)), (Call("new_id"),)),
    _list("list"),
    _list("list with prefix", prefix="page/", limit=2),
    _list("list between bounds", start="page/b", end="user"),
    _list("list the rest", start_after="page/a", limit=10),
    _list("list in reverse", reverse=True, end="page/c", limit=1),
    Exercise("list nothing", Call("list", (_ONE,))),
    Exercise("get_alarm", Call("get_alarm", (_ONE,)), (_SET,)),
    Exercise("get_alarm of none", Call("get_alarm", (_ONE,)), (_PUT,)),
    Exercise("get_alarm that rang", Call("get_alarm", (_ONE,)), (Call("set_alarm", (_ONE, 1.5)),)),
    Exercise("put", _PUT, probe=_LOOK),
    Exercise("put over a value", Call("put", (_ONE, _KEY, b"")), (_PUT,), _LOOK),
    Exercise("put binary", Call("put", (_ONE, _KEY, _BYTES)), probe=_LOOK),
    Exercise(
        "put under tricky names",
        Call("put", (_TRICKY, _OTHER, PERSONAL_CONTENT)),
        probe=(Call("list", (_TRICKY,)),),
    ),
    Exercise(
        "put by id",
        Call("put", (Result(0, ""), _KEY, PERSONAL_CONTENT)),
        (Call("new_id"),),
        (Call("list", (Result(0, ""),)),),
    ),
    Exercise("delete", Call("delete", (_ONE, _KEY)), (_PUT,), _LOOK),
    Exercise("delete absent", Call("delete", (_ONE, _OTHER)), (_PUT,), _LOOK),
    Exercise("delete_all", Call("delete_all", (_ONE,)), (_SEVERAL, _SET), _LOOK),
    Exercise("transaction", _SEVERAL, (_PUT,), _LOOK),
    Exercise(
        "transaction on conditions",
        Call(
            "transaction",
            (_ONE, [Item(_KEY, b"changed"), Item("new", _BYTES), Item("user", None)]),
            {"if_values": [Item(_KEY, PERSONAL_CONTENT), Item("new", None)]},
        ),
        (_SEVERAL, _PUT),
        _LOOK,
    ),
    Exercise("set_alarm", _SET, probe=_LOOK),
    Exercise("set_alarm anew", Call("set_alarm", (_ONE, _FAR + 0.25)), (_SET,), _LOOK),
    Exercise("delete_alarm", Call("delete_alarm", (_ONE,)), (_SET, _PUT), _LOOK),
    Exercise("delete_alarm of a time", Call("delete_alarm", (_ONE,), {"at": _FAR}), (_SET,), _LOOK),
    Exercise("new_id", Call("new_id")),
)
