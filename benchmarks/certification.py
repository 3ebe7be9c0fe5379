"""How long the certification of R2 takes, and where it goes.

First with a cache folder of its own, so that npm packages and environments are fetched and made (uv
keeps its own cache of wheels); then everything again, at L2 and at L3; at last with nothing changed
since, when all that is left is to see that.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from side_by_side import Comparison, measure, report

PLUGIN = Path(__file__).resolve().parent.parent / "plugins" / "cap-cloudflare-r2"
WHAT = "certification of cap-cloudflare-r2"
ONCE: Any = {"rounds": 1, "calls": 1}
RUNS = (
    ("nothing fetched", (), ""),
    ("all of it at L2", ("--full", "--level", "L2"), "<= 30 s"),
    ("all of it at L3", ("--full", "--level", "L3"), "<= 35 s"),
    ("nothing changed", ("--level", "L3"), "<= 2 s"),
)
"""What is timed, with which options, and the goal."""


def certified(cache: str, *options: str) -> dict[str, Any]:
    """One certification with this cache folder; its own account of itself.

    Raises:
        SystemExit: the plugin was not certified, so there is nothing to time.
    """
    command = [sys.executable, "-m", "flows_registry.main", "certify", str(PLUGIN), "--json"]
    environment = {**os.environ, "FLOWS_CACHE": cache}
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode != 0:
        raise SystemExit(f"not certified (exit {done.returncode})\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def main() -> None:
    comparisons: list[Comparison] = []
    with tempfile.TemporaryDirectory(prefix="flows-cache-") as cache:
        for name, options, goal in RUNS:
            began = time.perf_counter()
            found = certified(cache, *options)
            taken = time.perf_counter() - began
            # Each is timed once: they are too long to repeat, and the first happens only once.
            timed = measure(f"{WHAT}, {name}", lambda taken=taken: taken, goal=goal, **ONCE)
            comparisons.append(timed)
            if "--json" not in sys.argv:
                tell(name, found["checks"])
    report(comparisons)


def tell(name: str, checks: list[dict[str, Any]]) -> None:
    """Where it went, by check."""
    print(f"{name}:")
    for check in checks:
        seconds = check["facts"].get("seconds", 0.0)
        of = f"{check['check']} {check['backend']}".strip()
        print(f"  {of:<22}{check['cases']:>6} cases {seconds:>8.1f} s")


if __name__ == "__main__":
    main()
