"""Fetches the pinned npm packages of a simulator once, into a cache that all later runs share.

The pins are data beside this file: `npm/<name>/package.json` names the exact version and
`package-lock.json` the sha512 of every tarball below it. The lock names no registry, so a
mirror that is configured for npm is used.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.node import Node

__all__ = ["FETCH_SECONDS_MAX", "MINIFLARE", "Installed", "NpmPins", "cache_root", "fetch"]

FETCH_SECONDS_MAX = 300.0
"""No call of `fetch` takes longer, waiting for another process's fetch included."""

Progress = Callable[[str], None]
_STAMP = "fetched.json"
_TAIL_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class NpmPins:
    """One simulator's pinned packages.

    Attributes:
        package: the npm package asked for.
        folder: where its `package.json` and `package-lock.json` lie.
        needs: files below `node_modules` without which the package does not run, as patterns
            (the name of a native package says the platform).
    """

    package: str
    folder: Path
    needs: tuple[str, ...]

    @property
    def version(self) -> str:
        """The exact version."""
        manifest = json.loads((self.folder / "package.json").read_text(encoding="utf-8"))
        return manifest["dependencies"][self.package]

    @property
    def label(self) -> str:
        """What to call it in a report."""
        return f"{self.package} {self.version}"


MINIFLARE = NpmPins(
    "miniflare",
    Path(__file__).parent / "npm" / "miniflare",
    needs=("miniflare/dist/src/index.js", "@cloudflare/workerd-*/bin/workerd*"),
)


@dataclass(frozen=True, slots=True)
class Installed:
    """Packages that are on this machine, whole and as pinned.

    Attributes:
        label: package and version, for a report.
        root: the folder that holds `node_modules`.
        fetched_seconds: how long the fetch took in this call; 0.0 from the cache.
    """

    label: str
    root: Path
    fetched_seconds: float = 0.0


def cache_root(environment: Mapping[str, str] | None = None) -> Path:
    """The user's cache folder of this program (FLOWS_CACHE, else the platform's own place)."""
    environment = os.environ if environment is None else environment
    if named := environment.get("FLOWS_CACHE"):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "flows-registry"
    configured = environment.get("XDG_CACHE_HOME")
    return (Path(configured) if configured else Path.home() / ".cache") / "flows-registry"


def fetch(
    pins: NpmPins,
    *,
    node: Node,
    cache: Path | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    timeout_seconds: float = FETCH_SECONDS_MAX,
) -> Installed | Absent:
    """The packages, from the cache or freshly fetched; Absent with the reason otherwise.

    Callers at the same time wait for one of them to fetch. An interrupted fetch leaves a folder
    that no reader looks at and that the next fetch removes.

    Args:
        pins: which packages.
        node: the Node.js whose npm installs them; no install script is run.
        cache: the cache folder; None is the user's.
        offline: never fetch.
        progress: told in one line what goes on.
        timeout_seconds: the longest this call may take.
    """
    deadline = time.monotonic() + timeout_seconds
    folder = (cache or cache_root()) / "npm"
    target = folder / _folder_name(pins)
    if _whole(pins, target):
        return Installed(pins.label, target)
    if offline:
        return Absent(
            f"{pins.label} is not fetched, and fetching is switched off",
            "Run once without --offline on a machine that reaches an npm registry.",
        )
    if node.npm is None:
        return Absent(
            f"{pins.label} is not fetched, and {node.label} at {node.path} has no npm",
            "Install npm, or `pip install 'flows-registry[node]'`.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{target.name}.lock", deadline) as held:
            if not held:
                return Absent(
                    f"another process fetches {pins.label} and did not finish in time",
                    f"Wait for it, or remove {folder} when no such process is left.",
                )
            if _whole(pins, target):
                return Installed(pins.label, target)
            return _install(pins, target, node.npm, progress or _silent, deadline)
    except OSError as error:
        return Absent(
            f"{pins.label} cannot be kept in {folder}: {error}",
            "Make the folder writable, or name another one with FLOWS_CACHE=/path.",
        )


def _silent(line: str) -> None:
    del line


def _folder_name(pins: NpmPins) -> str:
    lock = (pins.folder / "package-lock.json").read_bytes()
    system = f"{sys.platform}-{platform.machine()}".lower()
    package = pins.package.replace("/", "-")  # @scope/name
    return f"{package}-{pins.version}-{system}-{hashlib.sha256(lock).hexdigest()[:12]}"


