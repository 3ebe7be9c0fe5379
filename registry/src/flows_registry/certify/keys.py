"""What a result stands on, part by part: where all parts are the same, so is the result."""

import dataclasses
import enum
import functools
import hashlib
import secrets
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import core_caps
from core_caps.claims.manifest import Manifest

import flows_registry
from flows_registry.certify.view import seen_by
from flows_registry.checks.plan import Plan
from flows_registry.evidence.canonical import canonical
from flows_registry.lab.environment import Environment
from flows_registry.lab.references.known import reference_factory
from flows_registry.lab.resolving import resolve
from flows_registry.lab.simulators.node import find_node
from flows_registry.lab.simulators.postgresql import Programs, find_postgresql
from flows_registry.lab.simulators.sides import SimulatorAccess
from flows_registry.lab.source import Source
from flows_registry.lab.uv import Uv
from flows_registry.lab.wheel import Wheel
from flows_registry.policy.policy import Policy

__all__ = ["Parts", "digest_of", "parts_of_check", "parts_of_package", "parts_of_plugin"]

Parts = Mapping[str, str]
"""Part → digest or a word: `code`, `manifest`, `dependencies`, `harness`, `python`, …"""

_ASKED = {
    "policy": ("name", "egress", "scopes", "residency", "data_classes"),
    "budget": ("name", "budgets"),
}
"""What of a policy a check reads while it runs; the rest is applied to whatever was found."""

_OF_AN_INSTALLER = ("/INSTALLER,", "/REQUESTED,", "/direct_url.json,", "/uv_cache.json,")


def digest_of(value: object) -> str:
    """A digest over a value of data."""
    return hashlib.sha256(canonical(_form(value))).hexdigest()


def parts_of_package(
    source: Source,
    build_requires: Sequence[str],
    environments: Sequence[Environment],
    own: str,
    *,
    uv: Uv,
    scratch: Path,
) -> Parts:
    """What the package check reads: every file, what builds it, and what it is installed with.

    Raises:
        EnvironmentFailed: the build's requirements cannot be resolved (PACKAGE014).
    """
    scratch.mkdir(parents=True, exist_ok=True)
    built_with = resolve(build_requires, uv=uv, scratch=scratch, python=sys.executable)
    return {
        "source": source.digest,
        "build": digest_of(built_with),
        "dependencies": digest_of([_lock(each, own) for each in environments]),
        **_surroundings(),
    }


def parts_of_plugin(wheel: Wheel, manifest: Manifest, environment: Environment) -> Parts:
    """What every check reads that runs the plugin."""
    return {
        "code": _code(wheel, manifest.origin),
        "dependencies": digest_of(_lock(environment, wheel.name)),
        **_surroundings(),
    }


def parts_of_check(
    check: str, backend: str, plan: Plan, plugin: Parts, access: SimulatorAccess
) -> Parts:
    """What a check of one backend reads besides, or, for "", one that compares them all."""
    subject = seen_by(check, backend, plan.subject)
    parts = {
        **plugin,
        "manifest": digest_of(subject.manifest),
        "level": str(plan.lab.level),
        "seed": str(plan.seed),
    }
    services = {each.wire for each in subject.manifest.backends.values() if each.wire}
    if any((factory := reference_factory(wire)) and factory.service for wire in services):
        parts["service"] = _service()
    if not backend:
        parts["simulator"] = str(getattr(node := find_node(access.node), "label", node))
    if check in _ASKED:
        parts["policy"] = _asked(check, plan.policy)
    return parts


@functools.cache
def _surroundings() -> Parts:
    """What everything is run by."""
    return {
        "harness": _harness(),
        "python": digest_of([sys.version, sysconfig.get_platform()]),
    }


def _harness() -> str:
    """This program as it is, whatever number it goes by."""
    digest = hashlib.sha256(version("uv").encode())
    for package in (flows_registry, core_caps):
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*")):
            if "__pycache__" not in path.parts and path.is_file():
                content = path.read_bytes()
                digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode())
                digest.update(content)
    return digest.hexdigest()


def _code(wheel: Wheel, manifest: str) -> str:
    """A wheel's content without its metadata and its manifest: what can be loaded, and by what
    name. Its record, which has been held against the content, tells the digest of each file."""
    with zipfile.ZipFile(wheel.path) as archive:
        record = next(n for n in archive.namelist() if n.endswith(".dist-info/RECORD"))
        lines = archive.read(record).decode().splitlines()
    folder = record.removesuffix("RECORD")
    names = f"{folder}entry_points.txt,"
    loaded = [li for li in lines if not li.startswith((folder, f"{manifest},"))]
    named = [li.removeprefix(folder) for li in lines if li.startswith(names)]
    return digest_of(sorted([*loaded, *named]))


def _lock(environment: Environment, own: str) -> Mapping[str, Sequence[str]]:
    """What is installed beside the plugin itself: exact versions, and a digest of all files."""
    return {
        each.name: [each.version, _files(environment.site_packages / each.folder)]
        for each in environment.distributions
        if each.name != own
    }


def _files(folder: Path) -> str:
    lines = (folder / "RECORD").read_text("utf-8", errors="replace").splitlines()
    return digest_of(sorted(li for li in lines if not any(n in li for n in _OF_AN_INSTALLER)))


def _service() -> str:
    """The database that a reference stands on; of somebody else's nobody knows what it is today."""
    found = find_postgresql()
    if not isinstance(found, Programs) or found.folder is None:
        return secrets.token_hex()
    status = (found.folder / "postgres").stat()
    return digest_of([str(found.folder), status.st_size, status.st_mtime_ns])


def _asked(check: str, policy: Policy) -> str:
    return digest_of([getattr(policy, name) for name in _ASKED[check]])


def _form(value: Any) -> Any:
    """A value of data as JSON."""
    match value:
        case enum.Enum():
            return value.name
        case Mapping():
            entries = cast("Mapping[object, object]", value)
            return {str(key): _form(item) for key, item in entries.items()}
        case list() | tuple():
            return [_form(item) for item in cast("Sequence[object]", value)]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {
                each.name: _form(getattr(value, each.name)) for each in dataclasses.fields(value)
            }
        case _:
            return value
