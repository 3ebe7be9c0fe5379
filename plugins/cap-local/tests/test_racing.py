"""Two processes race for the same work, and one is killed in the middle: once each, none lost.

RACE_KEYS=10000 makes each race that long.
"""

import asyncio
import collections
import itertools
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cap_local.config import LocalConfig
from cap_local.dedupe import LocalDedupe
from cap_local.queue import LocalQueue
from core_caps.capabilities.dedupe import Done, Reservation
from core_caps.clock import VirtualClock
from core_caps.rng import SeededRng

pytestmark = [pytest.mark.feature("DC-01"), pytest.mark.slow]

RACER = Path(__file__).with_name("racer.py")
KEYS = int(os.environ.get("RACE_KEYS", "500"))
SECONDS_MAX = 30 + KEYS / 20
LATER = VirtualClock(time.time() + 3600)
"""When every lease has run out."""


class Race:
    """The racers of one folder, and what they said."""

    def __init__(self, kind: str, folder: Path, seed: int) -> None:
        self._kind = kind
        self._folder = folder
        self._seed = str(seed)
        self._racers: dict[str, subprocess.Popen[bytes]] = {}
        self.source = random.Random(seed)

    def start(self, name: str, share: str) -> None:
        command = [sys.executable, str(RACER), self._kind, str(self._folder), name]
        with self._output(name).open("wb") as output:
            self._racers[name] = subprocess.Popen([*command, self._seed, share], stdout=output)

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
def test_each_key_is_committed_by_one_and_none_is_lost(tmp_path: Path, seed: int) -> None:
    race = Race("dedupe", tmp_path, seed)
    race.start("one", str(KEYS))
    race.start("two", str(KEYS))
    race.kill_in_the_middle("one", "committed")
    race.start("three", str(KEYS))
    race.finish()

    results = asyncio.run(_results(tmp_path))
    assert all(results.values())  # none lost
    for key, result in race.all_said("committed"):
        assert results[key] == result  # what was told is kept, and nobody else was told so
    told = collections.Counter(key for key, _ in race.all_said("committed"))
    assert max(told.values()) == 1
    _assert_one_at_a_time(race.all_said("fresh"))


async def _results(folder: Path) -> dict[str, str]:
    """Who did the work of each key, or nobody."""
    keys = [f"key-{number}" for number in range(KEYS)]
    async with LocalDedupe(LocalConfig(str(folder)), clock=LATER, rng=SeededRng()) as store:
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


@pytest.mark.parametrize("seed", range(20))
def test_every_message_is_delivered_and_none_is_lost(tmp_path: Path, seed: int) -> None:
    race = Race("queue", tmp_path, seed)
    half = KEYS // 2
    race.start("one", f"0,{half}")
    race.start("two", f"{half},{KEYS}")
    race.kill_in_the_middle("one", "got")
    sent = len(race.said("one", "sent"))
    race.start("three", f"{sent},{half}")
    race.finish()

    left = asyncio.run(_left(tmp_path))
    acked = {number for (number,) in race.all_said("acked")}
    assert not acked & left.keys()  # what was acknowledged does not come again
    got = {number: body for number, *_, body in race.all_said("got")}
    assert {*got.values(), *left.values()} == {str(number) for number in range(KEYS)}
    # Only who was killed may have acknowledged what it did not tell of.
    assert got.keys() - acked - left.keys() <= {number for number, *_ in race.said("one", "got")}
    _assert_one_at_a_time([told[:-1] for told in race.all_said("got")])


async def _left(folder: Path) -> dict[str, str]:
    """The messages that are still there, their bodies by their ids."""
    left: dict[str, str] = {}
    async with LocalQueue(LocalConfig(str(folder)), clock=LATER, rng=SeededRng()) as queue:
        while batch := await queue.pull(limit=1000, visibility_seconds=3600):
            left.update({each.id: each.body.decode() for each in batch})
    return left
