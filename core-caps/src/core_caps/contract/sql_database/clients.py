"""Promises about clients: several on one database, and one that is closed."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.sql import Sql, Statement
from core_caps.claims.operation import operations_of
from core_caps.contract.reading import closed
from core_caps.contract.sql_database.tables import PEOPLE, gives, people, rows_of
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_ONE = (Statement("SELECT 1"),)


@promise("query", "execute")
async def two_clients_share_the_database(sql: Sql, world: World) -> None:
    """What one commits the other comes to see; a table that one makes the other has."""
    table = await people(sql, world, "share")
    async with world.reopen() as other:
        await gives(other, world, "another client sees the table", table.all, PEOPLE)
        await other.execute(table("DELETE FROM ~ WHERE id > 1"))
        await gives(sql, world, "this client sees another's delete", table.all, PEOPLE[:1])
        await sql.execute(table("ALTER TABLE ~ ADD COLUMN more BIGINT"))
        wanted = [(*PEOPLE[0], None)]
        await gives(other, world, "another client sees a new column", table.all, wanted)


@promise("query", "execute", needs=(("consistency", "linearizable"),))
async def every_client_reads_the_last_write(sql: Sql, world: World) -> None:
    """The very next read of another client shows a write."""
    table = await people(sql, world, "last")
    async with world.reopen() as other:
        for number in range(5):
            await sql.execute(table("UPDATE ~ SET name = $1 WHERE id = 1"), (f"n{number}",))
            found = rows_of(await other.query(table("SELECT name FROM ~ WHERE id = 1")))
            shown = found == ((f"n{number}",),)
            expect("the next read of another client shows a write", shown, found)


@promise("query", "execute", needs=(("durability", "process"),))
async def closing_a_client_loses_nothing(sql: Sql, world: World) -> None:
    """What was written outlives the client that wrote it."""
    table = await people(sql, world, "outlive")
    async with world.reopen() as other:
        await other.execute(table("INSERT INTO ~ (id, name) VALUES (4, 'x')"))
    wanted = [*PEOPLE, (4, "x")]
    await gives(sql, world, "a row outlives the client that wrote it", table.all, wanted)


@promise()
async def a_closed_client_refuses_every_operation(sql: Sql, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent."""
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, "SELECT 1"))


@promise("query", "execute")
async def closing_one_client_leaves_the_others_open(sql: Sql, world: World) -> None:
    """What a closed client was asked to do changed nothing; the others go on."""
    table = await people(sql, world, "closed")
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, table("DELETE FROM ~")))
    await gives(sql, world, "closing one client leaves the others open", table.all, PEOPLE)


@promise()
async def an_undeclared_operation_is_absent(sql: Sql, world: World) -> None:
    """What the manifest does not provide cannot be called by accident."""
    others = operations_of(Sql).keys() - world.operations
    present = sorted(name for name in others if hasattr(sql, name))
    expect("an operation that is not declared is not there", not present, present)


def _calls(sql: Sql, write: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    return {
        "query": lambda: sql.query("SELECT 1"),
        "query_batch": lambda: sql.query_batch(_ONE),
        "execute": lambda: sql.execute(write),
        "batch": lambda: sql.batch([Statement(write)]),
    }


CASES = (
    two_clients_share_the_database,
    every_client_reads_the_last_write,
    closing_a_client_loses_nothing,
    a_closed_client_refuses_every_operation,
    closing_one_client_leaves_the_others_open,
    an_undeclared_operation_is_absent,
)
