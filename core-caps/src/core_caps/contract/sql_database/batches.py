"""Promises about batches and constraints: all or nothing, and a conflict changes nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.sql import Rows, Sql, Statement
from core_caps.contract.reading import refused
from core_caps.contract.sql_database.tables import (
    PEOPLE,
    Table,
    gives,
    made,
    people,
    refused_whole,
    rows_of,
)
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.errors import Conflict, Outcome

__all__ = ["CASES"]

_ISOLATIONS: tuple[Any, ...] = (None, "read_committed", "repeatable_read", "serializable")
_NO_ISOLATION: tuple[Any, ...] = (
    "",
    "chaos",
    "SERIALIZABLE; DROP TABLE ~",
    5,
    True,
    b"serializable",
)

_BOUND = """id BIGINT PRIMARY KEY, code TEXT NOT NULL UNIQUE, held BIGINT CHECK (held >= 0),
parent BIGINT REFERENCES ~ (id)"""

_BROKEN = (
    "INSERT INTO ~ VALUES (1, 'new', 1, NULL)",
    "INSERT INTO ~ VALUES (2, 'one', 1, NULL)",
    "INSERT INTO ~ VALUES (2, NULL, 1, NULL)",
    "INSERT INTO ~ VALUES (2, 'two', -1, NULL)",
    "INSERT INTO ~ VALUES (2, 'two', 1, 77)",
    "UPDATE ~ SET held = held - 100",
    "INSERT INTO ~ VALUES (2, 'two', 1, NULL), (1, 'again', 1, NULL)",
)
"""Each breaks a constraint: unique, not null, check, reference, one row of several."""


@promise("batch", "query", "execute")
async def a_batch_is_applied_in_order(sql: Sql, world: World) -> None:
    """Each statement sees what those before it did, and is answered in its place."""
    table = await people(sql, world, "batch-order")
    results = await sql.batch(
        [
            Statement(table("INSERT INTO ~ (id, name) VALUES ($1, $2)"), (4, "Edsger")),
            Statement(table("UPDATE ~ SET name = $1 WHERE id >= $2"), ("x", 3)),
            Statement(table("SELECT id FROM ~ WHERE name = $1 ORDER BY id"), ("x",)),
            Statement(table("DELETE FROM ~ WHERE id = 3 RETURNING name")),
        ]
    )
    shown = [(rows_of(each), each.affected, each.repeated) for each in results]
    wanted = [((), 1, False), ((), 2, False), (((3,), (4,)), 0, False), ((("x",),), 1, False)]
    expect("each statement is answered in its place", shown == wanted, shown)
    await gives(sql, world, "all of it is applied", table.all, [*PEOPLE[:2], (4, "x")])


@promise("batch", "query", "execute")
async def a_batch_is_all_or_nothing(sql: Sql, world: World) -> None:
    """Whichever statement fails, and whatever for, none is applied."""
    table = await people(sql, world, "batch-atomic")
    good = [
        Statement(table("INSERT INTO ~ (id, name) VALUES ($1, 'new')"), (number,))
        for number in (7, 8, 9)
    ]
    wrong = Statement(table("UPDATE ~ SET no_such_column = 1"))
    taken = Statement(table("INSERT INTO ~ (id, name) VALUES (1, 'taken')"))
    for place in range(4):
        for bad in (wrong, taken):
            statements = [*good[:place], bad, *good[place:]]
            kind = Conflict if bad is taken else ValueError
            await _fails(sql, table, statements, kind)
    await gives(sql, world, "nothing of them is applied", table.all, PEOPLE)
    await sql.batch(good)
    wanted = [*PEOPLE, (7, "new"), (8, "new"), (9, "new")]
    await gives(sql, world, "the sound ones alone are", table.all, wanted)


@promise("batch", "query", "execute")
async def a_batch_may_create_what_it_uses(sql: Sql, world: World) -> None:
    """A table made by one statement is there for the next, and gone where a later one fails."""
    table = await people(sql, world, "batch-ddl")
    more = Table(table.name + "_more")
    await sql.execute(more("DROP TABLE IF EXISTS ~"))
    create = Statement(more("CREATE TABLE ~ (id BIGINT PRIMARY KEY)"))
    fill = Statement(more("INSERT INTO ~ (id) VALUES ($1)"), (1,))
    await _fails(sql, table, [create, fill, fill], Conflict)
    await refused("a table of a failed batch does not exist", sql.query(more.all))
    await sql.batch([create, fill])
    await gives(sql, world, "a table of a batch exists with its rows", more.all, [(1,)])


@promise("batch", "query_batch")
async def an_empty_batch_is_nothing(sql: Sql, world: World) -> None:
    """No statement, no rows, no error."""
    for call in (sql.batch, sql.query_batch):
        results = await call([])
        expect("an empty batch gives no rows", list(results) == [], results)


@promise("batch", "query_batch", "query", "execute")
async def every_isolation_is_accepted(sql: Sql, world: World) -> None:
    """A database may give more than what is asked for, never less."""
    table = await people(sql, world, "isolation")
    add = table("INSERT INTO ~ (id, name) VALUES ($1, 'x')")
    for number, isolation in enumerate(_ISOLATIONS, 10):
        results = await sql.batch([Statement(add, (number,))], isolation=isolation)
        expect(f"isolation {isolation} writes", results[0].affected == 1, results)
        read = await sql.query_batch(
            [Statement(table("SELECT id FROM ~ WHERE id = 1"))], isolation=isolation
        )
        expect(f"isolation {isolation} reads", rows_of(read[0]) == ((1,),), read)


@promise("batch", "query_batch", "query", "execute")
async def an_isolation_of_no_name_is_refused(sql: Sql, world: World) -> None:
    """It is never put into a statement's text."""
    table = await people(sql, world, "isolation-unknown")
    delete = [Statement(table("DELETE FROM ~"))]
    for given in _NO_ISOLATION:
        bad: Any = table(given) if isinstance(given, str) else given
        await refused_whole(
            sql,
            world,
            table,
            f"isolation {bad!r} is refused",
            lambda bad=bad: sql.batch(delete, isolation=bad),
        )
        reading = [Statement("SELECT 1")]
        await refused(f"isolation {bad!r} is refused", sql.query_batch(reading, isolation=bad))


