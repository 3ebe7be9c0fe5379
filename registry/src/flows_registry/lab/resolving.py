"""From requirements to exact versions, remembered for an hour so that a repeat asks nobody."""

import hashlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from core_caps.errors import CapsError
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from flows_registry.lab.cache import cache_folder
from flows_registry.lab.running import Ran
from flows_registry.lab.uv import Uv

__all__ = ["FRESH_SECONDS", "EnvironmentFailed", "checked", "content_key", "resolve"]

FRESH_SECONDS = 3600.0
"""A new release of a dependency is seen after so long at the latest; offline any answer will do."""

_UNREACHED = ("Failed to fetch", "network was disabled", "error sending")


class EnvironmentFailed(CapsError):
    """The requirements cannot be resolved, fetched or installed here.

    Attributes:
        unreachable: the package index was not reached, so nothing is said about the plugin.
    """

    code = "PACKAGE014"

    def __init__(self, message: str, *, hint: str = "", unreachable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.unreachable = unreachable


def resolve(requirements: Sequence[str], *, uv: Uv, scratch: Path, python: str) -> list[str]:
    """The pinned closure of the requirements, one requirement a line.

    Raises:
        EnvironmentFailed: there is none, or the index is not reached (PACKAGE014).
    """
    if not requirements:
        return []
    try:
        key = content_key([*requirements, *_index(uv)], python)
    except OSError:
        return _asked(requirements, uv, scratch, python)  # a local wheel is not there: uv says so
    file = cache_folder("resolutions") / f"{key}.txt"
    known = None if uv.find_links else _remembered(file, uv.offline)
    if known is None:
        known = _asked(requirements, uv, scratch, python)
        aside = file.with_name(f".{file.name}-{os.getpid()}-{time.monotonic_ns()}")
        aside.write_text("\n".join(known), encoding="utf-8")
        aside.replace(file)
    return _placed(known, requirements)


def content_key(lines: Sequence[str], python: str) -> str:
    """A digest over requirements, the content of local wheels among them, and the Python.

    Raises:
        OSError: a local wheel cannot be read.
    """
    digest = hashlib.sha256(f"4 {os.path.realpath(python)} {sys.version}".encode())
    for line in lines:
        name, at, url = line.partition(" @ file://")
        if at:
            path = Path(unquote(url.split("#")[0].split(" ;")[0].strip()))
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name} {path.name} {content}\n".encode())
        else:
            digest.update(f"{line}\n".encode())
    return digest.hexdigest()[:32]


def checked(done: Ran, message: str) -> None:
    """Turn a failed uv command into an error that says whose fault it is.

    Raises:
        EnvironmentFailed: it failed (PACKAGE014).
    """
    if done.ok:
        return
    tail = done.tail(12)
    unreachable = any(sign in tail for sign in _UNREACHED)
    hint = (
        "the package index was not reached: check the connection, or run once without --offline"
        if unreachable
        else "correct the dependencies in pyproject.toml; every one needs a wheel for this platform"
    )
    raise EnvironmentFailed(f"{message}:\n{tail}", hint=hint, unreachable=unreachable)


def _index(uv: Uv) -> list[str]:
    """Which index is asked: another one may answer differently."""
    return sorted(
        f"{name}={value}"
        for name, value in uv.env.items()
        if name.startswith("UV_") and name != "UV_CACHE_DIR"
    )


def _remembered(file: Path, any_age: bool) -> list[str] | None:
    try:
        age = time.time() - file.stat().st_mtime
        text = file.read_text(encoding="utf-8")
    except OSError:
        return None
    return text.splitlines() if any_age or 0 <= age < FRESH_SECONDS else None


def _asked(requirements: Sequence[str], uv: Uv, scratch: Path, python: str) -> list[str]:
    wanted, pinned = scratch / "wanted.txt", scratch / "resolved.txt"
    wanted.write_text("\n".join(requirements) + "\n", encoding="utf-8")
    pinned.unlink(missing_ok=True)  # uv would prefer the versions of an earlier answer
    options = ["--quiet", "--no-header", "--no-annotate", "--no-strip-extras", "--no-build"]
    done = uv(
        *("pip", "compile", *options, *uv.sources(), "--python", python),
        *("--output-file", str(pinned), str(wanted)),
        cwd=scratch,
    )
    checked(done, "the requirements could not be resolved")
    lines = (line.strip() for line in pinned.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def _placed(pinned: Sequence[str], requirements: Sequence[str]) -> list[str]:
    """The pins with local wheels where they are this time."""
    here: dict[str, str] = {}
    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.url is not None:
            here[canonicalize_name(requirement.name)] = line
    return [
        here.get(canonicalize_name(line.partition(" @ ")[0].partition("[")[0]), line)
        if " @ file://" in line
        else line
        for line in pinned
    ]
