"""sql/1 over a D1 binding: what the vendor's runtime says a provider must answer.

The binding has no mode that only reads and knows no keys. What a faithful provider makes of it is
written down here once more, apart from any plugin: reads are told by their text, and a key is a
row that the same batch inserts first. Whole numbers go as text that is cast, for the binding takes
a number as a double.
"""

from collections.abc import Generator, Sequence
from typing import Any, get_args

from core_caps.capabilities.sql import Isolation, Rows, SqlValue, Statement
from core_caps.errors import Conflict, InvalidArgument, Unavailable
from core_caps.sqlite.commands import Command, command
from core_caps.sqlite.reads import need_read

from flows_registry.lab.simulators.adapter import Binding, BindingAdapter, Steps
from flows_registry.lab.simulators.bridge import BridgeCall, BridgeError
from flows_registry.lab.simulators.d1_boundaries import D1_BOUNDARIES

__all__ = ["D1_BINDING"]

_FUNCTIONS = frozenset(
    {
        "abs", "char", "coalesce", "count", "date", "hex", "json_each", "json_extract", "length",
        "lower", "max", "min", "pragma_table_info", "quote", "replace", "row_number", "sum",
        "typeof", "unhex", "upper", "zeroblob",
    }
)  # fmt: skip
"""Those of the runtime's list that histories call."""

_KEYS = (
    ("CREATE TABLE IF NOT EXISTS keys_of_calls (key TEXT PRIMARY KEY)", ()),
    ("INSERT INTO keys_of_calls (key) VALUES (?1)", ()),
)
_TAKEN = "UNIQUE constraint failed: keys_of_calls.key"
_DOUBLES_EXACT = 2**53
_PARAMETERS_MAX = 100


def _query(binding: Binding, statement: str, params: Sequence[SqlValue] = ()) -> Steps:
    given = _command(statement, params)
    need_read(given, _FUNCTIONS)
    found = yield binding.call("$batch", _sent(given))
    return _rows(found[0])


def _query_batch(
    binding: Binding, statements: Sequence[Statement], *, isolation: Isolation | None = None
) -> Steps:
    given = [_command(each.text, each.params) for each in statements]
    for each in given:
        need_read(each, _FUNCTIONS)
    _check_isolation(isolation)
    if not given:
        return ()
    found = yield binding.call("$batch", *map(_sent, given))
    return tuple(_rows(each) for each in found)


def _execute(
    binding: Binding, statement: str, params: Sequence[SqlValue] = (), *, key: str = ""
) -> Steps:
    found = yield from _applied(binding, [_command(statement, params)], key)
    return found[0]


def _batch(
    binding: Binding,
    statements: Sequence[Statement],
    *,
    isolation: Isolation | None = None,
    key: str = "",
) -> Steps:
    _check_isolation(isolation)
    given = [_command(each.text, each.params) for each in statements]
    if not given:
        return ()
    return (yield from _applied(binding, given, key))


def _applied(
    binding: Binding, given: Sequence[Command], key: str
) -> Generator[BridgeCall, Any, tuple[Rows, ...]]:
    (create, _), (take, _) = _KEYS
    first: list[object] = [[create, []], [take, [key]]] if key else []
    try:
        found = yield binding.call("$batch", *first, *map(_sent, given))
    except Conflict as error:
        if not str(error.message).startswith(_TAKEN):
            raise
        return tuple(Rows(repeated=True) for _ in given)
    return tuple(_rows(each) for each in found[len(first) :])


def _command(text: str, params: Sequence[SqlValue]) -> Command:
    return command(text, params, parameters_max=_PARAMETERS_MAX, integer_max=_DOUBLES_EXACT - 1)


def _sent(given: Command) -> object:
    """A statement and its parameters as the bridge takes them."""
    wholes = {at for at, value in enumerate(given.values, 1) if isinstance(value, int)}
    sql = given.written(lambda at: f"(+CAST(?{at} AS INTEGER))" if at in wholes else f"?{at}")
    return [sql, [_param(value) for value in given.values]]


def _param(value: object) -> object:
    match value:
        case int():
            return str(value)
        case bytes():
            return list(value)
        case _:
            return value


def _rows(result: Any) -> Rows:
    columns, rows, changes = result
    return Rows(tuple(columns), tuple(tuple(map(_value, row)) for row in rows), int(changes))


def _value(value: Any) -> SqlValue:
    match value:
        case list():
            return bytes(value)  # pyright: ignore[reportUnknownArgumentType]
        case int() if abs(value) >= _DOUBLES_EXACT:
            return float(value)
        case _:
            return value


def _check_isolation(isolation: object) -> None:
    if isolation not in (None, *get_args(Isolation)):
        raise InvalidArgument(f"there is no isolation {isolation!r}")


def _error(error: BridgeError) -> Exception:
    """The error that a faithful provider raises where the binding throws."""
    if ": SQLITE_CONSTRAINT" in error.message:
        return Conflict(error.message)
    if error.name == "Error" and "internal error" not in error.message:
        return InvalidArgument(error.message)
    return Unavailable(error.message)


D1_BINDING = BindingAdapter(
    contract="sql/1",
    surface="D1 binding",
    pool="d1",
    operations={
        "query": _query,
        "query_batch": _query_batch,
        "execute": _execute,
        "batch": _batch,
    },
    error=_error,
    boundaries=D1_BOUNDARIES,
)
