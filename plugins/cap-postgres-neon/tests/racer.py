"""A process that races others for work, says on its output what it was told, and may be killed.

python racer.py CONNINFO NAME SEED KEYS         until the work of every key is done
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Sequence

from cap_postgres_neon.config import TcpConfig
from cap_postgres_neon.dedupe import PostgresDedupe
from cap_postgres_neon.tcp import TcpDatabase
from core_caps.capabilities.dedupe import Commit, Done, Fresh, Reservation
from core_caps.errors import LeaseExpired, Outcome, Unavailable
from core_caps.secret import Secret

LEASE_SECONDS = 0.4
TTL_SECONDS = 86_400
BATCH_MAX = 40
SLOW_RATE = 0.1


def tell(lines: Sequence[str]) -> None:
    """One write, which is whole however soon the process ends after it."""
    os.write(1, "".join(f"{line}\n" for line in lines).encode())


async def race(store: PostgresDedupe, name: str, source: random.Random, keys: int) -> None:
    left = [f"key-{number}" for number in range(keys)]
    for turn in range(1_000_000):
        if not left:
            return
        some = source.sample(left, min(len(left), source.randint(1, BATCH_MAX)))
        until = time.time() + LEASE_SECONDS
        try:
            answers = await store.reserve_many(
                [Reservation(key, key.encode()) for key in some],
                owner=name,
                lease_seconds=LEASE_SECONDS,
            )
        except Unavailable as error:  # a deadlock: nothing was taken
            if error.outcome is not Outcome.NOT_APPLIED:
                raise
            continue
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
        commits = [Commit(key, result.encode()) for key in mine]
        try:
            await store.commit_many(commits, owner=name, ttl_seconds=TTL_SECONDS)
        except LeaseExpired:
            continue
        except Unavailable as error:
            if error.outcome is not Outcome.NOT_APPLIED:
                raise
            continue
        tell([f"committed {key} {result}" for key in mine])


async def main(conninfo: str, name: str, seed: str, keys: str) -> None:
    told = json.loads(conninfo)
    config = TcpConfig(
        told["host"], told["dbname"], told["user"], Secret(told.get("password", "")),
        port=int(told.get("port", 5432)), sslmode="disable", connections_max=2,
    )  # fmt: skip
    async with PostgresDedupe(TcpDatabase(config)) as store:
        await race(store, name, random.Random(f"{seed} {name}"), int(keys))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
