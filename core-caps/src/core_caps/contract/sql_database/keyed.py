"""Promises about keys: what is written under one is written once, and a repeat says so."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from core_caps.capabilities.sql import Rows, Sql, Statement
from core_caps.contract.reading import at, refused
from core_caps.contract.sql_database.tables import PEOPLE, Table, gives, made, people, rows_of
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.errors import Conflict, InvalidArgument, Outcome, Unavailable

__all__ = ["CASES"]

_T = TypeVar("_T")

_CLIENTS = 4
_TRIES_MAX = 20


@promise("execute", "query")
async def a_statement_is_applied_once_under_its_key(sql: Sql, world: World) -> None:
    """The second time nothing happens, and it says so."""
    table = await _counter(sql, world, "key-once")
    add = table("UPDATE ~ SET counted = counted + 1 RETURNING counted")
    key = at(world, "key-once", "k")
    first = await sql.execute(add, key=key)
    shown = (rows_of(first), first.affected, first.repeated)
    expect("the first time it is applied", shown == (((1,),), 1, False), shown)
    for _ in range(3):
        again = await sql.execute(add, key=key)
        shown = (rows_of(again), again.affected, again.repeated)
        expect("a repeat does nothing, and says so", shown == ((), 0, True), shown)
    await gives(sql, world, "it is applied once", table.all, [(1, 1)])
    other = await sql.execute(add, key=key + "2")
    expect("another key is another time", not other.repeated, other)
    await gives(sql, world, "another key applies it again", table.all, [(1, 2)])


@promise("execute", "batch", "query")
async def without_a_key_every_time_counts(sql: Sql, world: World) -> None:
    """No key, and an empty one, remember nothing."""
    table = await _counter(sql, world, "key-none")
    add = table("UPDATE ~ SET counted = counted + 1")
    await sql.execute(add)
    await sql.execute(add, key="")
    for result in (
        await sql.execute(add, key=""),
        *await sql.batch([Statement(add)]),
        *await sql.batch([Statement(add)], key=""),
    ):
        expect("without a key nothing is a repeat", not result.repeated, result)
    await gives(sql, world, "without a key every time counts", table.all, [(1, 5)])


@promise("execute", "query")
async def keys_are_compared_exactly(sql: Sql, world: World) -> None:
    """Letters of either case, spaces, a composed and a decomposed letter: each is another key."""
    table = await _counter(sql, world, "key-exact")
    add = table("UPDATE ~ SET counted = counted + 1")
    names = ("a", "A", "a ", " a", "ä", "a\u0308", "a'b", "%", "_", "x" * 200)
    for name in names:
        result = await sql.execute(add, key=at(world, "key-exact", name))
        expect(f"{name!r} is a key of its own", not result.repeated, result)
    await gives(sql, world, "each key counts once", table.all, [(1, len(names))])


@promise("execute", "batch", "query")
async def what_failed_leaves_no_key(sql: Sql, world: World) -> None:
    """The key is recorded in the statement's own transaction: a failure undoes both."""
    table = await people(sql, world, "key-failed")
    insert = table("INSERT INTO ~ (id, name) VALUES ($1, 'x')")
    key = at(world, "key-failed", "k")
    await expect_error(Conflict, "a taken id is a conflict", sql.execute(insert, (1,), key=key))
    await refused("a wrong statement is refused", sql.execute("SELEKT 1", key=key))
    await refused("parameters are counted", sql.execute(insert, (), key=key))
    pair = [Statement(insert, (8,)), Statement(insert, (1,))]
    await expect_error(Conflict, "a taken id is a conflict", sql.batch(pair, key=key))
    result = await sql.execute(insert, (9,), key=key)
    expect("after failures the key is free", not result.repeated, result)
    await gives(sql, world, "what succeeded is applied", table.all, [*PEOPLE, (9, "x")])


