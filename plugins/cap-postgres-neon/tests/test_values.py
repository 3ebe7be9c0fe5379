"""Values as PostgreSQL's text and back: on the real thing, for every type that is known."""

import asyncio
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from cap_postgres_neon.sql import PostgresSql
from cap_postgres_neon.tcp import TcpDatabase
from cap_postgres_neon.values import to_text
from core_caps.capabilities.sql import SqlValue
from core_caps.errors import InvalidArgument

pytestmark = pytest.mark.feature("DC-01")

EAST = timezone(timedelta(hours=5, minutes=30))
SAME: tuple[tuple[str, SqlValue], ...] = (
    ("bool", True),
    ("smallint", -(2**15)),
    ("int", 2**31 - 1),
    ("bigint", -(2**63)),
    ("oid", 7),
    ("real", 0.1),
    ("float8", 5e-324),
    ("float8", -math.inf),
    ("numeric", Decimal("-12345678901234567890.10")),
    ("numeric", Decimal("1E+30")),
    ("text", 'a"b\\c{},\n é'),
    ("varchar(3)", "abc"),
    ("char(3)", "ab "),
    ("bytea", bytes(range(256))),
    ("date", date(2024, 2, 29)),
    ("time", time(23, 59, 59, 1)),
    ("timetz", time(23, 59, 59, tzinfo=EAST)),
    ("timestamp", datetime(1, 1, 1, 0, 0, 0, 1)),  # noqa: DTZ001
    ("timestamptz", datetime(2024, 2, 29, 23, 59, 59, 123456, EAST)),
    ("uuid", UUID(int=2**128 - 1)),
    ("jsonb", {"a": [1, 2.5, None, True, "é\\"], "b": {"c": {}}}),
    ("json", {"z": 1, "a": 2}),
    ("int[]", [1, None, -3]),
    ("text[]", ["", "NULL", 'a"b', "c\\d", "{e,f}", " g ", None]),
    ("int[][]", [[1, 2], [3, 4]]),
    ("numeric[]", [Decimal("1.10")]),
    ("bytea[]", [b"", b"\x00\\"]),
    ("timestamptz[]", [datetime(2024, 1, 1, tzinfo=UTC)]),
    ("jsonb[]", [{"a": "b,c"}]),
    ("uuid[]", []),
    ("bool[]", [True, False]),
)

STAY_TEXT = (
    ("timestamptz", "infinity"),
    ("date", "-infinity"),
    ("date", "0044-03-15 BC"),
    ("timestamp", "12026-01-01 00:00:00"),
    ("time", "24:00:00"),
    ("interval", "1 mon 02:00:00"),
    ("inet", "10.0.0.0/8"),
    ("int4range", "[1,5)"),
    ("money", "$1.00"),
)


def round_trip(
    tcp: Callable[..., TcpDatabase], database: Mapping[str, Any], kind: str, value: SqlValue
) -> SqlValue:
    async def main() -> SqlValue:
        async with PostgresSql(tcp(database)) as sql:
            return (await sql.query(f"SELECT CAST($1 AS {kind})", (value,))).rows[0][0]

    return asyncio.run(main())


@pytest.mark.parametrize(("kind", "value"), SAME)
def test_a_value_comes_back_as_it_went_in(
    database: Mapping[str, Any], tcp: Callable[..., TcpDatabase], kind: str, value: SqlValue
) -> None:
    found = round_trip(tcp, database, kind, value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("kind", "value"), STAY_TEXT)
def test_what_python_cannot_hold_stays_text(
    database: Mapping[str, Any], tcp: Callable[..., TcpDatabase], kind: str, value: str
) -> None:
    assert round_trip(tcp, database, kind, value) == value


def test_an_array_with_bounds_of_its_own_is_a_list(
    database: Mapping[str, Any], tcp: Callable[..., TcpDatabase]
) -> None:
    assert round_trip(tcp, database, "int[]", "[0:1]={7,8}") == [7, 8]


@pytest.mark.parametrize(
    "value",
    [2**63, object(), 1j, {1}, range(2), Decimal("sNaN"), "a\0b", "\ud800", ["\0"],
     {1: 2}, {"a": object()}, {"a": math.nan}, {"a": "\ud800"}],
)  # fmt: skip
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidArgument, match=r"\$1"):
        to_text(value, "$1")
