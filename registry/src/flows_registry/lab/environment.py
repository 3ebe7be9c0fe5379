"""A clean environment: a wheel, what it requires, nothing else; kept by content and reused."""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from flows_registry.lab.cache import cache_folder, made_once
from flows_registry.lab.resolving import EnvironmentFailed, checked, content_key, resolve
from flows_registry.lab.uv import Uv

__all__ = [
    "Distribution",
    "Environment",
    "EnvironmentFailed",
    "closure",
    "make_environment",
    "wanted_by",
]

_FINGERPRINT = "fingerprint.json"


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution: its canonical name, version and metadata folder's name."""

    name: str
    version: str
    folder: str


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment on disk.

    Attributes:
        root: the folder.
        python: its interpreter.
        site_packages: where distributions are.
        distributions: what is installed, by name.
    """

    root: Path
    python: Path
    site_packages: Path
    distributions: tuple[Distribution, ...]


def make_environment(
    requirements: Sequence[str], *, uv: Uv, scratch: Path, python: str = sys.executable
) -> Environment:
    """An environment that holds exactly what the requirements resolve to.

    Args:
        requirements: as pip writes them; a local wheel as `name[extra] @ file:///….whl`.
        uv: how to call uv, with folders of wheels to offer.
        scratch: a folder for working files.
        python: the interpreter it is made with.

    Raises:
        EnvironmentFailed: they cannot be resolved, fetched or installed (PACKAGE014).
    """
    scratch.mkdir(parents=True, exist_ok=True)
    pinned = resolve(requirements, uv=uv, scratch=scratch, python=python)
    folder = cache_folder("environments") / content_key(pinned, python)

    def make(fresh: Path) -> None:
        lock = scratch / "pinned.txt"
        lock.write_text("\n".join(pinned) + "\n", encoding="utf-8")
        venv = fresh / "venv"
        checked(
            uv(
                *("venv", "--quiet", "--no-project", "--relocatable"),
                *("--python", python, str(venv)),
                cwd=scratch,
            ),
            "an environment could not be created",
        )
        if pinned:
            interpreter = ("--python", str(_python(venv)))
            # Compiled now, once: whoever runs in here within walls could not keep what it compiles.
            install = ("pip", "install", "--quiet", "--no-deps", "--no-build", "--compile-bytecode")
            done = uv(*install, *uv.sources(), *interpreter, "-r", str(lock), cwd=scratch)
            checked(done, "the requirements could not be installed")
        for left in _site_packages(venv).glob("_virtualenv.*"):
            left.unlink()
        (fresh / _FINGERPRINT).write_text(json.dumps(_fingerprint(venv)), encoding="utf-8")

    return _environment(made_once(folder, make, fits=_untouched) / "venv")


def closure(environment: Environment, name: str, extras: Sequence[str]) -> frozenset[str]:
    """The names of the distributions that `name[extras]` needs, itself included, as installed."""
    installed = {each.name: each for each in environment.distributions}
    seen: set[tuple[str, str]] = set()
    todo = [(canonicalize_name(name), extra) for extra in ("", *extras)]
    while todo:
        pair = todo.pop()
        if pair in seen or pair[0] not in installed:
            continue
        seen.add(pair)
        folder = environment.site_packages / installed[pair[0]].folder
        for requirement in _requirements(folder, pair[1]):
            below = canonicalize_name(requirement.name)
            todo.extend((below, extra) for extra in ("", *requirement.extras))
    return frozenset(name for name, _ in seen)


def _requirements(folder: Path, extra: str) -> Iterator[Requirement]:
    text = (folder / "METADATA").read_text(encoding="utf-8", errors="replace")
    return wanted_by(HeaderParser().parsestr(text).get_all("Requires-Dist") or (), extra)


def wanted_by(requires: Iterable[str], extra: str) -> Iterator[Requirement]:
    """The requirements that hold here under this extra ("" for none)."""
    for line in requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _environment(venv: Path) -> Environment:
    site_packages = _site_packages(venv)
    found: list[Distribution] = []
    for folder in sorted(site_packages.glob("*.dist-info")):
        text = (folder / "METADATA").read_text(encoding="utf-8", errors="replace")
        headers = HeaderParser().parsestr(text)
        name = canonicalize_name(headers["Name"] or folder.name.partition("-")[0])
        found.append(Distribution(name, headers["Version"] or "", folder.name))
    return Environment(venv, _python(venv), site_packages, tuple(found))


def _python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _site_packages(venv: Path) -> Path:
    if sys.platform == "win32":
        return venv / "Lib/site-packages"
    return next((venv / "lib").glob("python3*/site-packages"))


def _untouched(folder: Path) -> bool:
    """Whether nobody changed the files since they were installed; plugins run in here."""
    try:
        expected = json.loads((folder / _FINGERPRINT).read_text(encoding="utf-8"))
        return expected == _fingerprint(folder / "venv")
    except (OSError, ValueError, StopIteration):
        return False


def _fingerprint(venv: Path) -> str:
    """A digest over names, sizes and times of all files: that of the last change no program can
    set."""
    digest = hashlib.sha256()
    todo = [str(_site_packages(venv))]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                    continue
                status = entry.stat(follow_symlinks=False)
                times = f"{status.st_mtime_ns}\0{status.st_ctime_ns}"
                digest.update(f"{entry.name}\0{status.st_size}\0{times}\n".encode())
    return digest.hexdigest()
