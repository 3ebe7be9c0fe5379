"""Every benchmark of this folder, one after the other; exit code 1 when a goal is missed.

    python benchmarks/run.py              all
    python benchmarks/run.py keys …       these
    python benchmarks/run.py --json …     one object: each benchmark's own, by name

Each runs in a process of its own, and nothing runs beside it: only so are its figures its own.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NO_BENCHMARKS = ("run", "side_by_side")
BENCHMARK_SECONDS_MAX = 900


def names() -> list[str]:
    """The benchmarks of this folder."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if file.stem not in NO_BENCHMARKS)


def run(name: str, *, as_json: bool) -> tuple[int, str]:
    """One benchmark: its exit code, and what it printed where that was asked for."""
    command = [sys.executable, str(FOLDER / f"{name}.py"), *(["--json"] if as_json else [])]
    output = subprocess.PIPE if as_json else None
    try:
        done = subprocess.run(
            command, stdout=output, text=True, check=False, timeout=BENCHMARK_SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        print(f"{name} took longer than {BENCHMARK_SECONDS_MAX} s", file=sys.stderr)
        return -1, ""
    return done.returncode, done.stdout or ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them and say where a goal was missed; a benchmark that broke met none."""
    parser = argparse.ArgumentParser(description="Ours beside its peers, one run, ratios printed.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(names()))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(names())}")
    said: dict[str, object] = {}
    wrong: list[str] = []
    for name in chosen.names or names():
        if not chosen.json:
            print(f"== {name}", flush=True)
        started = time.perf_counter()
        code, output = run(name, as_json=chosen.json)
        if code:
            wrong.append(name)
        if chosen.json:
            said[name] = json.loads(output) if output else None
        else:
            print(f"({time.perf_counter() - started:.0f} s)\n", flush=True)
    if chosen.json:
        print(json.dumps({"met": not wrong, "benchmarks": said}))
    if wrong:
        print(f"goals not met: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
