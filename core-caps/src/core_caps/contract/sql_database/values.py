"""Promises about values: what goes in comes out, or is refused; nothing is turned into another."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from core_caps.capabilities.sql import Sql, SqlValue
from core_caps.contract.reading import refused
from core_caps.contract.sql_database.tables import Table, gives, made, refused_whole, rows_of
from core_caps.contract.suite import World, expect, promise
from core_caps.errors import InvalidArgument

__all__ = ["CASES"]

_INTEGERS = (0, 1, -1, 255, -128, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, -(2**53) + 1)
_GREAT_INTEGERS = (2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63))
_INTEGER_MAX = 2**63 - 1
_NO_INTEGERS = (2**63, -(2**63) - 1, 2**64, 10**30)

_FLOATS = (
    0.5,
    -0.1,
    0.1 + 0.2,
    1e-7,
    math.pi,
    1.0,
    -3.0,
    1e300,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    2.2250738585072014e-308,
    5e-324,
)
_SPECIAL_FLOATS = (math.inf, -math.inf, math.nan)

_TEXTS = (
    "",
    " ",
    "plain",
    "it's",
    '"quoted"',
    "back\\slash \\n \\0 \\x41",
    "line\r\nline\nline\ttab",
    "%s %d %(name)s {} $1 ? :a",
    "null",
    "0123",
    "1e5",
    "true",
    "2024-02-29",
    "é",
    "e\u0301",
    "鍵",
    "\U0001f511\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u202eright to left",
    "\ufeffmark",
    "\x01\x1b\x7f\u2028",
    "x" * 200_000,
)
_NO_TEXTS = ("nul\0inside", "\0", "lone surrogate \ud800")

_BYTES = (b"", b"\x00", bytes(range(256)), b"\xff\xfe", b"'; --", b"\\x00", b"x" * 200_000)

_OTHERS: tuple[tuple[str, SqlValue], ...] = (
    ("NUMERIC(40, 20)", Decimal("12345678901234567890.01234567890123456789")),
    ("NUMERIC(10, 2)", Decimal("1.10")),
    ("DATE", date(2024, 2, 29)),
    ("TIMESTAMP", datetime(2024, 2, 29, 23, 59, 59, 999_999)),  # noqa: DTZ001
    ("TIMESTAMP WITH TIME ZONE", datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC)),
    ("TIME", time(23, 59, 59, 999_999)),
    ("UUID", UUID("12345678-1234-5678-1234-567812345678")),
    ("JSONB", {"a": [1, None, "é"], "b": {"c": True}}),
    ("BIGINT ARRAY", [1, 2, 3]),
)
"""Types that not every database has."""

_NO_VALUES: tuple[Any, ...] = (object(), 1j, {1, 2}, frozenset({1}), range(3), Ellipsis, int)


@promise("execute", "query")
async def integers_come_back_exactly(sql: Sql, world: World) -> None:
    """As far as doubles are exact; beyond that exactly or not at all."""
    table = await _column(sql, world, "integers", "BIGINT")
    await _same(sql, world, table, _INTEGERS)
    for value in _GREAT_INTEGERS:
        await _same_or_refused(sql, world, table, value)


@promise("execute", "query")
async def an_integer_of_more_than_64_bits_is_refused(sql: Sql, world: World) -> None:
    """It is not rounded, and does not wrap around."""
    table = await _column(sql, world, "integers-great", "BIGINT")
    for value in _NO_INTEGERS:
        await refused_whole(
            sql, world, table, f"{value} is refused", lambda value=value: _put(sql, table, value)
        )


@promise("execute", "query")
async def floats_come_back_exactly(sql: Sql, world: World) -> None:
    """All 64 bits, the greatest and the least; a whole one stays a float, but for a database whose
    numbers are doubles all: its limit `integer_max` says so."""
    table = await _column(sql, world, "floats", "DOUBLE PRECISION")
    told_apart = world.limits.get("integer_max", _INTEGER_MAX) == _INTEGER_MAX
    await _same(sql, world, table, _FLOATS, told_apart=told_apart)
    for value in _SPECIAL_FLOATS:
        await _same_or_refused(sql, world, table, value)


@promise("execute", "query")
async def texts_come_back_exactly(sql: Sql, world: World) -> None:
    """Quotes, line ends, what looks like a number or a null, letters of every plane, long ones."""
    table = await _column(sql, world, "texts", "TEXT")
    await _same(sql, world, table, _TEXTS)


@promise("execute", "query")
async def a_text_that_not_every_database_holds_is_refused(sql: Sql, world: World) -> None:
    """NUL, which PostgreSQL has not, and what has no UTF-8 form; nothing is cut or replaced."""
    table = await _column(sql, world, "texts-refused", "TEXT")
    for value in _NO_TEXTS:
        await refused_whole(
            sql, world, table, f"{value!r} is refused", lambda value=value: _put(sql, table, value)
        )
        await refused(f"{value!r} is refused", sql.query("SELECT CAST($1 AS TEXT)", (value,)))


@promise("execute", "query")
async def bytes_come_back_exactly(sql: Sql, world: World) -> None:
    """Bytes are bytes, never text."""
    table = await _column(sql, world, "bytes", "BYTEA")
    await _same(sql, world, table, _BYTES)


@promise("execute", "query")
async def booleans_come_back(sql: Sql, world: World) -> None:
    """As bool where the database has it, else as 1 and 0, which are equal to them."""
    table = await _column(sql, world, "booleans", "BOOLEAN")
    for value in (True, False, None):
        await _put(sql, table, value)
        await gives(sql, world, f"{value} comes back", table("SELECT held FROM ~"), [(value,)])
    await _put(sql, table, True)
    where = table("SELECT held FROM ~ WHERE held = $1")
    await gives(sql, world, "a bool is compared as one", where, [(True,)], (True,))


@promise("execute", "query")
async def other_types_come_back_or_are_refused(sql: Sql, world: World) -> None:
    """Decimals, dates, times, UUIDs, JSON and arrays: as they went in, where the database has the
    type, and otherwise refused, not quietly turned into text."""
    for number, (kind, value) in enumerate(_OTHERS):
        try:
            table = await _column(sql, world, f"others-{number}", kind)
        except InvalidArgument:
            continue  # this database does not even know the type's name
        await _same_or_refused(sql, world, table, value)


@promise("execute", "query")
async def what_is_no_value_is_refused(sql: Sql, world: World) -> None:
    """Objects of no type that a database has."""
    table = await _column(sql, world, "no-values", "TEXT")
    for value in _NO_VALUES:
        await refused_whole(
            sql,
            world,
            table,
            f"{value!r} is refused",
            lambda value=value: _put(sql, table, value),
        )


async def _column(sql: Sql, world: World, case: str, kind: str) -> Table:
    """A table of one column of that type."""
    return await made(sql, world, case, "held " + kind)


async def _put(sql: Sql, table: Table, value: SqlValue) -> None:
    """Make it the only value."""
    await sql.execute(table("DELETE FROM ~"))
    await sql.execute(table("INSERT INTO ~ (held) VALUES ($1)"), (value,))


async def _same(
    sql: Sql, world: World, table: Table, values: Sequence[SqlValue], *, told_apart: bool = True
) -> None:
    """Check that each value comes back, of the same type."""
    for value in values:
        await _put(sql, table, value)
        short = repr(value)[:60]
        found = await gives(
            sql, world, f"{short} comes back exactly", table("SELECT held FROM ~"), [(value,)]
        )
        kind: object = type(rows_of(found)[0][0])
        kept = kind is type(value) or (not told_apart and kind is int)
        expect(f"{short} stays what it is", kept, kind)


async def _same_or_refused(sql: Sql, world: World, table: Table, value: SqlValue) -> None:
    """Check that a value comes back, or is refused; never that another one does."""
    try:
        await _put(sql, table, value)
    except InvalidArgument:
        return
    found = rows_of(await sql.query(table("SELECT held FROM ~")))[0][0]
    alike = found == value or (found != found and value != value)
    expect(f"{value!r} comes back, or is refused", alike, found)


CASES = (
    integers_come_back_exactly,
    an_integer_of_more_than_64_bits_is_refused,
    floats_come_back_exactly,
    texts_come_back_exactly,
    a_text_that_not_every_database_holds_is_refused,
    bytes_come_back_exactly,
    booleans_come_back,
    other_types_come_back_or_are_refused,
    what_is_no_value_is_refused,
)
