"""How long the certification of R2 takes, packages already fetched, and where the time goes."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from side_by_side import measure, report

PLUGIN = Path(__file__).resolve().parent.parent / "plugins" / "cap-cloudflare-r2"
GOAL = "<= 60 s"


def certified() -> dict[str, Any]:
    """One certification; its own account of itself.

    Raises:
        SystemExit: the plugin was not certified, so there is nothing to time.
    """
    command = [sys.executable, "-m", "flows_registry.main", "certify", str(PLUGIN), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"not certified (exit {done.returncode})\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def main() -> None:
    found: dict[str, Any] = {}

    def once() -> float:
        began = time.perf_counter()
        found.update(certified())
        return time.perf_counter() - began

    # One more, untimed, comes first: it fetches what is missing and fills the caches.
    timed = measure("certification of cap-cloudflare-r2", once, rounds=1, goal=GOAL)
    if "--json" not in sys.argv:
        for check in found["checks"]:
            seconds = check["facts"].get("seconds", 0.0)
            name = f"{check['check']} {check['backend']}".strip()
            print(f"  {name:<22}{check['cases']:>6} cases {seconds:>8.1f} s")
    report([timed])


if __name__ == "__main__":
    main()
