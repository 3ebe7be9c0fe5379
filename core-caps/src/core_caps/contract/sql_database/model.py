"""What a perfect service would answer: histories over one small table, and a model of it.

No database is written here: histories are made of a few fixed statements, and the model knows
each by its text.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from core_caps.capabilities.sql import Rows, SqlValue, Statement
from core_caps.contract.suite import Call
from core_caps.errors import Conflict, InvalidArgument

__all__ = [
    "ADD", "ALL", "CREATE", "DROP", "GET", "PUT", "TAKE", "SqlModel", "comparable", "generate",
    "read_back",
]  # fmt: skip

CREATE = """CREATE TABLE IF NOT EXISTS pairs
(name TEXT PRIMARY KEY, held TEXT, counted BIGINT NOT NULL CHECK (counted >= 0))"""
ADD = "INSERT INTO pairs (name, held, counted) VALUES ($1, $2, 1)"
PUT = """INSERT INTO pairs (name, held, counted) VALUES ($1, $2, 1)
ON CONFLICT (name) DO UPDATE SET held = excluded.held, counted = pairs.counted + 1
RETURNING counted"""
TAKE = "UPDATE pairs SET counted = counted - $2 WHERE name = $1"
DROP = "DELETE FROM pairs WHERE name = $1"
GET = "SELECT held, counted FROM pairs WHERE name = $1"
ALL = "SELECT name, held, counted FROM pairs ORDER BY name"

_WRONG = "UPDATE pairs SET no_such_column = $1"
_OTHER = "SELECT * FROM ~ ORDER BY 1"

_NAMES = ("a", "b", "c")
_HELD = (None, "", "v", "it's $1", "é\U0001f511", "x" * 300)
_KEYS = ("k1", "k2", "k3")
_TABLE = re.compile(r"\b(?:table(?: if (?:not )?exists)?|into|from|update)\s+(\w+)", re.IGNORECASE)


class _Row(NamedTuple):
    held: str | None
    counted: int


_State = dict[str, _Row]


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over three rows, with conflicts, refused statements and repeated keys."""
    makers: Mapping[str, tuple[Callable[[random.Random], Call], int]] = {
        "query": (_query, 3),
        "query_batch": (_query_batch, 1),
        "execute": (_execute, 6),
        "batch": (_batch, 3),
    }
    chosen = [makers[name] for name in makers if name in operations]
    if not chosen or length < 1:
        return ()
    first = [Call("execute", (CREATE,))] if "execute" in operations else []
    weights = [weight for _, weight in chosen]
    rest = source.choices([make for make, _ in chosen], weights, k=length - len(first))
    return [*first, *(make(source) for make in rest)]


class SqlModel:
    """One table, or none yet, and the keys that were used."""

    def __init__(self) -> None:
        self._rows: _State | None = None
        self._keys: set[str] = set()

    def apply(self, call: Call) -> object:
        """The comparable result of a call.

        Raises:
            InvalidArgument, Conflict: the database refuses it; nothing changed.
        """
        answer = getattr(self, f"_{call.operation}")(*call.args, **call.kwargs)
        return comparable(call, answer)

    def state(self) -> object:
        """The rows by name, and the keys."""
        rows = None if self._rows is None else sorted(self._rows.items())
        return rows, sorted(self._keys)

    def _query(self, statement: str, params: Sequence[SqlValue] = ()) -> Rows:
        return _read(self._rows, statement, params)

    def _query_batch(
        self, statements: Sequence[Statement], *, isolation: str | None = None
    ) -> Sequence[Rows]:
        return [_read(self._rows, each.text, each.params) for each in statements]

    def _execute(self, statement: str, params: Sequence[SqlValue] = (), *, key: str = "") -> Rows:
        return self._batch([Statement(statement, params)], key=key)[0]

    def _batch(
        self, statements: Sequence[Statement], *, isolation: str | None = None, key: str = ""
    ) -> Sequence[Rows]:
        if key and key in self._keys:
            return [Rows(repeated=True) for _ in statements]
        rows = None if self._rows is None else dict(self._rows)
        results: list[Rows] = []
        for each in statements:
            rows, result = _write(rows, each.text, each.params)
            results.append(result)
        self._rows = rows
        self._keys |= {key} if key else set()
        return results


def comparable(call: Call, result: object) -> object:
    """A result as plain lists; what came as JSON and what did not are alike."""
    match result:
        case Rows():
            rows = [list(row) for row in result.rows]
            return [list(result.columns), rows, result.affected, result.repeated]
        case list() | tuple():
            return [comparable(call, each) for each in cast("Sequence[object]", result)]
        case _:
            return result


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """All of the table of histories, and of every other that a statement names."""
    tables: dict[str, None] = {}
    for call in calls:
        for text in _texts(call.args):
            tables.update((name.lower(), None) for name in _TABLE.findall(text))
    others = [name for name in tables if name != "pairs"]
    return [
        Call("query", (ALL,)),
        *(Call("query", (_OTHER.replace("~", name),)) for name in others),
    ]


