"""Who waits for rows takes them in one order, and whoever waits holds no other that is needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from cap_postgres_neon.dedupe import PostgresDedupe
from cap_postgres_neon.tcp import TcpDatabase
from core_caps.capabilities.dedupe import Commit, Fresh, Reservation

pytestmark = pytest.mark.feature("DC-04")

Conninfo = Mapping[str, Any]
Tcp = Callable[..., TcpDatabase]

TAKE = "SELECT FROM _flows_dedupe WHERE key = %s FOR UPDATE"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@asynccontextmanager
async def waiting_for(
    conninfo: Conninfo, key: bytes, call: Callable[[], Awaitable[Any]]
) -> AsyncIterator[tuple[psycopg.Connection[Any], asyncio.Task[Any]]]:
    """Another session, which holds this key, and the call, which waits for it."""
    with psycopg.connect(**conninfo) as other, psycopg.connect(**conninfo) as looking:
        looking.autocommit = True
        other.execute(TAKE, (key,))
        called = asyncio.ensure_future(call())
        while looking.execute(WAITING).fetchone() == (0,):
            assert not called.done()
            await asyncio.sleep(0.01)
        yield other, called


async def reserved(dedupe: PostgresDedupe, *keys: str) -> None:
    """Each in a call of its own, so that the table holds them in this order."""
    for key in keys:
        await dedupe.reserve(key, owner="one", lease_seconds=60)


@pytest.mark.parametrize("how", ["reserve_many", "commit_many", "release_many"])
def test_a_batch_that_waits_for_its_first_key_holds_no_other(
    database: Conninfo, tcp: Tcp, how: str
) -> None:
    with psycopg.connect(**database, autocommit=True) as admin:
        for plan in ("nestloop", "mergejoin"):  # as for many keys: rows come as they lie
            admin.execute(f'ALTER DATABASE "{database["dbname"]}" SET enable_{plan} = off')

    async def main() -> None:
        async with PostgresDedupe(tcp(database)) as dedupe:
            await reserved(dedupe, "c", "b", "a")
            calls: Mapping[str, Callable[[], Awaitable[Any]]] = {
                "reserve_many": lambda: dedupe.reserve_many(
                    [*map(Reservation, "cab")], owner="one", lease_seconds=60
                ),
                "commit_many": lambda: dedupe.commit_many(
                    [*map(Commit, "cab")], owner="one", ttl_seconds=60
                ),
                "release_many": lambda: dedupe.release_many([*"cab"], owner="one"),
            }
            async with waiting_for(database, b"a", calls[how]) as (other, called):
                for key in (b"b", b"c"):
                    other.execute(f"{TAKE} NOWAIT", (key,))
                other.commit()
                await called

    asyncio.run(main())


def test_what_a_reservation_forgets_is_held_while_nobody_is_waited_for(
    database: Conninfo, tcp: Tcp
) -> None:
    async def main() -> None:
        async with PostgresDedupe(tcp(database)) as dedupe:
            await reserved(dedupe, "a", "forgotten")
            with psycopg.connect(**database) as admin:
                admin.execute(
                    "UPDATE _flows_dedupe SET until = now(), forget_at = now() WHERE key = %s",
                    (b"forgotten",),
                )
            again = lambda: dedupe.reserve("a", owner="one", lease_seconds=60)  # noqa: E731
            async with waiting_for(database, b"a", again) as (other, called):
                other.execute(f"{TAKE} NOWAIT", (b"forgotten",))
                other.commit()
                assert await called == Fresh()
            await reserved(dedupe, "b")
            with psycopg.connect(**database) as admin:
                keys = admin.execute("SELECT key FROM _flows_dedupe ORDER BY key").fetchall()
                assert keys == [(b"a",), (b"b",)]

    asyncio.run(main())


def test_a_forgotten_key_stands_for_whatever_it_is_next_given(database: Conninfo, tcp: Tcp) -> None:
    async def main() -> None:
        async with PostgresDedupe(tcp(database)) as dedupe:
            await dedupe.reserve("a", owner="one", lease_seconds=60, payload=b"first")
            with psycopg.connect(**database) as admin:
                admin.execute("UPDATE _flows_dedupe SET until = now(), forget_at = now()")
            for owner in ("two", "two"):
                answer = await dedupe.reserve("a", owner=owner, lease_seconds=60, payload=b"second")
                assert answer == Fresh()

    asyncio.run(main())
