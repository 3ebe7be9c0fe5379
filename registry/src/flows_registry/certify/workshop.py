"""Many plugins packaged from few: a base is built once, and what is edited is put in its wheel.

An environment of the base is copied for each, so that what they share is resolved and installed
once. A plugin whose packaging differs is built by itself.
"""

import base64
import hashlib
import shutil
import threading
import zipfile
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from flows_registry.checks.package import Built, check_package
from flows_registry.checks.package_contents import manifest_findings, own_manifest, usable_manifest
from flows_registry.lab.environment import Environment
from flows_registry.lab.source import read_source
from flows_registry.lab.uv import Uv
from flows_registry.lab.wheel import Wheel, inspect_wheel
from flows_registry.verdict import CheckResult, Verdict

__all__ = ["Packaged", "Workshop"]

Packaged = tuple[CheckResult, Built | None]
"""What the package check says, and what the other checks work with."""

_SOURCE = "src/"


class Workshop:
    """Packages plugins that are bases with edits.

    Args:
        scratch: a folder for everything that is made; it must stay while plugins are in use.
        uv: how packages are fetched.
    """

    def __init__(self, scratch: Path, *, uv: Uv) -> None:
        self._scratch = scratch
        self._uv = uv
        self._lock = threading.Lock()
        self._bases: dict[str, Future[Packaged]] = {}

    def built(self, folder: Path, name: str) -> Packaged:
        """A plugin's folder, packaged in full by itself."""
        return check_package(folder, self._scratch / name / "package", uv=self._uv)

    def packaged(self, folder: Path, name: str, base: str, files: Mapping[str, str]) -> Packaged:
        """The plugin in `folder`: the base's wheel with its edited files, examined again.

        Args:
            folder: where the plugin's files are.
            name: a name for its folder here, one's own.
            base: the base, a folder's name too.
            files: what the base is made of, as path → text.
        """
        result, whole = self._base(base, files)
        if whole is None:
            return result, None
        own = self._scratch / name
        own.mkdir(parents=True, exist_ok=True)
        path = own / whole.wheel.path.name
        _rewritten(whole.wheel.path, folder / _SOURCE, path)
        wheel, problems = inspect_wheel(path)
        found = own_manifest(wheel, next(iter(wheel.plugins.items())))[0] if wheel else None
        if wheel is None or problems or found is None or _contradicts(wheel, found, whole):
            return self.built(folder, name)  # it says in full what is wrong
        built = replace(
            whole,
            source=read_source(folder),
            wheel=wheel,
            manifest=usable_manifest(found[1], found[0]),
            environment=_copied(whole.environment, own / "environment", wheel),
        )
        return CheckResult("package", "", Verdict.PASSED, 1, (), result.level, result.facts), built

    def _base(self, base: str, files: Mapping[str, str]) -> Packaged:
        with self._lock:
            known = self._bases.get(base)
            made = self._bases.setdefault(base, Future())
        if known is not None:
            return known.result()
        try:
            folder = self._scratch / "bases" / base
            for name, text in files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            made.set_result(self.built(folder, f"base-{base}"))
        except BaseException as problem:
            made.set_exception(problem)
            raise
        return made.result()


def _rewritten(wheel: Path, source: Path, target: Path) -> None:
    """The wheel with the files of `source` in it, its RECORD telling of them."""
    new = {
        path.relative_to(source).as_posix(): path.read_bytes()
        for path in sorted(source.rglob("*"))
        if path.is_file()
    }
    with zipfile.ZipFile(wheel) as archive:
        content = {each: archive.read(each) for each in archive.namelist()}
    record = next(name for name in content if name.endswith(".dist-info/RECORD"))
    content = {**{name: data for name, data in content.items() if ".dist-info/" in name}, **new}
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in content.items()]
    listed = [line for line in lines if not line.startswith(f"{record},")]
    content[record] = "\n".join([*listed, f"{record},,", ""]).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _contradicts(wheel: Wheel, found: tuple[str, bytes], whole: Built) -> bool:
    plugin = next(iter(wheel.plugins.items()))
    return any(manifest_findings(wheel, plugin, *found, whole.specifications))


def _copied(environment: Environment, root: Path, wheel: Wheel) -> Environment:
    """The environment with this wheel's files in the place of its base's."""
    shutil.copytree(environment.root, root, symlinks=True)
    moved = {
        name: root / getattr(environment, name).relative_to(environment.root)
        for name in ("python", "site_packages")
    }
    for package in wheel.packages:
        shutil.rmtree(moved["site_packages"] / package)
    with zipfile.ZipFile(wheel.path) as archive:
        inside = [each for each in archive.namelist() if ".dist-info/" not in each]
        archive.extractall(moved["site_packages"], inside)
    return replace(environment, root=root, **moved)
