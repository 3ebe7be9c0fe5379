"""`flows-registry doctor`: what this machine can do, and the next step where it cannot."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from core_caps.errors import CapsError
from core_caps.plugins.discovery import discover, manifest_of

from flows_registry.commands.list_installed import describe
from flows_registry.commands.output import coloured, mark, print_json
from flows_registry.lab.cache import cache_folder
from flows_registry.lab.room.holder import isolation
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.node import find_node
from flows_registry.lab.simulators.packages import MINIFLARE, fetch
from flows_registry.lab.uv import uv_binary
from flows_registry.lab.walls import no_walls
from flows_registry.verdict import Level

__all__ = ["Line", "examine", "run"]

PYTHON_MIN = (3, 11)
PROBE_SECONDS_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was tried.

    Attributes:
        subject: what it is about.
        ok: whether it works.
        found: what was seen.
        next_step: what to do where it does not work.
    """

    subject: str
    ok: bool
    found: str
    next_step: str = ""


def run(arguments: argparse.Namespace) -> int:
    """Try everything; exit code 0 when all of it works, 1 otherwise."""
    lines = list(examine())
    healthy = all(line.ok for line in lines)
    if arguments.json:
        print_json({"healthy": healthy, "lines": [asdict(line) for line in lines]})
        return 0 if healthy else 1
    width = max(len(line.subject) for line in lines)
    for line in lines:
        print(f"{mark(line.ok)} {line.subject.ljust(width)}  {line.found}")
        if line.next_step:
            print(coloured(f"  {' ' * width}  → {line.next_step}", "yellow"))
    return 0 if healthy else 1


def examine() -> Iterator[Line]:
    """Every line in turn; a probe that breaks is a line, too."""
    for subject, probe in _PROBES:
        try:
            yield from probe()
        except (CapsError, OSError, subprocess.SubprocessError, PackageNotFoundError) as error:
            yield Line(subject, False, str(error).replace("\n", " "), "see what the message names")


def _python() -> Iterator[Line]:
    found = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= PYTHON_MIN
    yield Line(
        "Python", ok, f"{found} at {sys.executable}", "" if ok else "use Python 3.11 or later"
    )


def _packages() -> Iterator[Line]:
    names = ("flows-registry", "core-caps")
    yield Line("packages", True, ", ".join(f"{name} {version(name)}" for name in names))


def _uv() -> Iterator[Line]:
    command = [uv_binary(), "--version"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PROBE_SECONDS_MAX, check=False
    )
    if done.returncode == 0:
        yield Line("uv", True, f"{done.stdout.strip()} at {command[0]}")
    else:
        yield Line("uv", False, done.stderr.strip(), "pip install --force-reinstall uv")


def _caches() -> Iterator[Line]:
    try:
        folder = cache_folder()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        step = "make it writable, or name another folder with FLOWS_CACHE"
        yield Line("cache folder", False, str(error), step)
        return
    yield Line("cache folder", True, f"{folder} is writable")


def _namespaces() -> Iterator[Line]:
    """Make a network namespace for real, as the rooms of the lab are made, and say what it is
    worth: how closely certification can look here."""
    refused = isolation()
    step = (
        "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1; where "
        "AppArmor restricts them, kernel.apparmor_restrict_unprivileged_userns=0)"
    )
    if not sys.platform.startswith("linux"):
        step = "certify on Linux, where plugins are watched on the wire"
    found = "made one, with loopback and routes"
    yield Line("network namespaces", refused is None, refused or found, step if refused else "")
    yield from _walls(Level.INTERPRETER if refused else Level.WIRE)


def _walls(level: Level) -> Iterator[Line]:
    """Put walls around a process for real, as around what runs a plugin."""
    refused = no_walls()
    step = "allow process and mount namespaces, and a fresh /proc, as a container may forbid"
    found = "stood: no other process, no file of yours, no way to write"
    yield Line("walls", refused is None, refused or found, step if refused else "")
    if level is Level.WIRE and not refused:
        level = Level.ISOLATED
    yield Line("certification", True, f"up to {level}: {_SEEN[level]}")


_SEEN = {
    Level.INTERPRETER: "plugins are watched from inside the interpreter",
    Level.WIRE: "plugins are watched on the wire, and the service's state with them",
    Level.ISOLATED: "the same, where a plugin can reach nothing else of this machine",
}


def _node() -> Iterator[Line]:
    node = find_node()
    if isinstance(node, Absent):
        yield Line("Node.js", False, node.reason, node.next_step)
        yield Line("simulators", False, "need Node.js", "see the line above")
        return
    yield Line("Node.js", True, f"{node.label} at {node.path} ({node.source})")
    packages = fetch(MINIFLARE, node=node, offline=True)
    if isinstance(packages, Absent):
        yield Line("simulators", False, packages.reason, packages.next_step)
    else:
        yield Line("simulators", True, f"{packages.label} at {packages.root}")


def _plugins() -> Iterator[Line]:
    """Each installed plugin: its manifest, its entry point's file, its backends' extras."""
    installed = discover()
    if not installed:
        yield Line("plugins", True, "none installed")
    for found, row in zip(installed, describe(installed), strict=True):
        subject = f"plugin {found.name}"
        problems = [f"{each['code']}: {each['message']}" for each in row["problems"]]
        if not problems:
            manifest = manifest_of(found)
            if manifest.name != found.name:
                problems.append(f"its manifest says {manifest.name!r}, its entry point otherwise")
            if not _has_module(found.module, found.manifest_path):
                problems.append(f"its entry point names {found.module}, which is not there")
        lacking = [each for each in row["backends"] if not each["installed"]]
        if problems:
            step = f"reinstall or correct {found.distribution}"
            yield Line(subject, False, " ".join("; ".join(problems).split()), step)
        elif lacking:
            names = [f"{each['name']} lacks {', '.join(each['missing'])}" for each in lacking]
            yield Line(subject, False, "; ".join(names), lacking[0]["install"])
        else:
            backends = ", ".join(each["name"] for each in row["backends"])
            yield Line(subject, True, f"{found.distribution} {found.version}: {backends}")


def _has_module(module: str, manifest_path: str | None) -> bool:
    """Whether the module's file is there, judged without importing its package."""
    if manifest_path is None:
        return False
    parts = module.split(".")
    folder = Path(manifest_path).parent
    # The manifest stands in the package or in one below it; climb to the top-level package.
    while folder.name != parts[0] and folder != folder.parent:
        folder = folder.parent
    place = folder.joinpath(*parts[1:])
    suffixes = (".py", ".so", ".*.so", ".*.pyd")
    return (place / "__init__.py").is_file() or any(
        found for suffix in suffixes for found in place.parent.glob(place.name + suffix)
    )


_PROBES: tuple[tuple[str, Callable[[], Iterator[Line]]], ...] = (
    ("Python", _python),
    ("packages", _packages),
    ("uv", _uv),
    ("cache folder", _caches),
    ("network namespaces", _namespaces),
    ("Node.js", _node),
    ("plugins", _plugins),
)