def _texts(argument: object) -> list[str]:
    """The statements in an argument."""
    match argument:
        case str():
            return [argument]
        case Statement(text=text):
            return [text]
        case list() | tuple():
            return [text for item in cast("Sequence[object]", argument) for text in _texts(item)]
        case _:
            return []


def _read(rows: _State | None, text: str, params: Sequence[Any]) -> Rows:
    if rows is None or text not in (GET, ALL) or len(params) != int(text == GET):
        raise InvalidArgument("the database does not read this")
    if text == ALL:
        return Rows(("name", "held", "counted"), tuple((n, *rows[n]) for n in sorted(rows)))
    return Rows(("held", "counted"), tuple(tuple(rows[n]) for n in params if n in rows))


def _write(rows: _State | None, text: str, params: Sequence[Any]) -> tuple[_State | None, Rows]:
    """The rows after a statement, and its result."""
    if text == CREATE:
        return rows or {}, Rows()
    if text in (GET, ALL):
        return rows, _read(rows, text, params)
    if rows is None or text not in _WRITES or len(params) != (1 if text == DROP else 2):
        raise InvalidArgument("the database does not understand this")
    return rows, _WRITES[text](rows, *params)


def _add(rows: _State, name: str, held: str | None) -> Rows:
    if name in rows:
        raise Conflict("the name is taken")
    rows[name] = _Row(held, 1)
    return Rows(affected=1)


def _put(rows: _State, name: str, held: str | None) -> Rows:
    rows[name] = _Row(held, rows[name].counted + 1 if name in rows else 1)
    return Rows(("counted",), ((rows[name].counted,),), affected=1)


def _take(rows: _State, name: str, by: int) -> Rows:
    if name not in rows:
        return Rows()
    left = rows[name].counted - by
    if left < 0:
        raise Conflict("a count is not below zero")
    rows[name] = _Row(rows[name].held, left)
    return Rows(affected=1)


def _drop(rows: _State, name: str) -> Rows:
    return Rows(affected=0 if rows.pop(name, None) is None else 1)


_WRITES: Mapping[str, Callable[..., Rows]] = {ADD: _add, PUT: _put, TAKE: _take, DROP: _drop}


def _reading(source: random.Random) -> Statement:
    if source.random() < 0.05:
        return Statement(GET, ())
    text = source.choice((GET, GET, ALL))
    return Statement(text, (source.choice(_NAMES),) if text == GET else ())


def _writing(source: random.Random) -> Statement:
    if source.random() < 0.05:
        return Statement(_WRONG, ("x",))
    text = source.choice((ADD, PUT, PUT, PUT, TAKE, DROP))
    name = source.choice(_NAMES)
    more = {ADD: (source.choice(_HELD),), PUT: (source.choice(_HELD),), TAKE: (1,), DROP: ()}
    return Statement(text, (name, *more[text]))


def _keyed(source: random.Random, statements: Sequence[Statement]) -> dict[str, object]:
    """A key, or none; what is refused before anybody looks for a key is given none."""
    keyed = source.random() < 0.5 and all(map(_is_sound, statements))
    return {"key": source.choice(_KEYS)} if keyed else {}


def _is_sound(statement: Statement) -> bool:
    return statement.text != _WRONG and (bool(statement.params) or statement.text != GET)


def _query(source: random.Random) -> Call:
    if source.random() < 0.08:
        write = _writing(source)
        return Call("query", (write.text, write.params))
    read = _reading(source)
    return Call("query", (read.text, read.params))


def _query_batch(source: random.Random) -> Call:
    reads = [_reading(source) for _ in range(source.randint(0, 3))]
    return Call("query_batch", (reads,), _isolated(source))


def _execute(source: random.Random) -> Call:
    write = _writing(source)
    return Call("execute", (write.text, write.params), _keyed(source, [write]))


def _batch(source: random.Random) -> Call:
    writes = [_writing(source) for _ in range(source.randint(1, 3))]
    if source.random() < 0.3:
        writes.append(_reading(source))
    writes = next(([each] for each in writes if not _is_sound(each)), writes)
    return Call("batch", (writes,), {**_isolated(source), **_keyed(source, writes)})


def _isolated(source: random.Random) -> dict[str, object]:
    return {"isolation": "serializable"} if source.random() < 0.2 else {}
