"""How the cases make their tables and look at what is in them.

Every statement is one that SQLite and PostgreSQL understand alike.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from core_caps.capabilities.sql import Rows, Sql, SqlValue
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import World, expect

__all__ = ["PEOPLE", "Table", "gives", "made", "people", "refused_whole", "rows_of"]

PEOPLE = ((1, "Ada"), (2, "Grace"), (3, None))
"""What `people` puts into its table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of one case alone; in a statement `~` stands for its name."""

    name: str

    def __call__(self, statement: str) -> str:
        """The statement, about this table."""
        return statement.replace("~", self.name)

    @property
    def all(self) -> str:
        """The statement that reads all of it, by its first column."""
        return self("SELECT * FROM ~ ORDER BY 1")


async def made(sql: Sql, world: World, case: str, columns: str) -> Table:
    """A new, empty table."""
    name = re.sub(r"[^a-z0-9]+", "_", at(world, case).lower()).strip("_")
    table = Table(f"t_{name}")
    await sql.execute(table("DROP TABLE IF EXISTS ~"))
    await sql.execute(table("CREATE TABLE ~ (" + columns + ")"))
    return table


async def people(sql: Sql, world: World, case: str) -> Table:
    """A table of three people: `id` is unique, `name` may be missing."""
    table = await made(sql, world, case, "id BIGINT PRIMARY KEY, name TEXT")
    for row in PEOPLE:
        await sql.execute(table("INSERT INTO ~ (id, name) VALUES ($1, $2)"), row)
    return table


async def gives(
    sql: Sql,
    world: World,
    promised: str,
    statement: str,
    rows: Sequence[Sequence[SqlValue]],
    params: Sequence[SqlValue] = (),
) -> Rows:
    """What a query gives, once its rows are as promised."""
    wanted = tuple(map(tuple, rows))
    return await seen(
        world, promised, lambda: sql.query(statement, params), lambda got: rows_of(got) == wanted
    )


def rows_of(result: Rows) -> tuple[tuple[SqlValue, ...], ...]:
    """The rows, whatever sequences they are made of."""
    return tuple(map(tuple, result.rows))


async def refused_whole(
    sql: Sql, world: World, table: Table, promised: str, call: Callable[[], Awaitable[object]]
) -> None:
    """Check that a call is refused for its arguments and leaves the table as it was."""
    before = rows_of(await sql.query(table.all))
    await refused(promised, call())
    after = rows_of(await sql.query(table.all))
    expect(f"{promised}: nothing changes", after == before, after)