@promise("execute", "batch", "query")
async def a_broken_constraint_is_a_conflict(sql: Sql, world: World) -> None:
    """Unique, not null, check and reference: Conflict, and nothing of the statement is applied."""
    table = await _bound(sql, world, "constraints")
    for text in _BROKEN:
        both = [Statement(table("UPDATE ~ SET held = 1")), Statement(table(text))]
        calls: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda text=text: sql.execute(table(text)),
            lambda both=both: sql.batch(both),
        )
        for call in calls:
            error = await expect_error(Conflict, f"{text} is a conflict", call())
            expect("a conflict is NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)
        promised = f"{text} changes nothing"
        await gives(sql, world, promised, table.all, [(1, "one", 10, None)])


@promise("execute", "query")
async def a_conflict_can_be_provided_for(sql: Sql, world: World) -> None:
    """`ON CONFLICT`: what is there is kept or changed, and how many rows that were is told."""
    table = await people(sql, world, "on-conflict")
    keep = table("INSERT INTO ~ (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
    change = table(
        "INSERT INTO ~ (id, name) VALUES ($1, $2) "
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name"
    )
    for statement, row, affected, returned in (
        (keep, (1, "other"), 0, ()),
        (keep, (4, "Edsger"), 1, ()),
        (change, (2, "Barbara"), 1, ((2, "Barbara"),)),
    ):
        result = await sql.execute(statement, row)
        shown = (result.affected, rows_of(result))
        expect(f"{statement} with {row}", shown == (affected, returned), shown)
    wanted = [PEOPLE[0], (2, "Barbara"), PEOPLE[2], (4, "Edsger")]
    await gives(sql, world, "rows are kept, changed and added", table.all, wanted)


async def _bound(sql: Sql, world: World, case: str) -> Table:
    """A table with every kind of constraint, and one row."""
    table = await made(sql, world, case, "id BIGINT")
    await sql.execute(table("DROP TABLE ~"))
    await sql.execute(table("CREATE TABLE ~ (" + _BOUND + ")"))
    await sql.execute(table("INSERT INTO ~ VALUES (1, 'one', 10, NULL)"))
    return table


async def _fails(
    sql: Sql, table: Table, statements: list[Statement], kind: type[Exception]
) -> None:
    """Check that a batch fails so, and leaves the table as it was."""
    before: Rows = await sql.query(table.all)
    try:
        given: object = await sql.batch(statements)
    except kind as error:
        outcome = getattr(error, "outcome", None)
        expect("a failed batch is NOT_APPLIED", outcome is Outcome.NOT_APPLIED, outcome)
    else:
        expect("a batch with a failing statement fails", False, given)
    after: Rows = await sql.query(table.all)
    expect("a failed batch changes nothing", rows_of(after) == rows_of(before), after.rows)


CASES = (
    a_batch_is_applied_in_order,
    a_batch_is_all_or_nothing,
    a_batch_may_create_what_it_uses,
    an_empty_batch_is_nothing,
    every_isolation_is_accepted,
    an_isolation_of_no_name_is_refused,
    a_broken_constraint_is_a_conflict,
    a_conflict_can_be_provided_for,
)
