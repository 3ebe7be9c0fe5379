"""The last scan, kept in memory and on disk, and the stat-only question whether it still holds."""

from typing import Any, NamedTuple

from core_caps.claims.manifest import parse_toml
from core_caps.plugins.scan import Found, scan

__all__ = ["Snapshot", "current", "manifest_data"]


class Snapshot(NamedTuple):
    found: tuple[Found, ...]


def current(path: tuple[str, ...]) -> Snapshot:
    return Snapshot(scan(path).found)


def manifest_data(path: tuple[str, ...], manifest: str) -> dict[str, Any]:
    return parse_toml(manifest, manifest)
