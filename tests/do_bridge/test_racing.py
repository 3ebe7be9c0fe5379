"""Two processes race on the bridge's ledger, and one is killed: once each, none lost.

RACE_KEYS=10000 RACE_SEEDS=20 makes it that long.
"""

import collections
import itertools
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from core_caps.capabilities.dedupe import Done, Reservation

pytestmark = [pytest.mark.feature("S3-07", "DC-04"), pytest.mark.slow]

RACER = Path(__file__).with_name("racer.py")
KEYS = int(os.environ.get("RACE_KEYS", "300"))
SEEDS = int(os.environ.get("RACE_SEEDS", "2"))
SECONDS_MAX = 60 + KEYS / 10
BATCH = 500


class Race:
    """The racers of one seed, and what they said."""

    def __init__(self, bridge: Any, folder: Path, seed: int) -> None:
        self._bridge = bridge
        self._folder = folder
        self._seed = str(seed)
        self._racers: dict[str, subprocess.Popen[bytes]] = {}
        self.source = random.Random(seed)

    def start(self, name: str) -> None:
        command = [sys.executable, str(RACER), self._bridge.url, name, self._seed, str(KEYS)]
        environment = {**os.environ, "TOKEN": self._bridge.token}
        with self._output(name).open("wb") as output:
            self._racers[name] = subprocess.Popen(command, stdout=output, env=environment)

    def kill_in_the_middle(self, name: str) -> None:
        """Kill it between any two of its instructions, once it did some of the work."""
        enough = self.source.randint(1, KEYS // 4)
        deadline = time.monotonic() + SECONDS_MAX
        while self._racers[name].poll() is None and len(self._said(name, "committed")) < enough:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(self.source.random() * 0.02)
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

    def all_said(self, word: str) -> list[list[str]]:
        """What follows the word in the whole lines of every racer."""
        return list(itertools.chain.from_iterable(self._said(name, word) for name in self._racers))

    def results(self) -> dict[str, str]:
        """Who did the work of each key, or nobody."""
        keys = [f"key-{number}" for number in range(KEYS)]

        async def use(store: Any) -> list[Any]:
            answers: list[Any] = []
            for start in range(0, KEYS, BATCH):
                some = [Reservation(key) for key in keys[start : start + BATCH]]
                answers += await store.reserve_many(some, owner="reader", lease_seconds=1)
            return answers

        answers = self._bridge.run("dedupe", f"race-{self._seed}", use)
        results = [answer.result.decode() if isinstance(answer, Done) else "" for answer in answers]
        return dict(zip(keys, results, strict=True))

    def _said(self, name: str, word: str) -> list[list[str]]:
        lines = self._output(name).read_text().split("\n")[:-1]
        parts = [line.split() for line in lines]
        return [rest for first, *rest in parts if first == word]

    def _output(self, name: str) -> Path:
        return self._folder / f"{name}.said"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_each_key_is_committed_by_one_and_none_is_lost(
    bridge: Any, tmp_path: Path, seed: int
) -> None:
    race = Race(bridge, tmp_path, seed)
    race.start("one")
    race.start("two")
    race.kill_in_the_middle("one")
    race.start("three")
    race.finish()

    results = race.results()
    assert all(results.values())  # none lost
    for key, result in race.all_said("committed"):
        assert results[key] == result  # what was told is kept, and nobody else was told so
    told = collections.Counter(key for key, _ in race.all_said("committed"))
    assert max(told.values()) == 1
    _assert_one_at_a_time(race.all_said("fresh"))


def _assert_one_at_a_time(given: list[list[str]]) -> None:
    """Nothing was given to one while the lease of another held."""
    turns: dict[str, list[tuple[float, float, str]]] = {}
    for name, holder, until, answered_at in given:
        turns.setdefault(name, []).append((float(until), float(answered_at), holder))
    for each in turns.values():
        for (until, _, holder), (_, answered_at, other) in itertools.pairwise(sorted(each)):
            # The object's clock is this machine's, in whole milliseconds.
            assert holder == other or answered_at >= until - 0.002
