"""Dedupe on SQLite: reserve_many and commit_many of 1000 keys beside a loop written by hand.

Both keep the same columns and the same index, in files of their own with SQLite's write-ahead log
and synchronous = FULL, and use one transaction for each batch. The loop runs one prepared upsert
for each key that says what it took, and one executemany for the results; ours checks its
arguments, compares payloads, and hands each batch to another thread and back. The keys are hashes,
new in each round; answered again, they are done.

    python benchmarks/dedupe.py [--json]
"""

import asyncio
import hashlib
import itertools
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cap_local.config import LocalConfig
from cap_local.dedupe import LocalDedupe
from core_caps.capabilities.dedupe import Commit, Done, Fresh, Reservation
from core_caps.clock import SystemClock
from core_caps.rng import SystemRng

sys.path.insert(0, str(Path(__file__).parent))
from side_by_side import compare, report

BATCH = 1000
LEASE_SECONDS, TTL_SECONDS = 60.0, 3600.0
PAYLOAD = hashlib.sha256(b"payload").digest()
RESULT = b"result"

RESERVE = """
INSERT INTO work VALUES (?1, ?2, ?3, ?4, ?4 + 86400, NULL)
ON CONFLICT (key) DO UPDATE SET owner = ?2, until = ?4, forget_at = ?4 + 86400, result = NULL,
    payload = CASE WHEN payload = x'' OR result IS NOT NULL THEN ?3 ELSE payload END
WHERE until <= ?5 OR (result IS NULL AND owner = ?2)
RETURNING payload
"""
LOOK = "SELECT result, payload FROM work WHERE key = ?"
COMMIT = """
UPDATE work SET result = ?1, until = ?2, forget_at = ?2
WHERE key = ?3 AND owner = ?4 AND (result IS NULL OR (result = ?1 AND until > ?5))
"""
SWEEP = "DELETE FROM work WHERE rowid IN (SELECT rowid FROM work WHERE forget_at <= ? LIMIT 2000)"

Batch = Sequence[str]


def opened(path: Path) -> sqlite3.Connection:
    """A database of its own, as durable as ours."""
    connection = sqlite3.connect(path, isolation_level=None)
    assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE work (key TEXT NOT NULL UNIQUE, owner TEXT, payload BLOB, until REAL, "
        "forget_at REAL, result BLOB)"
    )
    connection.execute("CREATE INDEX forgetting ON work (forget_at)")
    return connection


def by_hand_reserve(connection: sqlite3.Connection, keys: Batch) -> int:
    """How many of the keys are fresh."""
    now, fresh = time.time(), 0
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(SWEEP, (now,))
    for key in keys:
        row = (key, "me", PAYLOAD, now + LEASE_SECONDS, now)
        taken = connection.execute(RESERVE, row).fetchone()
        if taken is None:
            taken = connection.execute(LOOK, (key,)).fetchone()[1:]
        else:
            fresh += 1
        assert taken == (PAYLOAD,)
    connection.execute("COMMIT")
    return fresh


def by_hand_commit(connection: sqlite3.Connection, keys: Batch) -> None:
    now = time.time()
    connection.execute("BEGIN IMMEDIATE")
    rows = [(RESULT, now + TTL_SECONDS, key, "me", now) for key in keys]
    assert connection.executemany(COMMIT, rows).rowcount == len(keys)
    connection.execute("COMMIT")


async def our_reserve(store: LocalDedupe, keys: Batch, expected: type) -> None:
    answers = await store.reserve_many(
        [Reservation(key, PAYLOAD) for key in keys], owner="me", lease_seconds=LEASE_SECONDS
    )
    assert all(isinstance(answer, expected) for answer in answers)


async def our_work(store: LocalDedupe, keys: Batch) -> None:
    await our_reserve(store, keys, Fresh)
    commits = [Commit(key, RESULT) for key in keys]
    await store.commit_many(commits, owner="me", ttl_seconds=TTL_SECONDS)


def batches(name: str) -> Callable[[], Batch]:
    """A new batch each time."""
    numbers = itertools.count()

    def batch() -> Batch:
        return [
            hashlib.sha256(f"{name}-{next(numbers)}".encode()).hexdigest() for _ in range(BATCH)
        ]

    return batch


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        connection = opened(Path(folder) / "by-hand.sqlite")
        store = LocalDedupe(LocalConfig(folder), clock=SystemClock(), rng=SystemRng())
        runner.run(store.__aenter__())
        ours_new, hand_new = batches("keys"), batches("keys")
        last: dict[str, Batch] = {}

        def ours() -> float:
            last["ours"] = keys = ours_new()
            started = time.perf_counter()
            runner.run(our_work(store, keys))
            return time.perf_counter() - started

        def hand() -> float:
            last["hand"] = keys = hand_new()
            started = time.perf_counter()
            assert by_hand_reserve(connection, keys) == BATCH
            by_hand_commit(connection, keys)
            return time.perf_counter() - started

        new = f"{BATCH} new keys, reserved and committed"
        done = f"{BATCH} done keys, answered again"
        comparisons = [
            compare(new, ours, hand, goal=">= 0.9x"),
            compare(
                done,
                lambda: runner.run(our_reserve(store, last["ours"], Done)),
                lambda: None if by_hand_reserve(connection, last["hand"]) == 0 else 0.0,
                goal=">= 0.9x",
            ),
        ]
        runner.run(store.__aexit__(None, None, None))
        connection.close()
    report(comparisons)


if __name__ == "__main__":
    main()
