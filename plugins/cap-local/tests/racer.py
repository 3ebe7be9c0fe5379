"""A process that races others for work, says on its output what it was told, and may be killed.

python racer.py dedupe FOLDER NAME SEED KEYS         until the work of every key is done
python racer.py queue FOLDER NAME SEED FIRST,LAST    until these are sent and nothing is due
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence

from cap_local.config import LocalConfig
from cap_local.dedupe import LocalDedupe
from cap_local.queue import LocalQueue
from core_caps.capabilities.dedupe import Commit, Done, Fresh, Reservation
from core_caps.capabilities.queue import Message
from core_caps.clock import SystemClock
from core_caps.errors import LeaseExpired
from core_caps.rng import SystemRng

LEASE_SECONDS = 0.4
TTL_SECONDS = 86_400
VISIBILITY_SECONDS = 1
BATCH_MAX = 40
SLOW_RATE = 0.1


def tell(lines: Sequence[str]) -> None:
    """One write, which is whole however soon the process ends after it."""
    os.write(1, "".join(f"{line}\n" for line in lines).encode())


async def dedupe(folder: str, name: str, source: random.Random, keys: int) -> None:
    left = [f"key-{number}" for number in range(keys)]
    async with LocalDedupe(LocalConfig(folder), clock=SystemClock(), rng=SystemRng()) as store:
        for turn in range(1_000_000):
            if not left:
                return
            some = source.sample(left, min(len(left), source.randint(1, BATCH_MAX)))
            until = time.time() + LEASE_SECONDS
            answers = await store.reserve_many(
                [Reservation(key, key.encode()) for key in some],
                owner=name,
                lease_seconds=LEASE_SECONDS,
            )
            answered_at = time.time()
            told = dict(zip(some, answers, strict=True))
            finished = {key for key, answer in told.items() if isinstance(answer, Done)}
            mine = [key for key, answer in told.items() if isinstance(answer, Fresh)]
            left = [key for key in left if key not in finished]
            if not mine:
                await asyncio.sleep(0.01)
                continue
            tell([f"fresh {key} {name} {until!r} {answered_at!r}" for key in mine])
            slow = source.random() < SLOW_RATE  # others take over, and its commit is refused
            await asyncio.sleep(LEASE_SECONDS * 1.2 if slow else source.random() * 0.005)
            result = f"{name}/{turn}"
            try:
                await store.commit_many(
                    [Commit(key, result.encode()) for key in mine],
                    owner=name,
                    ttl_seconds=TTL_SECONDS,
                )
            except LeaseExpired:
                continue
            tell([f"committed {key} {result}" for key in mine])


async def queue(folder: str, name: str, source: random.Random, first: int, last: int) -> None:
    async with LocalQueue(LocalConfig(folder), clock=SystemClock(), rng=SystemRng()) as messages:
        while True:
            if first < last:
                some = range(first, min(last, first + source.randint(1, BATCH_MAX)))
                await messages.send_batch([Message(b"%d" % number) for number in some])
                tell([f"sent {number}" for number in some])
                first = some.stop
            until = time.time() + VISIBILITY_SECONDS
            batch = await messages.pull(
                limit=source.randint(1, BATCH_MAX), visibility_seconds=VISIBILITY_SECONDS
            )
            if not batch and first == last:
                return
            told = f"{until!r} {time.time()!r}"
            tell([f"got {each.id} {each.attempts} {told} {each.body.decode()}" for each in batch])
            kept = [each for each in batch if source.random() < 0.9]
            expired: Sequence[str] = ()
            try:
                await messages.ack([each.lease for each in kept])
            except LeaseExpired as error:
                expired = error.leases
            tell([f"acked {each.id}" for each in kept if each.lease not in expired])


def main(kind: str, folder: str, name: str, seed: str, share: str) -> None:
    source = random.Random(f"{seed} {name}")
    numbers = [int(number) for number in share.split(",")]
    if kind == "dedupe":
        asyncio.run(dedupe(folder, name, source, *numbers))
    else:
        asyncio.run(queue(folder, name, source, *numbers))


if __name__ == "__main__":
    main(*sys.argv[1:])
