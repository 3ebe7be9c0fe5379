"""Run a package's tests against its built wheel: alone, and from a folder outside the source.

    python tests/alone.py prepare PACKAGE SCRATCH   build the wheel; install it with every extra
    python tests/alone.py run PACKAGE …             copy its tests away and run them there

Only the standard library is used here; uv and pytest are the environment's own.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOUNDATION = "core-caps"
"""What every package may stand on; no other package of ours may be there."""


def projects() -> dict[str, dict[str, Any]]:
    """The `[project]` table of each package of the workspace, and its folder, by name."""
    found: dict[str, dict[str, Any]] = {}
    for file in (*ROOT.glob("*/pyproject.toml"), *ROOT.glob("plugins/*/pyproject.toml")):
        project = tomllib.loads(file.read_text("utf-8"))["project"]
        found[project["name"]] = {**project, "folder": file.parent}
    return found


def prepare(package: str, scratch: Path) -> None:
    """Install the package's wheel, with its own dependencies and nothing else of ours.

    uv runs in the root, whose pins it obeys.
    """
    project = projects()[package]
    extras = ",".join(project.get("optional-dependencies", ()))
    wheel = build(package, scratch / "wheels")
    needs = [f"{package}[{extras}] @ {wheel.as_uri()}"]
    if package != FOUNDATION:
        # The wheel just built must win over an index that may know the same name.
        needs.append(f"{FOUNDATION} @ {build(FOUNDATION, scratch / 'wheels').as_uri()}")
    anew = ["--reinstall-package", package, "--reinstall-package", FOUNDATION]
    install = ["uv", "pip", "install", "-q", "--python", sys.executable]
    subprocess.run([*install, *anew, *needs], check=True, cwd=ROOT)


def build(package: str, wheels: Path) -> Path:
    """The package's wheel, built from its source in isolation."""
    folder = projects()[package]["folder"]
    command = ["uv", "build", "-q", "--wheel", "--out-dir", str(wheels), str(folder)]
    subprocess.run(command, check=True, cwd=ROOT)
    [wheel] = wheels.glob(f"{package.replace('-', '_')}-*.whl")
    return wheel


def obstacles(package: str) -> list[str]:
    """What keeps a run from saying anything about the wheel alone."""
    others = set(projects()) - {package, FOUNDATION}
    present = others & {each.name for each in importlib.metadata.distributions()}
    found = [f"{name} is installed too" for name in sorted(present)]
    spec = importlib.util.find_spec(package.replace("-", "_"))
    origin = Path(spec.origin).resolve() if spec and spec.origin else None
    if origin is None or Path(sys.prefix).resolve() not in origin.parents:
        found.append(f"{package} comes from {origin}, not from this environment")
    return found


def run(package: str, arguments: list[str]) -> int:
    """Run the copied tests against what is installed; the exit code is pytest's."""
    hindering = obstacles(package)
    if hindering:
        print(*(f"not alone: {each}" for each in hindering), sep="\n", file=sys.stderr)
        return 1
    folder = projects()[package]["folder"]
    caches = shutil.ignore_patterns("__pycache__", ".*")
    with tempfile.TemporaryDirectory(prefix=f"{package}-") as outside:
        copied = Path(outside).resolve()
        shutil.copytree(folder / "tests", copied / "tests", ignore=caches)
        shutil.copy(folder / "README.md", copied)  # its example is tested, too
        # -P: whatever lies in the current folder is not importable for lying there.
        pytest = [sys.executable, "-P", "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml")]
        command = [*pytest, f"--rootdir={copied}", str(copied / "tests"), *arguments]
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(command, check=False, cwd=copied, env=environ).returncode


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", name, where]:
            prepare(name, Path(where))
        case ["run", name, *rest]:
            raise SystemExit(run(name, rest))
        case _:
            raise SystemExit(__doc__)
