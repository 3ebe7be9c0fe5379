"""Values in PostgreSQL's text form, and back by the type that the database says a column has.

A parameter carries no type: the database gives it the one of the place where it stands, and refuses
what has no such form. So a value means the same over TCP and over HTTP, where only text travels.
"""

import json
import math
import re
from binascii import hexlify, unhexlify
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import cast
from uuid import UUID

from core_caps.capabilities.sql import SqlValue
from core_caps.errors import InvalidArgument

__all__ = ["array_reader", "need_text", "reader_of", "to_text"]

_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**63 - 1

Reader = Callable[[str], SqlValue]


def to_text(value: object, what: str) -> str | None:
    """What the database reads as this value; None is NULL.

    Raises:
        InvalidArgument: it is of no type that travels; NOT_APPLIED.
    """
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return _number_text(value, what)
        case str():
            return need_text(value, what)
        case bytes():
            return "\\x" + hexlify(value).decode()
        case datetime() | date() | time():
            return value.isoformat()
        case UUID():
            return str(value)
        case list() | tuple():
            return _array_text(cast("Sequence[object]", value), what)
        case Mapping():
            return _json_text(cast("Mapping[object, object]", value), what)
        case _:
            raise _no_type(value, what)


def need_text(text: str, what: str) -> str:
    """The same text, where the database can hold it.

    Raises:
        InvalidArgument: it has a NUL inside, or no UTF-8 form; NOT_APPLIED.
    """
    if "\0" in text:
        raise InvalidArgument(f"{what} has a NUL inside, which PostgreSQL cannot hold")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{what} has no UTF-8 form") from error
    return text


def reader_of(type_id: int) -> Reader:
    """What turns a column's text into a value; a type that is not known here stays text."""
    return _READERS.get(type_id, _same)


def _no_type(value: object, what: str) -> InvalidArgument:
    return InvalidArgument(
        f"PostgreSQL has no type for {what}, which is {type(value).__name__}",
        hint="pass it as text, bytes, a number or JSON",
    )


def _number_text(value: int | float | Decimal, what: str) -> str:
    if isinstance(value, int):
        if not _INTEGER_MIN <= value <= _INTEGER_MAX:
            raise InvalidArgument(
                f"{what} is an integer of more than 64 bits", hint="give a Decimal for NUMERIC"
            )
        return str(value)
    if isinstance(value, Decimal) and value.is_snan():
        raise _no_type(value, what)
    if math.isfinite(value):
        return repr(value) if isinstance(value, float) else str(value)
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _array_text(values: Sequence[object], what: str) -> str:
    """https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO"""
    return "{" + ",".join(_element_text(value, what) for value in values) + "}"


def _element_text(value: object, what: str) -> str:
    if isinstance(value, list | tuple):
        return _array_text(cast("Sequence[object]", value), what)
    text = to_text(value, what)
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json_text(value: Mapping[object, object], what: str) -> str:
    try:
        text = json.dumps(_json(value), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise InvalidArgument(
            f"{what} is not a JSON object: {problem}",
            hint="use text keys, and text, numbers, booleans, None, lists and dicts as values",
        ) from None
    return need_text(text, what)


def _json(value: object) -> object:
    """The value, where JSON has a form for it; json.dumps would turn a number into a text key."""
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value)
        for key in items:
            if not isinstance(key, str):
                raise TypeError(f"a key is {type(key).__name__}, not text")
        return {key: _json(item) for key, item in items.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in cast("Sequence[object]", value)]
    return value


def _same(text: str) -> SqlValue:
    return text


def _bytes(text: str) -> SqlValue:
    return unhexlify(text.removeprefix("\\x"))


def _or_text(read: Callable[[str], SqlValue]) -> Reader:
    """What Python's type cannot hold (infinity, years before 1 or of five digits) stays text."""

    def tried(text: str) -> SqlValue:
        try:
            return read(text)
        except ValueError:
            return text

    return tried


def array_reader(element: Reader) -> Reader:
    """What turns an array's text into lists, given what reads one element."""

    def read(text: str) -> SqlValue:
        # Bounds other than 1 are written before the array: [0:2]={…}
        found, _ = _array(text, text.index("{"), element)
        return found

    return read


_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _array(text: str, at: int, element: Reader) -> tuple[list[SqlValue], int]:
    """The array that begins here, and where it ends."""
    found: list[SqlValue] = []
    at += 1
    while text[at] != "}":
        if text[at] == ",":
            at += 1
        elif text[at] == "{":
            inner, at = _array(text, at, element)
            found.append(inner)
        else:
            match = _ELEMENT.match(text, at)
            if match is None:
                raise ValueError("an array that is not closed")
            quoted, plain = match.groups()
            at = match.end()
            if quoted is not None:
                found.append(element(_ESCAPED.sub(r"\1", quoted)))
            else:
                found.append(None if plain.upper() == "NULL" else element(plain))
    return found, at + 1


_date, _time = _or_text(date.fromisoformat), _or_text(time.fromisoformat)
_moment = _or_text(datetime.fromisoformat)

_SCALARS: Mapping[int, tuple[Reader, int]] = MappingProxyType(
    {
        16: (lambda text: text == "t", 1000),  # bool
        17: (_bytes, 1001),  # bytea
        20: (int, 1016),  # int8
        21: (int, 1005),  # int2
        23: (int, 1007),  # int4
        25: (_same, 1009),  # text
        26: (int, 1028),  # oid
        114: (json.loads, 199),  # json
        700: (float, 1021),  # float4
        701: (float, 1022),  # float8
        1042: (_same, 1014),  # bpchar
        1043: (_same, 1015),  # varchar
        1082: (_date, 1182),  # date
        1083: (_time, 1183),  # time
        1114: (_moment, 1115),  # timestamp
        1184: (_moment, 1185),  # timestamptz
        1266: (_time, 1270),  # timetz
        1700: (Decimal, 1231),  # numeric
        2950: (UUID, 2951),  # uuid
        3802: (json.loads, 3807),  # jsonb
    }
)
"""By the type's number: what reads it, and the number of its array.
https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat"""

_READERS: Mapping[int, Reader] = MappingProxyType(
    {
        **{number: read for number, (read, _) in _SCALARS.items()},
        **{array: array_reader(read) for read, array in _SCALARS.values()},
    }
)
