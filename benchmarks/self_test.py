"""How long the certifier takes to prove itself: the whole corpus once, every broken plugin refused
by its check and every sound one certified.

    python benchmarks/self_test.py            the corpus
    python benchmarks/self_test.py --flake    every sound plugin over 20 seeds instead
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from side_by_side import measure, report

SEEDS = 20
FLAKE = "--flake"


def proved(*options: str) -> dict[str, Any]:
    """One self-test; its own account of itself.

    Raises:
        SystemExit: a plugin was judged otherwise than it should be, so the time means nothing.
    """
    command = [sys.executable, "-m", "flows_registry.main", "certify", "--self-test", "--json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"not proved (exit {done.returncode})\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def main() -> None:
    arguments = [each for each in sys.argv[1:] if each != FLAKE]
    flake = len(arguments) < len(sys.argv) - 1
    began = time.perf_counter()
    found = proved(FLAKE, str(SEEDS)) if flake else proved()
    taken = time.perf_counter() - began
    what = f"sound plugins over {SEEDS} seeds" if flake else "recall and false refusals"
    goal = "<= 1200 s" if flake else "<= 300 s"
    name = f"{what}, {len(found['plugins'])} runs"
    report([measure(name, lambda: taken, goal=goal, rounds=1, calls=1)], arguments)


if __name__ == "__main__":
    main()
