"""Processes race for the same keys, and one is killed in the middle: once each, none lost.

RACE_KEYS=10000 makes each race that long.
"""

import asyncio
import collections
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cap_postgres_neon.dedupe import PostgresDedupe
from core_caps.capabilities.dedupe import Done, Reservation

pytestmark = [pytest.mark.feature("DC-01"), pytest.mark.slow]

RACER = Path(__file__).with_name("racer.py")
KEYS = int(os.environ.get("RACE_KEYS", "300"))
SECONDS_MAX = 30 + KEYS / 20


class Race:
    """The racers on one database, and what they said."""

    def __init__(self, conninfo: Mapping[str, Any], folder: Path, seed: int) -> None:
        self._conninfo = json.dumps(dict(conninfo))
        self._folder = folder
        self._seed = str(seed)
        self._racers: dict[str, subprocess.Popen[bytes]] = {}
        self.source = random.Random(seed)

    def start(self, name: str) -> None:
        command = [sys.executable, str(RACER), self._conninfo, name]
        with self._output(name).open("wb") as output:
            self._racers[name] = subprocess.Popen([*command, self._seed, str(KEYS)], stdout=output)

    def kill_in_the_middle(self, name: str, word: str) -> None:
        """Kill it between any two of its instructions, once it said the word often enough."""
        enough = self.source.randint(1, KEYS // 4)
        deadline = time.monotonic() + SECONDS_MAX
        while self._racers[name].poll() is None and len(self.said(name, word)) < enough:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(self.source.random() * 0.01)
        self._racers[name].kill()
        self._racers[name].wait()

    def finish(self) -> None:
        """Wait for those that were not killed."""
        deadline = time.monotonic() + SECONDS_MAX
        try:
            codes = [
                racer.wait(max(0.0, deadline - time.monotonic())) for racer in self._racers.values()
            ]
        finally:
            for racer in self._racers.values():
                racer.kill()
        assert set(codes) <= {0, -9}

    def said(self, name: str, word: str) -> list[list[str]]:
        """What follows the word in the racer's whole lines."""
        lines = self._output(name).read_text().split("\n")[:-1]
        return [
            rest.split()
            for first, _, rest in (line.partition(" ") for line in lines)
            if first == word
        ]

    def all_said(self, word: str) -> list[list[str]]:
        """The same of every racer."""
        return list(itertools.chain.from_iterable(self.said(name, word) for name in self._racers))

    def _output(self, name: str) -> Path:
        return self._folder / f"{name}.said"


@pytest.mark.parametrize("seed", range(20))
def test_each_key_is_committed_by_one_and_none_is_lost(
    database: Mapping[str, Any], tmp_path: Path, seed: int, tcp: Any
) -> None:
    race = Race(database, tmp_path, seed)
    race.start("one")
    race.start("two")
    race.kill_in_the_middle("one", "committed")
    race.start("three")
    race.finish()

    results = asyncio.run(_results(tcp(database)))
    assert all(results.values())  # none lost
    for key, result in race.all_said("committed"):
        assert results[key] == result  # what was told is kept, and nobody else was told so
    told = collections.Counter(key for key, _ in race.all_said("committed"))
    assert max(told.values()) == 1
    _assert_one_at_a_time(race.all_said("fresh"))


async def _results(database: Any) -> dict[str, str]:
    """Who did the work of each key, or nobody."""
    keys = [f"key-{number}" for number in range(KEYS)]
    async with PostgresDedupe(database) as store:
        answers = await store.reserve_many(
            [Reservation(key) for key in keys], owner="reader", lease_seconds=1
        )
    results = [answer.result.decode() if isinstance(answer, Done) else "" for answer in answers]
    return dict(zip(keys, results, strict=True))


def _assert_one_at_a_time(given: list[list[str]]) -> None:
    """Nothing was given to one while the lease of another held."""
    turns: dict[str, list[tuple[float, float, str]]] = {}
    for name, holder, until, answered_at in given:
        turns.setdefault(name, []).append((float(until), float(answered_at), holder))
    for each in turns.values():
        for (until, _, holder), (_, answered_at, other) in itertools.pairwise(sorted(each)):
            assert holder == other or answered_at >= until
