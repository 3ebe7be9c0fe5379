"""Dedupe on PostgreSQL: reserve_many and commit_many of 1000 keys beside SQL written by hand.

Both speak over the same socket to the same server (POSTGRES_URL, the wheel's, or the system's, as
durable as it comes), in tables of their own with the same columns and the same index, one
transaction for each batch. By hand that is psycopg as its manual has it: statements that are
prepared, lists for arrays, one `INSERT … SELECT unnest … ON CONFLICT … RETURNING` and one `UPDATE
… FROM unnest`, each a round trip. Ours checks its arguments, compares payloads in the same
statement, answers in three ways, and knows until when a lease holds. The keys are hashes, new in
each round; answered again, they are done. A loop of one statement for each key, as many write it,
is shown too.

    python benchmarks/dedupe_postgresql.py [--json]
"""

import asyncio
import hashlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from cap_postgres_neon.config import TcpConfig
from cap_postgres_neon.postgres import running
from cap_postgres_neon.tcp import TcpDedupe
from core_caps.capabilities.dedupe import Commit, Done, Fresh, Reservation
from core_caps.clock import SystemClock
from core_caps.rng import SystemRng
from core_caps.secret import Secret
from psycopg.conninfo import conninfo_to_dict

sys.path.insert(0, str(Path(__file__).parent))
from side_by_side import compare, report

BATCH, LOOP = 1000, 100
LEASE_SECONDS, TTL_SECONDS = 60.0, 3600.0
PAYLOAD = hashlib.sha256(b"payload").digest()
RESULT = b"result"

TABLE = """
CREATE TABLE work (key bytea PRIMARY KEY, owner bytea NOT NULL, payload bytea NOT NULL,
    until timestamptz NOT NULL, forget_at timestamptz NOT NULL, result bytea)"""
SWEEP = """
DELETE FROM work WHERE key IN (SELECT key FROM work WHERE forget_at <= clock_timestamp()
    ORDER BY forget_at LIMIT 2100 FOR UPDATE SKIP LOCKED)"""
RESERVE = """
INSERT INTO work AS held (key, payload, owner, until, forget_at)
SELECT key, payload, %(owner)s, clock_timestamp() + make_interval(secs => %(lease)s),
    clock_timestamp() + make_interval(secs => %(lease)s + 86400)
FROM unnest(%(keys)s::bytea[], %(payloads)s::bytea[]) AS given (key, payload)
ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, until = excluded.until,
    forget_at = excluded.forget_at, result = NULL
WHERE held.until <= clock_timestamp() OR (held.result IS NULL AND held.owner = excluded.owner)
RETURNING key, payload"""
LOOK = "SELECT key, payload, result FROM work WHERE key = ANY(%(keys)s::bytea[])"
COMMIT = """
UPDATE work SET result = given.result, until = clock_timestamp() + make_interval(secs => %(ttl)s),
    forget_at = clock_timestamp() + make_interval(secs => %(ttl)s)
FROM unnest(%(keys)s::bytea[], %(results)s::bytea[]) AS given (key, result)
WHERE work.key = given.key AND owner = %(owner)s
AND (work.result IS NULL OR (work.result = given.result AND until > clock_timestamp()))"""
ONE = RESERVE.replace(
    "unnest(%(keys)s::bytea[], %(payloads)s::bytea[])", "(VALUES (%(keys)s, %(payloads)s))"
)

Batch = Sequence[str]
Connection = psycopg.AsyncConnection[Any]


