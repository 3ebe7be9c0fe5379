"""Neon's HTTP protocol as data: what a request asks for, and the answer to it in JSON.

https://github.com/neondatabase/neon/blob/main/proxy/src/serverless/ (sql_over_http.rs, json.rs)
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from cap_postgres_neon.conversation import FIELDS, Column, Given
from cap_postgres_neon.database import Refused
from cap_postgres_neon.statements import Command
from cap_postgres_neon.values import array_reader

__all__ = ["Asked", "BadRequest", "Query", "answer", "asked", "refusal"]

_ISOLATIONS: Mapping[str, str] = MappingProxyType(
    {
        "ReadUncommitted": "READ UNCOMMITTED",
        "ReadCommitted": "READ COMMITTED",
        "RepeatableRead": "REPEATABLE READ",
        "Serializable": "SERIALIZABLE",
    }
)

_NO_TEXT = "22021"
"""character_not_in_repertoire"""


class BadRequest(Exception):
    """The request is not of the protocol; the text is for whoever made it."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query, and how its rows are wanted.

    Attributes:
        command: the query with its parameters.
        as_arrays: rows are lists; else objects by column name.
    """

    command: Command
    as_arrays: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    Attributes:
        queries: one, or those of a batch.
        begin: the command that begins the batch's transaction; "" for one query alone.
        as_text: values stay as PostgreSQL writes them.
    """

    queries: Sequence[Query]
    begin: str
    as_text: bool


def asked(headers: Mapping[str, str], body: bytes) -> Asked:
    """What a request asks for.

    Args:
        headers: by lower-case name.
        body: the request's content.

    Raises:
        BadRequest: it is not of the protocol.
        Refused: it holds text that PostgreSQL has not.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise BadRequest(f"could not parse the HTTP request body: {problem}") from None
    if not isinstance(content, dict):
        raise BadRequest("the HTTP request body is not an object")
    told = cast("dict[str, Any]", content)
    as_text, as_arrays = _says(headers, "raw-text-output"), _says(headers, "array-mode")
    if "queries" not in told:
        return Asked([_query(told, as_arrays)], "", as_text)
    queries = told["queries"]
    if not isinstance(queries, list):
        raise BadRequest("queries is not a list")
    each = [_query(query, as_arrays) for query in cast("list[Any]", queries)]
    return Asked(each, _begin(headers), as_text)


def answer(query: Query, given: Given, *, as_text: bool) -> Mapping[str, object]:
    """The answer to one query."""
    words = given.tag.split(" ")
    count = words[2] if words[0] == "INSERT" and len(words) > 2 else words[-1]
    named = [column.name for column in given.columns]
    rows: list[object] = []
    for row in given.rows:
        values = row if as_text else [*map(_typed, given.columns, row)]
        rows.append(values if query.as_arrays else dict(zip(named, values, strict=True)))
    return {
        "command": words[0],
        "rowCount": int(count) if count.isdecimal() else None,
        "rows": rows,
        "fields": [*map(_field, given.columns)],
        "rowAsArray": query.as_arrays,
    }


def refusal(refused: Refused) -> Mapping[str, object]:
    """What is said of an error of the database: all of its fields, and null for what is not set."""
    return {name: refused.fields.get(name) for name in FIELDS}


def _says(headers: Mapping[str, str], name: str) -> bool:
    return headers.get(f"neon-{name}", "") == "true"


def _begin(headers: Mapping[str, str]) -> str:
    said = headers.get("neon-batch-isolation-level")
    if said is not None and said not in _ISOLATIONS:
        raise BadRequest("invalid isolation level")
    level = "" if said is None else f" ISOLATION LEVEL {_ISOLATIONS[said]}"
    access = " READ ONLY" if _says(headers, "batch-read-only") else ""
    return "BEGIN" + level + access + (" DEFERRABLE" * _says(headers, "batch-deferrable"))


def _query(content: object, as_arrays: bool) -> Query:
    match content:
        case {"query": str() as text}:
            told = cast("dict[str, Any]", content)
            _check(text)
        case _:
            raise BadRequest("a query has no text under `query`")
    params = told.get("params", [])
    if not isinstance(params, list):
        raise BadRequest("params is not a list")
    given = tuple(_text(value) for value in cast("list[object]", params))
    wish = told.get("arrayMode")
    return Query(Command(text, given), wish if isinstance(wish, bool) else as_arrays)


def _text(value: object) -> str | None:
    """A parameter as PostgreSQL reads it."""
    if value is None:
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, list):
        text = _array(cast("list[object]", value))
    else:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    _check(text)
    return text


def _check(text: str) -> None:
    """Refuse what PostgreSQL's text cannot hold: it would be cut there, or not be sent at all."""
    try:
        held = b"\0" not in text.encode()
    except UnicodeEncodeError:
        held = False
    if not held:
        raise Refused({"code": _NO_TEXT, "message": "a text holds NUL or half a surrogate pair"})


def _array(values: Sequence[object]) -> str:
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return _array(cast("list[object]", value))
    text = _text(value) or ""
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str | dict) else text


def _field(column: Column) -> Mapping[str, object]:
    return {
        "name": column.name,
        "dataTypeID": column.type_id,
        "tableID": column.table_id,
        "columnID": column.column_id,
        "dataTypeSize": column.size,
        "dataTypeModifier": column.modifier,
        "format": "text",
    }


def _number(text: str) -> object:
    """A float, where JSON has it."""
    found = float(text)
    return found if abs(found) < float("inf") else text


_TYPED: Mapping[int, Callable[[str], Any]] = MappingProxyType(
    {
        16: lambda text: text == "t",
        21: int,
        23: int,
        114: json.loads,
        700: _number,
        701: _number,
        3802: json.loads,
    }
)
"""Those that JSON has a form for; int8, numeric, dates and all others stay text."""

_ARRAYS: Mapping[int, Callable[[str], Any]] = MappingProxyType(
    {
        array: array_reader(_TYPED.get(element, str))
        for element, array in {
            16: 1000, 20: 1016, 21: 1005, 23: 1007, 25: 1009, 114: 199, 700: 1021, 701: 1022,
            1043: 1015, 1700: 1231, 2950: 2951, 3802: 3807,
        }.items()
    }
)  # fmt: skip


def _typed(column: Column, text: str | None) -> object:
    read = _TYPED.get(column.type_id) or _ARRAYS.get(column.type_id)
    return text if text is None or read is None else read(text)
