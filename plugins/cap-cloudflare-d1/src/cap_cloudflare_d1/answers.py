"""Reading what the API answered: rows and how many changed. Nothing is guessed.

Every function here either returns what the API documents or raises Malformed with the reason;
whether that leaves a write applied or not is decided where the call is known.
https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/raw/
"""

from collections.abc import Mapping
from typing import Any, cast

from core_caps.capabilities.sql import Rows, SqlValue
from core_caps.http.envelope import envelope
from core_caps.http.failures import Malformed
from core_caps.http.json_bodies import has_surrogate

from cap_cloudflare_d1.limits import INTEGER_MAX

__all__ = ["results"]


def results(body: bytes, content_type: str, *, count: int) -> list[Rows]:
    """What each statement gave, in order.

    Raises:
        Malformed: there is another number of results than of statements, or one of them lacks
            its rows, its columns or how many rows changed.
    """
    found = envelope(body, content_type).get("result")
    each = _list(found, "`result`")
    if len(each) != count:
        raise Malformed(f"there are {len(each)} results of {count} statements")
    return list(map(_rows, each))


def _rows(result: object) -> Rows:
    match cast("Mapping[str, Any]", result):
        case {"success": False}:
            raise Malformed("a result is no success")
        case {"results": {"columns": columns, "rows": rows}, "meta": {"changes": int(changes)}}:
            pass
        case _:
            raise Malformed("a result lacks `results.columns`, `results.rows` or `meta.changes`")
    if isinstance(changes, bool) or not 0 <= changes <= INTEGER_MAX:
        raise Malformed("`meta.changes` is no number of rows")
    names = tuple(map(_name, _list(columns, "`results.columns`")))
    return Rows(names, tuple(_row(row, len(names)) for row in _list(rows, "`rows`")), changes)


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise Malformed(f"{what} is no list")
    return cast("list[object]", value)


def _name(column: object) -> str:
    if not isinstance(column, str) or has_surrogate(column):
        raise Malformed("a column's name is no text")
    return column


def _row(row: object, width: int) -> tuple[SqlValue, ...]:
    values = _list(row, "a row")
    if len(values) != width:
        raise Malformed("a row has not one value for each column")
    return tuple(map(_value, values))


def _value(value: object) -> SqlValue:
    """A value as the service has it: numbers are doubles, of which the whole ones come without a
    fraction; beyond 2^53 they are no exact integers, and so no integers here.

    https://developers.cloudflare.com/d1/worker-api/#type-conversion
    """
    match value:
        case None | float():
            return value
        case str() if not has_surrogate(value):
            return value
        case int() if not isinstance(value, bool):
            return value if abs(value) <= INTEGER_MAX else float(value)
        case list():
            try:
                return bytes(cast("list[int]", value))
            except (TypeError, ValueError):
                raise Malformed("a list is no list of bytes") from None
        case _:
            raise Malformed(f"a {type(value).__name__} is no value of SQLite")
