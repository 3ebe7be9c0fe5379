"""A plugin built by its own backend, twice, in two surroundings, without network or secrets."""

import json
import shutil
import time
import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core_caps.errors import CapsError

from flows_registry.lab.archives import differences, sha256_of
from flows_registry.lab.environment import Environment, make_environment
from flows_registry.lab.running import Confinement, Ran, Run, run
from flows_registry.lab.source import Source, copy
from flows_registry.lab.uv import Uv, bare_environment, uv_binary
from flows_registry.lab.walls import interpreters

__all__ = ["Artifacts", "BuildFailed", "build", "build_once"]

BUILD_SECONDS_MAX = 120.0
"""A plugin is a few files; a build that takes longer hangs."""

SOURCE_DATE_EPOCH = "1577836800"
"""2020-01-01, the time that a reproducible build writes; zip archives begin in 1980."""

_HOOKS = """
import importlib, json, sys
name, _, inner = sys.argv[1].partition(":")
sys.path[:0] = json.loads(sys.argv[2])
backend = importlib.import_module(name)
for part in filter(None, inner.split(".")):
    backend = getattr(backend, part)
wanted = []
for hook in ("get_requires_for_build_sdist", "get_requires_for_build_wheel"):
    wanted += getattr(backend, hook, lambda _: [])({})
with open(sys.argv[3], "w", encoding="utf-8") as file:
    json.dump(wanted, file)
"""

_SHIFTED = """
# Puts the second build four hundred days later, so that a date in a file shows.
import datetime, time
_SHIFT = 400 * 86400.0
def _later(function, scale):
    return lambda: function() + int(_SHIFT * scale) if scale > 1 else function() + _SHIFT
for _name, _scale in (("time", 1), ("time_ns", 10**9)):
    setattr(time, _name, _later(getattr(time, _name), _scale))
def _defaulted(function):
    return lambda seconds=None: function(time.time() if seconds is None else seconds)
for _name in ("gmtime", "localtime", "ctime"):
    setattr(time, _name, _defaulted(getattr(time, _name)))
_strftime, _asctime, _localtime = time.strftime, time.asctime, time.localtime
time.strftime = lambda form, when=None: _strftime(form, _localtime() if when is None else when)
time.asctime = lambda when=None: _asctime(_localtime() if when is None else when)
class _Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(time.time(), datetime.timezone.utc).replace(tzinfo=None)
    today = now
class _Date(datetime.date):
    @classmethod
    def today(cls):
        return cls.fromtimestamp(time.time())
datetime.datetime, datetime.date = _Datetime, _Date
"""


class BuildFailed(CapsError):
    """The build backend did not produce a wheel and a source distribution.

    Attributes:
        tail: the end of what it printed.
        timed_out: it was stopped because it took too long.
    """

    code = "PACKAGE003"

    def __init__(
        self, message: str, *, tail: str = "", timed_out: bool = False, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.tail = tail
        self.timed_out = timed_out


@dataclass(frozen=True, slots=True)
class Artifacts:
    """What a build left.

    Attributes:
        wheel: the wheel, built from the source distribution.
        sdist: the source distribution.
        digests: SHA-256 by file name.
        differences: what the second build made differently; empty when it is reproducible.
        strays: files that the build wrote outside of its own folder.
        seconds: wall time of both builds.
        requires: what the backend asked for, as requirements.
    """

    wheel: Path
    sdist: Path
    digests: Mapping[str, str]
    differences: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    seconds: float = 0.0
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a build may not depend on: its folder, its user's mask, the time and zone, hashing."""

    folder: str
    umask: int
    variables: Mapping[str, str]
    mtime: float
    shifted: bool


_FIRST = _Surroundings("a", 0o022, {"TZ": "UTC", "PYTHONHASHSEED": "1"}, 1_600_000_000.0, False)
_SECOND = _Surroundings(
    "second/longer path",
    0o077,
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4242", "LC_ALL": "C", "COLUMNS": "40"},
    1_700_000_000.0,
    True,
)


def build(
    source: Source,
    scratch: Path,
    *,
    uv: Uv,
    run: Run = run,
    timeout_seconds: float = BUILD_SECONDS_MAX,
) -> Artifacts:
    """Build wheel and source distribution twice, in different surroundings, and compare them.

    Raises:
        BuildFailed: no artifacts within the time (PACKAGE003).
        EnvironmentFailed: the build's own requirements cannot be had (PACKAGE014).
    """
    started = time.monotonic()
    backend = _Backend.of(source)
    environment, requires = _build_environment(backend, source, scratch, uv, run, timeout_seconds)

    def once(surroundings: _Surroundings) -> "_Outcome":
        return _build(source, environment, scratch, surroundings, run, timeout_seconds)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(once, (_FIRST, _SECOND))
    artifacts = first.artifacts(timeout_seconds)
    if second.files:
        differing = tuple(differences(first.files, second.files))
    else:
        differing = ("the second build, in another folder at another time, failed",)
    return Artifacts(
        artifacts.wheel,
        artifacts.sdist,
        artifacts.digests,
        differing,
        tuple(dict.fromkeys((*first.strays, *second.strays))),
        time.monotonic() - started,
        requires,
    )


def build_once(
    source: Source, scratch: Path, *, uv: Uv, run: Run = run, timeout_seconds: float = 120.0
) -> Artifacts:
    """Build wheel and source distribution once: for code that is not under examination.

    Raises:
        BuildFailed: no artifacts within the time (PACKAGE003).
        EnvironmentFailed: the build's own requirements cannot be had (PACKAGE014).
    """
    backend = _Backend.of(source)
    environment, _ = _build_environment(backend, source, scratch, uv, run, timeout_seconds)
    done = _build(source, environment, scratch, _FIRST, run, timeout_seconds)
    return done.artifacts(timeout_seconds)


@dataclass(frozen=True, slots=True)
class _Backend:
    """The `[build-system]` table (source: https://packaging.python.org/specifications/pyproject-toml/)."""

    requires: tuple[str, ...]
    name: str
    path: tuple[str, ...]

    @classmethod
    def of(cls, source: Source) -> "_Backend":
        try:
            text = (source.root / "pyproject.toml").read_text(encoding="utf-8")
            data: dict[str, Any] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BuildFailed(
                f"{source.root / 'pyproject.toml'} is not valid TOML: {error}",
                hint="correct the line that the message names",
            ) from error
        table = data.get("build-system", {})
        requires = table.get("requires", ["setuptools>=40.8.0"])
        name = table.get("build-backend", "setuptools.build_meta:__legacy__")
        path = table.get("backend-path", [])
        if not (_texts(requires) and _texts(path) and isinstance(name, str)):
            raise BuildFailed(
                "[build-system] in pyproject.toml is not as the specification wants it",
                hint='write requires = ["hatchling"] and build-backend = "hatchling.build"',
            )
        return cls(tuple(requires), name, tuple(path))


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, str) for item in cast("list[object]", value)
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    ran: Ran
    files: Mapping[str, Path]
    strays: tuple[str, ...]

    def artifacts(self, timeout_seconds: float) -> Artifacts:
        if self.ran.timed_out:
            raise BuildFailed(
                f"the build did not end within {timeout_seconds:g} s and was stopped",
                tail=self.ran.tail(),
                timed_out=True,
                hint="a build reads files and writes an archive: it waits for nothing",
            )
        wheels = [path for name, path in self.files.items() if name.endswith(".whl")]
        sdists = [path for name, path in self.files.items() if name.endswith(".tar.gz")]
        if self.ran.too_much:
            raise BuildFailed(
                f"the build was stopped: {self.ran.too_much}",
                tail=self.ran.tail(),
                hint="a build reads files and writes an archive: it needs no more than that",
            )
        if not self.ran.ok or len(wheels) != 1 or len(sdists) != 1:
            raise BuildFailed(
                f"the build failed with exit code {self.ran.returncode} "
                f"and left {len(wheels)} wheels and {len(sdists)} source distributions",
                tail=self.ran.tail(),
                hint="`uv build` in the plugin's folder shows the same; it runs without network",
            )
        digests = {name: sha256_of(path) for name, path in self.files.items()}
        return Artifacts(wheels[0], sdists[0], digests, strays=self.strays)