def _whole(pins: NpmPins, target: Path) -> bool:
    return (target / _STAMP).is_file() and not _missing(pins, target)


def _missing(pins: NpmPins, folder: Path) -> list[str]:
    modules = folder / "node_modules"
    return [needed for needed in pins.needs if not any(modules.glob(needed))]


@contextlib.contextmanager
def _locked(path: Path, deadline: float) -> Generator[bool]:
    """Hold an exclusive lock that dies with the process; False when it was not free in time."""
    with path.open("a+") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    yield False
                    return
                time.sleep(0.05)
        yield True


def _install(
    pins: NpmPins, target: Path, npm: tuple[str, ...], progress: Progress, deadline: float
) -> Installed | Absent:
    started = time.monotonic()
    # We hold the lock, so whatever lies here is broken. The new folder has a name of its own: an
    # npm whose parent was killed may still be writing to the old one.
    for stale in (target, *target.parent.glob(f".{target.name}.*")):
        shutil.rmtree(stale, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(pins.folder / name, partial / name)
        progress(f"fetching {pins.label} with npm, once (about 45 MB)")
        failure = _run_npm(pins, npm, partial, progress, deadline)
        failure = failure or _difference(pins, partial)
        if failure is not None:
            return Absent(
                f"{pins.label} could not be fetched: {failure}",
                "Check that npm reaches a registry (`npm ping`), then run the command again.",
            )
        seconds = time.monotonic() - started
        (partial / _STAMP).write_text(json.dumps({"package": pins.label, "seconds": seconds}))
        partial.rename(target)
        progress(f"fetched {pins.label} in {seconds:.1f} s")
        return Installed(pins.label, target, seconds)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run_npm(
    pins: NpmPins, npm: tuple[str, ...], folder: Path, progress: Progress, deadline: float
) -> str | None:
    """Run the install to its end or the deadline; the reason when it failed."""
    command = [
        *npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev",
        "--include=optional", "--engine-strict=false", "--global=false", "--loglevel=error",
        "--no-update-notifier", "--progress=false",
    ]  # fmt: skip
    log = folder / "npm.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_npm_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = _awaited(process, pins, progress, deadline)
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    said = log.read_text(encoding="utf-8", errors="replace").strip()[-_TAIL_CHARACTERS:]
    log.unlink()
    if status is None:
        return f"npm did not finish in time; it said: {said or 'nothing'}"
    return f"npm ended with status {status}: {said}" if status else None


def _awaited(
    process: "subprocess.Popen[bytes]", pins: NpmPins, progress: Progress, deadline: float
) -> int | None:
    started = time.monotonic()
    while (left := deadline - time.monotonic()) > 0:
        try:
            return process.wait(min(2.0, left))
        except subprocess.TimeoutExpired:
            progress(f"fetching {pins.label}: {time.monotonic() - started:.0f} s")
    return None


def _npm_environment() -> dict[str, str]:
    # The user's npm configuration stays (mirrors, certificates, proxies); what would change the
    # Node.js process itself or make npm believe it is inside another run does not.
    dropped = ("NODE_OPTIONS", "NODE_PATH")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.lower().startswith(("npm_lifecycle", "npm_package"))
    }


def _difference(pins: NpmPins, folder: Path) -> str | None:
    """How the installed tree differs from the pins, or None.

    npm checks the hash of each tarball it unpacks, but leaves out an optional package that
    fails: so every installed package is compared here, and the needed files must be there.
    """
    pinned = _packages(pins.folder / "package-lock.json")
    try:
        installed = _packages(folder / "node_modules" / ".package-lock.json")
    except (OSError, ValueError) as error:
        return f"npm left no record of what it installed ({error})"
    for name, facts in installed.items():
        wanted = pinned.get(name)
        if wanted is None:
            return f"{name} is not among the pinned packages"
        for field in ("version", "integrity"):
            if facts.get(field) != wanted.get(field):
                return f"{name} has {field} {facts.get(field)}, pinned is {wanted.get(field)}"
    missing = _missing(pins, folder)
    return f"{missing[0]} is missing after the install" if missing else None


def _packages(lock: Path) -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {name: facts for name, facts in packages.items() if name}
