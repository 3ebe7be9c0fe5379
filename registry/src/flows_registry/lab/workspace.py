"""Wheels of the packages that no index has: what the certifier's own environment runs from source.

A built wheel has no workspace sources, so what it requires from the workspace is built beside it.
`core-caps` is always taken from the certifier's environment: a plugin is certified against the
core that certifies it, whoever may hold that name on an index.
"""

import base64
import hashlib
import importlib.metadata
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from flows_registry.lab.build import build_once
from flows_registry.lab.cache import cache_folder, made_once
from flows_registry.lab.environment import wanted_by
from flows_registry.lab.source import read_source
from flows_registry.lab.uv import Uv
from flows_registry.lab.wheel import Wheel, inspect_wheel

__all__ = ["companions"]

CORE = "core-caps"

_NOT_OF_A_WHEEL = frozenset(
    {"INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "uv_cache.json"}
)


@dataclass(frozen=True, slots=True)
class _Local:
    """Where a distribution of our own environment came from."""

    distribution: importlib.metadata.Distribution
    path: Path | None


def companions(wheel: Wheel, extras: Iterable[str], *, uv: Uv, scratch: Path) -> tuple[Wheel, ...]:
    """Wheels of the workspace's packages that this one requires, built or taken from the cache.

    Raises:
        BuildFailed: one of them does not build (PACKAGE003).
        EnvironmentFailed: what its build needs cannot be had (PACKAGE014).
    """
    ours = dict(_locals())
    found: dict[str, Wheel] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(wheel, extra) for extra in ("", *extras)]
    while todo:
        current, extra = todo.pop()
        if (current.name, extra) in seen:
            continue
        seen.add((current.name, extra))
        for requirement in wanted_by(current.requires, extra):
            name = canonicalize_name(requirement.name)
            if name not in ours or name == wheel.name:
                continue
            if name not in found:
                found[name] = _wheel(ours[name], uv, scratch / "companions" / name)
            todo.extend((found[name], below) for below in ("", *requirement.extras))
    return tuple(found[name] for name in sorted(found))


def _locals() -> Iterator[tuple[str, _Local]]:
    """Distributions of our own environment that an index need not have."""
    for distribution in importlib.metadata.distributions():
        name = canonicalize_name(distribution.metadata["Name"] or "")
        origin = distribution.read_text("direct_url.json")
        if origin is None:
            if name == CORE:
                yield name, _Local(distribution, None)
            continue
        data = json.loads(origin)
        url = urlsplit(str(data.get("url", "")))
        path = Path(unquote(url.path)) if url.scheme == "file" else None
        if path is not None and path.exists():
            yield name, _Local(distribution, path)
        elif name == CORE:
            yield name, _Local(distribution, None)


def _wheel(local: _Local, uv: Uv, scratch: Path) -> Wheel:
    """The distribution as a wheel: built, taken as it is, or packed from its installed files."""
    if local.path is None:
        path = _packed(local.distribution, scratch)
    elif local.path.is_dir():
        path = _built(local.path, uv, scratch)
    elif local.path.suffix == ".whl":
        path = local.path
    else:
        path = _packed(local.distribution, scratch)
    wheel, problems = inspect_wheel(path)
    assert wheel is not None, problems
    return wheel


def _built(path: Path, uv: Uv, scratch: Path) -> Path:
    source = read_source(path)
    shutil.rmtree(scratch, ignore_errors=True)

    def make(fresh: Path) -> None:
        artifacts = build_once(source, scratch, uv=uv)
        shutil.copyfile(artifacts.wheel, fresh / artifacts.wheel.name)

    folder = made_once(cache_folder("wheels") / source.digest[:32], make)
    return next(folder.glob("*.whl"))


def _packed(distribution: importlib.metadata.Distribution, scratch: Path) -> Path:
    """A wheel made of the files that the distribution's RECORD lists."""
    scratch.mkdir(parents=True, exist_ok=True)
    name = canonicalize_name(distribution.metadata["Name"] or "").replace("-", "_")
    target = Path(tempfile.mkdtemp(dir=scratch)) / f"{name}-{distribution.version}-py3-none-any.whl"
    rows: list[str] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(distribution.files or (), key=str):
            inside = file.as_posix()
            located = Path(str(distribution.locate_file(file)))
            if inside.startswith("..") or file.suffix == ".pyc" or not located.is_file():
                continue
            if file.name in _NOT_OF_A_WHEEL:
                continue
            content = located.read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            rows.append(f"{inside},sha256={digest},{len(content)}")
            archive.writestr(zipfile.ZipInfo(inside), content)
        record = f"{name}-{distribution.version}.dist-info/RECORD"
        archive.writestr(zipfile.ZipInfo(record), "\n".join([*rows, f"{record},,", ""]))
    return target