def _build_environment(
    backend: _Backend, source: Source, scratch: Path, uv: Uv, run: Run, timeout_seconds: float
) -> tuple[Environment, tuple[str, ...]]:
    """What the backend needs, and what it says it needs when asked (PEP 517); and by which
    requirements."""
    work = scratch / "build-requirements"
    environment = make_environment(backend.requires, uv=uv, scratch=work)
    tree = copy(source, work / "tree", mtime=_FIRST.mtime)
    answer = work / "answer.json"
    paths = [str(tree / below) for below in backend.path]
    argv = [str(environment.python), "-c", _HOOKS, backend.name, json.dumps(paths), str(answer)]
    asked = run(
        argv,
        env=bare_environment(work),
        cwd=tree,
        timeout_seconds=timeout_seconds,
        confined=Confinement((work,), tuple(interpreters(environment.python))),
    )
    if asked.timed_out or asked.too_much:
        _Outcome(asked, {}, ()).artifacts(timeout_seconds)
    try:
        more: object = json.loads(answer.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return environment, backend.requires  # the build itself will say why it cannot answer
    if not more or not _texts(more):
        return environment, backend.requires
    requires = (*backend.requires, *cast("list[str]", more))
    return make_environment(requires, uv=uv, scratch=work), requires


def _build(
    source: Source,
    environment: Environment,
    scratch: Path,
    surroundings: _Surroundings,
    run: Run,
    timeout_seconds: float,
) -> _Outcome:
    folder = scratch / surroundings.folder
    tree = copy(source, folder / source.root.name, mtime=surroundings.mtime)
    out, shift = folder / "out", folder / "shift"
    shift.mkdir()
    env = bare_environment(
        folder,
        SOURCE_DATE_EPOCH=SOURCE_DATE_EPOCH,
        UV_CACHE_DIR=str(folder / "uv-cache"),
        **surroundings.variables,
    )
    if surroundings.shifted:
        (shift / "sitecustomize.py").write_text(_SHIFTED, encoding="utf-8")
        env["PYTHONPATH"] = str(shift)
    options = ["--no-config", "--no-index", "--offline", "--no-build-isolation", "--no-sources"]
    interpreter = ["--python", str(environment.python), "--no-python-downloads"]
    argv = [uv_binary(), "build", *options, *interpreter, "--color", "never", "--no-progress"]
    ran = run(
        [*argv, "--no-create-gitignore", "--out-dir", str(out), str(tree)],
        env=env,
        cwd=folder,
        timeout_seconds=timeout_seconds,
        confined=Confinement((folder,), (*interpreters(environment.python), Path(uv_binary()))),
        umask=surroundings.umask,
    )
    files = {path.name: path for path in sorted(out.glob("*"))} if ran.ok else {}
    own = {tree.name, "out", "shift", "uv-cache", "tmp", "home"}
    strays = [path.name for path in folder.iterdir() if path.name not in own]
    home = folder / "home"
    strays += [
        f"~/{path.relative_to(home)}"
        for path in sorted(home.rglob("*"))
        if path.is_file() and ".cache" not in path.parts
    ]
    shutil.rmtree(folder / "uv-cache", ignore_errors=True)
    return _Outcome(ran, files, tuple(strays))
