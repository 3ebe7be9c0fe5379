"""The local queue beside persist-queue's SQLiteAckQueue: send, take, acknowledge, all durable.

Both keep their messages in an SQLite file with its write-ahead log and synchronous = FULL: what was
sent or acknowledged is on the disk when the call returns. Each is used as it is meant: ours sends,
pulls and acknowledges 100 messages with a call; persist-queue, which has no batches, takes one
message after the other, each step a commit of its own. In the second row callers send single
messages at once, which share commits. The third, one message at a time, has no goal: there ours
does the same work as persist-queue and hands it to another thread and back.

    python benchmarks/local_queue.py [--json]
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from cap_local.config import LocalConfig
from cap_local.queue import LocalQueue
from core_caps.capabilities.queue import Message
from core_caps.clock import SystemClock
from core_caps.rng import SystemRng
from persistqueue import SQLiteAckQueue

sys.path.insert(0, str(Path(__file__).parent))
from side_by_side import Comparison, compare, report

MESSAGES = 500
TOGETHER = 100
BODY = b"m" * 200

Work = Callable[[LocalQueue], Coroutine[Any, Any, None]]


async def ours(queue: LocalQueue) -> None:
    """Batches of messages."""
    for _ in range(MESSAGES // TOGETHER):
        await queue.send_batch([Message(BODY)] * TOGETHER)
    await take(queue)


async def ours_at_once(queue: LocalQueue) -> None:
    """Many callers that send one message each."""
    await asyncio.gather(*(queue.send(BODY) for _ in range(MESSAGES)))
    await take(queue)


async def take(queue: LocalQueue) -> None:
    """A consumer that empties the queue."""
    taken = 0
    while batch := await queue.pull(limit=TOGETHER):
        assert batch[0].body == BODY
        taken += len(batch)
        await queue.ack([each.lease for each in batch])
    assert taken == MESSAGES


async def ours_one_at_a_time(queue: LocalQueue) -> None:
    for _ in range(MESSAGES):
        await queue.send(BODY)
    for _ in range(MESSAGES):
        (one,) = await queue.pull(limit=1)
        assert one.body == BODY
        await queue.ack([one.lease])


def peer(queue: SQLiteAckQueue) -> None:
    """The same messages, as that library takes them."""
    for _ in range(MESSAGES):
        queue.put(BODY)
    for _ in range(MESSAGES):
        one = queue.get(block=False, raw=True)
        assert one["data"] == BODY
        queue.ack(id=one["pqid"])
    queue.clear_acked_data(max_delete=MESSAGES, keep_latest=0)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        theirs = SQLiteAckQueue(f"{folder}/peer", auto_commit=True)
        connection = theirs._putter
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.execute("PRAGMA synchronous = FULL")
        queue = LocalQueue(LocalConfig(folder), clock=SystemClock(), rng=SystemRng())
        runner.run(queue.__aenter__())

        def row(name: str, work: Work, goal: str = "") -> Comparison:
            return compare(
                f"{MESSAGES} messages, {name}",
                lambda: runner.run(work(queue)),
                lambda: peer(theirs),
                rounds=9,
                goal=goal,
                calls=1,
            )

        comparisons = [
            row(f"{TOGETHER} with a call", ours, ">= 10x"),
            row("sent by callers at once", ours_at_once, ">= 10x"),
            row("one at a time", ours_one_at_a_time),
        ]
        runner.run(queue.__aexit__(None, None, None))
        theirs.close()
    report(comparisons)


if __name__ == "__main__":
    main()
