"""A process that races others for work on a bridge, says what it was told, and may be killed.

python racer.py URL NAME SEED KEYS      until the work of every key is done; TOKEN is the token
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence

from cap_cloudflare_do.config import RemoteConfig
from cap_cloudflare_do.remote_ledger import RemoteDedupe
from core_caps.capabilities.dedupe import Commit, Done, Fresh, Reservation
from core_caps.clock import SystemClock
from core_caps.errors import LeaseExpired
from core_caps.rng import SystemRng
from core_caps.secret import Secret

LEASE_SECONDS = 0.6
TTL_SECONDS = 86_400
BATCH_MAX = 40
SLOW_RATE = 0.05


def tell(lines: Sequence[str]) -> None:
    """One write, which is whole however soon the process ends after it."""
    os.write(1, "".join(f"{line}\n" for line in lines).encode())


async def race(store: RemoteDedupe, name: str, source: random.Random, left: list[str]) -> None:
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
        mine = [key for key, answer in told.items() if isinstance(answer, Fresh)]
        left = [key for key in left if not isinstance(told.get(key), Done)]
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


async def main(url: str, name: str, seed: str, keys: str) -> None:
    config = RemoteConfig(
        host="bridge.example",
        bridge_token=Secret(os.environ["TOKEN"]),
        base_url=url,
        namespace=f"race-{seed}",
    )
    async with RemoteDedupe(config, clock=SystemClock(), rng=SystemRng()) as store:
        left = [f"key-{number}" for number in range(int(keys))]
        await race(store, name, random.Random(f"{seed} {name}"), left)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
