"""Start-up of `flows-registry` beside bare Python, in an environment with 150 distributions.

    python benchmarks/startup.py [--json]

The environment is made for the occasion: our packages installed as wheels, the rest of the 150
made of metadata alone, which is all that discovery looks at.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from flows_registry.lab.uv import index_environment, uv_binary
from side_by_side import compare, report

DISTRIBUTIONS = 150
ROUNDS = 25
GOAL = "<= 3x"

ROOT = Path(__file__).resolve().parent.parent
OURS = ("core-caps", "registry", "plugins/cap-cloudflare-kv", "plugins/cap-cloudflare-r2")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        environment = _environment(scratch / "venv")
        cache = scratch / "cache"
        bare = _timed([_bin(environment, "python"), "-c", "pass"], cache)
        command = _bin(environment, "flows-registry")
        rows = [
            compare("--help", _timed([command, "--help"], cache), bare, rounds=ROUNDS, goal=GOAL),
            compare("list", _timed([command, "list"], cache), bare, rounds=ROUNDS, goal=GOAL),
            compare(
                "list, discovery cache deleted",
                _timed([command, "list"], cache, forgetting=True),
                bare,
                rounds=ROUNDS,
                goal=GOAL,
            ),
        ]
    report(rows)


def _environment(venv: Path) -> Path:
    """An environment with our packages and as many others as make DISTRIBUTIONS."""
    uv, env = uv_binary(), index_environment()
    _run([uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(venv)], env)
    packages = [str(ROOT / each) for each in OURS]
    install = [uv, "pip", "install", "--quiet", "--no-sources", "--python", _bin(venv, "python")]
    _run([*install, *packages], env)
    site_packages = next((venv / "lib").glob("python3*/site-packages"))
    present = len(list(site_packages.glob("*.dist-info")))
    for number in range(DISTRIBUTIONS - present):
        info = site_packages / f"filler_{number}-1.0.dist-info"
        info.mkdir()
        name = f"Metadata-Version: 2.1\nName: filler-{number}\nVersion: 1.0\n"
        (info / "METADATA").write_text(name, encoding="utf-8")
        # About a third of the distributions of a real environment register something.
        if number % 3 == 0:
            entry = f"[console_scripts]\nfiller-{number} = filler_{number}:main\n"
            (info / "entry_points.txt").write_text(entry, encoding="utf-8")
    _run([_bin(venv, "python"), "-m", "compileall", "-q", str(site_packages)], env)
    return venv


def _timed(command: Sequence[str], cache: Path, *, forgetting: bool = False) -> Callable[[], float]:
    """The wall time of one run of the command, in seconds."""
    env = {"PATH": os.defpath, "HOME": str(cache), "XDG_CACHE_HOME": str(cache)}

    def once() -> float:
        if forgetting:
            shutil.rmtree(cache, ignore_errors=True)
        started = time.perf_counter()
        subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - started

    return once


def _run(command: Sequence[str], env: dict[str, str]) -> None:
    subprocess.run(command, env=env, check=True)


def _bin(venv: Path, name: str) -> str:
    return str(venv / "bin" / name)


if __name__ == "__main__":
    main()
