"""Promises about `query` and `query_batch`: whatever they are given, nothing is written."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from core_caps.capabilities.sql import Rows, Sql, Statement
from core_caps.contract.sql_database.tables import (
    PEOPLE,
    gives,
    made,
    people,
    refused_whole,
    rows_of,
)
from core_caps.contract.suite import World, expect, promise
from core_caps.errors import InvalidArgument

__all__ = ["CASES", "TRICKS"]

_WRITES = (
    "INSERT INTO ~ (id, name) VALUES (9, 'x')",
    "INSERT INTO ~ (id, name) VALUES (9, 'x') RETURNING id",
    "INSERT INTO ~ (id, name) SELECT 9, 'x'",
    "INSERT INTO ~ (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'x'",
    "UPDATE ~ SET name = 'x'",
    "UPDATE ~ SET name = 'x' WHERE id = 1 RETURNING name",
    "DELETE FROM ~",
    "DELETE FROM ~ WHERE id = 1 RETURNING id",
    "WITH more AS (SELECT 9 AS id) INSERT INTO ~ (id) SELECT id FROM more",
    "WITH gone AS (SELECT 1 AS id) DELETE FROM ~ WHERE id IN (SELECT id FROM gone)",
    "DROP TABLE ~",
    "ALTER TABLE ~ ADD COLUMN more TEXT",
    "ALTER TABLE ~ RENAME COLUMN name TO other",
    "CREATE TABLE ~_more (id BIGINT)",
    "CREATE TEMPORARY TABLE ~_more (id BIGINT)",
    "CREATE VIEW ~_seen AS SELECT 1 AS one",
    "CREATE INDEX ~_index ON ~ (name)",
    "/* SELECT */ DELETE FROM ~ -- SELECT",
)
"""Writes that every database knows."""


class Trick(NamedTuple):
    """A write in the dress of a read, in one dialect.

    Attributes:
        text: what `query` is given; a database that does not know it refuses it for that.
        setup: what it needs; where that is refused there is no such trick to play.
    """

    text: str
    setup: tuple[str, ...] = ()


_SNEAK = """CREATE OR REPLACE FUNCTION ~_sneak() RETURNS BIGINT LANGUAGE SQL VOLATILE AS
'INSERT INTO ~ (id, name) VALUES (9, ''x'') RETURNING id'"""

TRICKS = (
    # PostgreSQL
    Trick("SELECT ~_sneak()", (_SNEAK,)),
    Trick("SELECT nextval('~_numbers')", ("CREATE SEQUENCE IF NOT EXISTS ~_numbers",)),
    Trick("SELECT setval('~_numbers', 50)", ("CREATE SEQUENCE IF NOT EXISTS ~_numbers",)),
    Trick("WITH gone AS (DELETE FROM ~ RETURNING id) SELECT id FROM gone"),
    Trick("WITH more AS (INSERT INTO ~ (id) VALUES (9) RETURNING id) SELECT id FROM more"),
    Trick("SELECT id, name INTO ~_copied FROM ~"),
    Trick("SELECT id FROM ~ FOR UPDATE"),
    Trick("EXPLAIN ANALYZE DELETE FROM ~"),
    Trick("SELECT set_config('transaction_read_only', 'off', true)"),
    Trick("SET TRANSACTION READ WRITE"),
    Trick("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"),
    Trick("TRUNCATE ~"),
    Trick("COPY ~ FROM STDIN"),
    Trick("DO $$ BEGIN DELETE FROM ~; END $$"),
    # SQLite
    Trick("REPLACE INTO ~ (id, name) VALUES (1, 'x')"),
    Trick("PRAGMA user_version = 99"),
    Trick("PRAGMA query_only = OFF"),
    Trick("PRAGMA writable_schema = ON"),
    Trick("ATTACH DATABASE ':memory:' AS other"),
    Trick("VACUUM"),
    Trick("VACUUM INTO 'copied.sqlite'"),
    Trick("REINDEX"),
    Trick("ANALYZE"),
    Trick("SELECT load_extension('anything')"),
    Trick("SELECT writefile('anything', 'x')"),
)
"""What somebody tries who wants to write through a read, in the dialects we know."""


@promise("query", "execute")
async def a_write_through_query_is_refused(sql: Sql, world: World) -> None:
    """Every kind of write: nothing changes, and nothing new exists."""
    table = await people(sql, world, "read-only")
    for text in _WRITES:
        await refused_whole(
            sql, world, table, f"query refuses {text}", lambda text=text: sql.query(table(text))
        )
    await gives(sql, world, "what was there is there", table.all, PEOPLE)


@promise("query", "query_batch", "execute")
async def a_write_through_query_batch_is_refused(sql: Sql, world: World) -> None:
    """Also behind a read, and before one."""
    table = await people(sql, world, "read-only-batch")
    read = Statement(table.all)
    for text in _WRITES:
        write = Statement(table(text))
        for statements in ([write], [read, write], [write, read]):
            await refused_whole(
                sql,
                world,
                table,
                f"query_batch refuses {text}",
                lambda statements=statements: sql.query_batch(statements),
            )


@promise("query", "execute")
async def a_write_in_disguise_is_refused(sql: Sql, world: World) -> None:
    """Functions that write, settings that would allow it, files: the database itself refuses."""
    table = await people(sql, world, "disguise")
    for trick in TRICKS:
        try:
            for statement in trick.setup:
                await sql.execute(table(statement))
        except InvalidArgument:
            continue  # this database has no such thing
        await refused_whole(
            sql,
            world,
            table,
            f"query refuses {trick.text}",
            lambda trick=trick: sql.query(table(trick.text)),
        )
    await gives(sql, world, "what was there is there", table.all, PEOPLE)
    await sql.execute(table("INSERT INTO ~ (id, name) VALUES (9, 'x')"))
    await gives(sql, world, "execute still writes", table.all, [*PEOPLE, (9, "x")])


@promise("query", "execute")
async def a_read_that_only_looks_like_a_write_is_allowed(sql: Sql, world: World) -> None:
    """Words of writes in strings, names and comments are no writes."""
    table = await people(sql, world, "harmless")
    for text in (
        "SELECT 'DELETE FROM ~' AS \"INSERT\" FROM ~ WHERE id = 1",
        "SELECT 'DELETE FROM ~' /* UPDATE ~ */ -- DROP TABLE ~",
        'WITH "update" AS (SELECT \'DELETE FROM ~\' AS a) SELECT a FROM "update"',
    ):
        wanted = [(table("DELETE FROM ~"),)]
        await gives(sql, world, f"a read is allowed: {text}", table(text), wanted)


@promise("query_batch", "execute", "batch")
async def a_reading_batch_sees_one_state(sql: Sql, world: World) -> None:
    """Whatever another client commits meanwhile: the sums of both halves are of one moment."""
    table = await made(sql, world, "one-state", "id BIGINT PRIMARY KEY, held BIGINT NOT NULL")
    await sql.batch(
        [Statement(table("INSERT INTO ~ VALUES ($1, $2)"), (half, 1000)) for half in (1, 2)]
    )
    move = [
        Statement(table("UPDATE ~ SET held = held - 1 WHERE id = 1")),
        Statement(table("UPDATE ~ SET held = held + 1 WHERE id = 2")),
    ]
    look = [Statement(table("SELECT held FROM ~ WHERE id = $1"), (half,)) for half in (1, 2, 1)]
    async with world.reopen() as other:
        for _ in range(12):
            read: Sequence[Rows]
            read, _ = await asyncio.gather(sql.query_batch(look), other.batch(move))  # pyright: ignore[reportUnknownVariableType]
            held = [int(rows_of(rows)[0][0]) for rows in read]  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
            expect("both halves are of one moment", held[0] + held[1] == 2000, held)
            expect("the first half did not move meanwhile", held[0] == held[2], held)


CASES = (
    a_write_through_query_is_refused,
    a_write_through_query_batch_is_refused,
    a_write_in_disguise_is_refused,
    a_read_that_only_looks_like_a_write_is_allowed,
    a_reading_batch_sees_one_state,
)