@contextmanager
def server() -> Iterator[Mapping[str, Any]]:
    """Where a PostgreSQL listens, with a database of this run's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        if url := os.environ.get("POSTGRES_URL"):
            yield conninfo_to_dict(url)
        else:
            with running(Path(folder, "data")) as started:
                yield started.conninfo


async def by_hand_reserve(connection: Connection, keys: Batch) -> int:
    """How many of the keys are fresh."""
    encoded = [key.encode() for key in keys]
    given = {
        "keys": encoded,
        "payloads": [PAYLOAD] * len(keys),
        "owner": b"me",
        "lease": LEASE_SECONDS,
    }
    async with connection.transaction():
        await connection.execute(SWEEP)
        taken = await (await connection.execute(RESERVE, given)).fetchall()
        assert all(payload == PAYLOAD for _, payload in taken)
        if len(taken) < len(keys):
            left = set(encoded).difference(key for key, _ in taken)
            looked = await (await connection.execute(LOOK, {"keys": list(left)})).fetchall()
            assert all(payload == PAYLOAD for _, payload, _ in looked)
    return len(taken)


async def by_hand_commit(connection: Connection, keys: Batch) -> None:
    given = {
        "keys": [key.encode() for key in keys],
        "results": [RESULT] * len(keys),
        "owner": b"me",
        "ttl": TTL_SECONDS,
    }
    async with connection.transaction():
        assert (await connection.execute(COMMIT, given)).rowcount == len(keys)


async def by_loop(connection: Connection, keys: Batch) -> None:
    """One statement for each key, all in one transaction."""
    async with connection.transaction():
        for key in keys:
            given = {
                "keys": key.encode(), "payloads": PAYLOAD, "owner": b"me", "lease": LEASE_SECONDS,
            }  # fmt: skip
            await connection.execute(ONE, given)


async def our_reserve(store: TcpDedupe, keys: Batch, expected: type) -> None:
    answers = await store.reserve_many(
        [Reservation(key, PAYLOAD) for key in keys], owner="me", lease_seconds=LEASE_SECONDS
    )
    assert all(isinstance(answer, expected) for answer in answers)


async def our_work(store: TcpDedupe, keys: Batch) -> None:
    await our_reserve(store, keys, Fresh)
    commits = [Commit(key, RESULT) for key in keys]
    await store.commit_many(commits, owner="me", ttl_seconds=TTL_SECONDS)


def batches(name: str, size: int = BATCH) -> Callable[[], Batch]:
    """A new batch each time."""
    numbers = itertools.count()

    def batch() -> Batch:
        return [hashlib.sha256(f"{name}-{next(numbers)}".encode()).hexdigest() for _ in range(size)]

    return batch


def main() -> None:
    with server() as conninfo, asyncio.Runner() as runner:
        connection: Connection = runner.run(
            psycopg.AsyncConnection.connect(**conninfo, autocommit=True)
        )
        for statement in (
            "DROP TABLE IF EXISTS work, _flows_dedupe",
            TABLE,
            "CREATE INDEX forgetting ON work (forget_at)",
        ):
            runner.run(connection.execute(statement))
        config = TcpConfig(
            conninfo["host"], conninfo["dbname"], conninfo["user"],
            Secret(conninfo.get("password", "")), port=int(conninfo.get("port", 5432)),
            sslmode="disable",
        )  # fmt: skip
        store = TcpDedupe(config, clock=SystemClock(), rng=SystemRng())
        runner.run(store.__aenter__())
        ours_new, hand_new = batches("keys"), batches("keys")
        loop_new, few_new = batches("loop", LOOP), batches("few", LOOP)
        last: dict[str, Batch] = {}

        def ours() -> float:
            last["ours"] = keys = ours_new()
            started = time.perf_counter()
            runner.run(our_work(store, keys))
            return time.perf_counter() - started

        def hand() -> float:
            last["hand"] = keys = hand_new()
            started = time.perf_counter()
            assert runner.run(by_hand_reserve(connection, keys)) == BATCH
            runner.run(by_hand_commit(connection, keys))
            return time.perf_counter() - started

        def hand_done() -> None:
            assert runner.run(by_hand_reserve(connection, last["hand"])) == 0

        comparisons = [
            compare(
                f"{BATCH} new keys, reserved and committed; beside statements by hand",
                ours,
                hand,
                goal=">= 0.9x",
            ),
            compare(
                f"{BATCH} done keys, answered again; beside statements by hand",
                lambda: runner.run(our_reserve(store, last["ours"], Done)),
                hand_done,
                goal=">= 0.9x",
            ),
            compare(
                f"{LOOP} new keys, reserved; beside a loop by hand",
                lambda: runner.run(our_reserve(store, few_new(), Fresh)),
                lambda: runner.run(by_loop(connection, loop_new())),
                goal=">= 0.9x",
            ),
        ]
        runner.run(store.__aexit__(None, None, None))
        runner.run(connection.close())
    report(comparisons)


if __name__ == "__main__":
    main()
