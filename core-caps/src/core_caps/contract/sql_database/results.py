"""Promises about results: columns, rows and how many of them a write changed."""

import asyncio

from core_caps.capabilities.sql import Sql, Statement
from core_caps.contract.sql_database.tables import PEOPLE, gives, made, people, rows_of
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_MANY = 5000
_FILL = """WITH RECURSIVE numbers (n) AS (
    SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000
) INSERT INTO ~ (id, name) SELECT n, 'row ' || CAST(n AS TEXT) FROM numbers"""


@promise("query", "execute")
async def columns_come_in_order_under_their_names(sql: Sql, world: World) -> None:
    """As the statement names them, two of one name included."""
    table = await people(sql, world, "columns")
    for statement, columns in (
        (table.all, ("id", "name")),
        (table("SELECT name, id FROM ~"), ("name", "id")),
        (table('SELECT id AS "Übung 1", name AS "b""c" FROM ~'), ("Übung 1", 'b"c')),
        (table("SELECT id AS same, name AS same FROM ~"), ("same", "same")),
        (table("SELECT id FROM ~ WHERE id = 77"), ("id",)),
    ):
        found = await sql.query(statement)
        expect(f"the columns of {statement}", tuple(found.columns) == columns, found.columns)
    await gives(
        sql,
        world,
        "two columns of one name are two",
        table("SELECT id AS same, name AS same FROM ~ WHERE id = 1"),
        [(1, "Ada")],
    )


@promise("query", "query_batch", "execute")
async def no_rows_are_no_rows(sql: Sql, world: World) -> None:
    """Nothing found is an empty result, not an error and not None."""
    table = await people(sql, world, "no-rows")
    nobody = table("SELECT id, name FROM ~ WHERE id = 77")
    found = await sql.query(nobody)
    shown = (tuple(found.columns), rows_of(found), found.affected, found.repeated)
    expect("nothing found is empty", shown == (("id", "name"), (), 0, False), shown)
    expect("nobody is nobody", found.one() is None, found)
    both = await sql.query_batch([Statement(nobody), Statement(table.all)])
    shown = tuple(rows_of(each) for each in both)
    expect("each statement of a batch has its own rows", shown == ((), PEOPLE), shown)


@promise("query", "execute")
async def rows_can_be_read_by_name(sql: Sql, world: World) -> None:
    """`dicts` and `one` are of what was asked."""
    table = await people(sql, world, "by-name")
    found = await sql.query(table.all)
    wanted = [{"id": number, "name": name} for number, name in PEOPLE]
    expect("rows by name", found.dicts() == wanted, found.dicts())
    one = await sql.query(table("SELECT name FROM ~ WHERE id = $1"), (2,))
    expect("one row by name", one.one() == {"name": "Grace"}, one.rows)


@promise("execute", "query")
async def a_write_tells_how_many_rows_it_changed(sql: Sql, world: World) -> None:
    """Inserted, updated and deleted ones; none where it met none; a read changes none."""
    table = await people(sql, world, "affected")
    for text, affected in (
        ("INSERT INTO ~ (id, name) VALUES (4, 'a'), (5, 'b')", 2),
        ("UPDATE ~ SET name = 'x' WHERE id > 2", 3),
        ("UPDATE ~ SET name = 'x' WHERE id > 2", 3),
        ("UPDATE ~ SET name = 'x' WHERE id = 77", 0),
        ("DELETE FROM ~ WHERE id = 77", 0),
        ("DELETE FROM ~ WHERE id >= 4", 2),
        ("SELECT * FROM ~", 0),
        ("CREATE TABLE ~_more (id BIGINT)", 0),
        ("INSERT INTO ~_more SELECT id FROM ~", 3),
        ("DROP TABLE ~_more", 0),
        ("DELETE FROM ~", 3),
        ("DELETE FROM ~", 0),
    ):
        result = await sql.execute(table(text))
        expect(f"{text} changes {affected} rows", result.affected == affected, result.affected)


@promise("execute", "query")
async def a_write_may_return_rows(sql: Sql, world: World) -> None:
    """`RETURNING` gives what was written, and it is written."""
    table = await people(sql, world, "returning")
    for text, params, rows in (
        ("INSERT INTO ~ (id, name) VALUES ($1, $2) RETURNING name, id", (4, "é"), (("é", 4),)),
        ("UPDATE ~ SET name = $1 WHERE id = 1 RETURNING id, name", ("y",), ((1, "y"),)),
        ("DELETE FROM ~ WHERE id = $1 RETURNING id", (2,), ((2,),)),
        ("DELETE FROM ~ WHERE id = $1 RETURNING id", (2,), ()),
    ):
        result = await sql.execute(table(text), params)
        shown = (rows_of(result), result.affected)
        expect(f"{text} returns its rows", shown == (rows, len(rows)), shown)
        expect(f"{text} names its columns", "id" in result.columns, result.columns)
    await gives(
        sql, world, "what was returned is written", table.all, [(1, "y"), PEOPLE[2], (4, "é")]
    )


@promise("execute", "query")
async def a_write_without_rows_has_no_columns(sql: Sql, world: World) -> None:
    """What returns nothing has an empty result."""
    table = await people(sql, world, "no-columns")
    for text in ("UPDATE ~ SET name = 'x'", "CREATE INDEX ~_index ON ~ (name)", "DELETE FROM ~"):
        result = await sql.execute(table(text))
        shown = (tuple(result.columns), rows_of(result))
        expect(f"{text} gives no rows", shown == ((), ()), shown)


@promise("execute", "query")
async def many_rows_come_whole_and_in_order(sql: Sql, world: World) -> None:
    """Thousands of rows, each once."""
    table = await made(sql, world, "many", "id BIGINT PRIMARY KEY, name TEXT")
    result = await sql.execute(table(_FILL))
    expect("a write of many rows counts them", result.affected == _MANY, result.affected)
    found = rows_of(await sql.query(table("SELECT id, name FROM ~ ORDER BY id DESC")))
    whole = [(n, f"row {n}") for n in range(_MANY, 0, -1)]
    expect("many rows come whole and in order", list(found) == whole, len(found))
    counted = table("SELECT COUNT(*) FROM ~ WHERE id > $1")
    await gives(sql, world, "and are counted", counted, [(1000,)], (4000,))


@promise("execute", "query")
async def concurrent_calls_keep_their_answers(sql: Sql, world: World) -> None:
    """Many calls at once on one client: each gets its own answer."""
    table = await made(sql, world, "concurrent", "id BIGINT PRIMARY KEY, name TEXT")
    insert = table("INSERT INTO ~ VALUES ($1, $2) RETURNING id")
    written = await asyncio.gather(*(sql.execute(insert, (n, f"n{n}")) for n in range(20)))
    shown = [rows_of(result) for result in written]
    expect("each write gets its own rows", shown == [((n,),) for n in range(20)], shown)
    select = table("SELECT name FROM ~ WHERE id = $1")
    read = await asyncio.gather(*(sql.query(select, (n,)) for n in range(20)))
    names = [rows_of(result) for result in read]
    expect("each read gets its own rows", names == [((f"n{n}",),) for n in range(20)], names)


CASES = (
    columns_come_in_order_under_their_names,
    no_rows_are_no_rows,
    rows_can_be_read_by_name,
    a_write_tells_how_many_rows_it_changed,
    a_write_may_return_rows,
    a_write_without_rows_has_no_columns,
    many_rows_come_whole_and_in_order,
    concurrent_calls_keep_their_answers,
)