@promise("batch", "query", "execute")
async def a_batch_is_applied_once_under_its_key(sql: Sql, world: World) -> None:
    """All of it, once; a repeat says so in every place."""
    table = await _counter(sql, world, "key-batch")
    add = Statement(table("UPDATE ~ SET counted = counted + $1"), (1,))
    key = at(world, "key-batch", "k")
    for time in range(3):
        results = await sql.batch([add, add], key=key)
        shown = [(each.affected, each.repeated) for each in results]
        wanted = [(0, True), (0, True)] if time else [(1, False), (1, False)]
        expect(f"time {time + 1} of a batch under one key", shown == wanted, shown)
    await gives(sql, world, "a batch is applied once", table.all, [(1, 2)])


@promise("execute", "batch", "query")
async def of_many_at_once_one_is_applied(sql: Sql, world: World) -> None:
    """Clients that race with one key: one of them writes, the others are told."""
    table = await _counter(sql, world, "key-race")
    add = table("UPDATE ~ SET counted = counted + 1")
    for number in range(4):
        key = at(world, "key-race", str(number))
        calls: list[Callable[[Sql], Awaitable[Rows]]] = [
            lambda client, key=key: client.execute(add, key=key),
            lambda client, key=key: _first(client.batch([Statement(add)], key=key)),
        ]
        results = await _racing(world, calls[number % 2])
        first = [result for result in results if not result.repeated]
        expect("one of many is the first", len(first) == 1, results)
        wanted = [(1, number + 1)]
        await gives(sql, world, "of many under one key one is applied", table.all, wanted)


@promise("execute", "query", needs=(("durability", "process"),))
async def a_key_outlives_the_client_that_used_it(sql: Sql, world: World) -> None:
    """A retry may come from another process."""
    table = await _counter(sql, world, "key-outlives")
    add = table("UPDATE ~ SET counted = counted + 1")
    key = at(world, "key-outlives", "k")
    async with world.reopen() as other:
        await other.execute(add, key=key)
    result = await sql.execute(add, key=key)
    expect("another client's key is known", result.repeated, result)
    await gives(sql, world, "another client's key counts", table.all, [(1, 1)])


@promise("execute", "batch", "query")
async def a_key_that_is_no_text_is_refused(sql: Sql, world: World) -> None:
    """Nothing is applied under it."""
    table = await _counter(sql, world, "key-types")
    add = table("UPDATE ~ SET counted = counted + 1")
    bad: tuple[object, ...] = (None, 5, True, b"key", ["key"], "lone surrogate \ud800")
    for key in bad:
        given: str = key  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
        await refused(f"{key!r} is no key", sql.execute(add, key=given))
        await refused(f"{key!r} is no key", sql.batch([Statement(add)], key=given))
    await gives(sql, world, "nothing is applied under what is no key", table.all, [(1, 0)])


async def _counter(sql: Sql, world: World, case: str) -> Table:
    """A table of one row, (1, 0)."""
    table = await made(sql, world, case, "id BIGINT PRIMARY KEY, counted BIGINT NOT NULL")
    await sql.execute(table("INSERT INTO ~ VALUES (1, 0)"))
    return table


async def _racing(world: World, call: Callable[[Sql], Awaitable[Rows]]) -> Sequence[Rows]:
    """What a call gives to clients that make it all at once."""

    async def one() -> Rows:
        async with world.reopen() as client:
            return await _tried(lambda: call(client))

    return await asyncio.gather(*(one() for _ in range(_CLIENTS)))


async def _tried(call: Callable[[], Awaitable[_T]]) -> _T:
    """What a call gives that is made again where it lost against another."""
    for _ in range(_TRIES_MAX):
        try:
            return await call()
        except Unavailable as error:
            lost = error.outcome is Outcome.NOT_APPLIED
            expect("who loses against another was not applied", lost, error.outcome)
    raise InvalidArgument("a call lost against others too often")


async def _first(results: Awaitable[Sequence[Rows]]) -> Rows:
    return (await results)[0]


CASES = (
    a_statement_is_applied_once_under_its_key,
    without_a_key_every_time_counts,
    keys_are_compared_exactly,
    what_failed_leaves_no_key,
    a_batch_is_applied_once_under_its_key,
    of_many_at_once_one_is_applied,
    a_key_outlives_the_client_that_used_it,
    a_key_that_is_no_text_is_refused,
)
