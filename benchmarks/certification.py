"""How long the certification of R2 takes, with nothing fetched yet and again, and where it goes.

The first row has a cache folder of its own: npm packages and environments are fetched and made (uv
keeps its own cache of wheels). The second finds them there.
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

from side_by_side import measure, report

PLUGIN = Path(__file__).resolve().parent.parent / "plugins" / "cap-cloudflare-r2"
GOAL = "<= 60 s"
WHAT = "certification of cap-cloudflare-r2"
ONCE: Any = {"rounds": 1, "calls": 1}


def certified(cache: str) -> dict[str, Any]:
    """One certification with this cache folder; its own account of itself.

    Raises:
        SystemExit: the plugin was not certified, so there is nothing to time.
    """
    command = [sys.executable, "-m", "flows_registry.main", "certify", str(PLUGIN), "--json"]
    environment = {**os.environ, "FLOWS_CACHE": cache}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"not certified (exit {done.returncode})\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def main() -> None:
    found: dict[str, Any] = {}
    taken: list[float] = []
    with tempfile.TemporaryDirectory(prefix="flows-cache-") as cache:
        for _ in ("nothing fetched", "everything fetched"):
            began = time.perf_counter()
            found = certified(cache)
            taken.append(time.perf_counter() - began)
    if "--json" not in sys.argv:
        for check in found["checks"]:
            seconds = check["facts"].get("seconds", 0.0)
            name = f"{check['check']} {check['backend']}".strip()
            print(f"  {name:<22}{check['cases']:>6} cases {seconds:>8.1f} s")
    # Each was timed once: they are too long to repeat, and the first can happen only once.
    report(
        [
            measure(f"{WHAT}, nothing fetched", lambda: taken[0], **ONCE),
            measure(WHAT, lambda: taken[1], goal=GOAL, **ONCE),
        ]
    )


if __name__ == "__main__":
    main()
