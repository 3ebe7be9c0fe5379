"""The scan behind discovery: entry points and manifests read from the folders of `sys.path`."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core_caps.claims.manifest_shape import FILE_NAME

__all__ = ["GROUP", "Found", "Scan", "scan"]

GROUP = "flows.capabilities"
"""The entry-point group under which plugins are registered."""

_SEPARATORS = re.compile(r"[-_.]+")
_SUFFIXES = (".dist-info", ".egg-info")


class Found(NamedTuple):
    """An installed plugin.

    Attributes:
        name: its entry point's name.
        distribution: the distribution that brought it.
        version: that distribution's version.
        module: the module that holds the hook, `cap_x.plugin`.
        manifest_path: where its capability.toml is, or None where it has none.
        editable: whether it is imported from a source folder rather than an installed copy.
    """

    name: str
    distribution: str
    version: str
    module: str
    manifest_path: str | None
    editable: bool


class Scan(NamedTuple):
    """What a scan found, and every path whose change would make it find something else."""

    found: tuple[Found, ...]
    watched: tuple[str, ...]


def scan(path: Sequence[str]) -> Scan:
    """Search these folders, as `importlib.metadata.entry_points(group=...)` would."""
    watched: dict[str, None] = {}
    found: list[Found] = []
    seen: set[str] = set()
    for folder in dict.fromkeys(entry or os.getcwd() for entry in path):
        watched[folder] = None
        for info in _distributions(folder):
            name = _normalised(os.path.basename(info).partition("-")[0])
            listing = os.path.join(info, "entry_points.txt")
            text = _text(listing)
            # Metadata without entry points may get them in place: then its folder changes.
            watched[info if text is None else listing] = None
            if name in seen:
                continue
            seen.add(name)
            if text is not None and GROUP in text:
                found += _plugins(info, text, path, watched)
    found.sort(key=lambda plugin: (plugin.name, plugin.distribution))
    return Scan(tuple(found), tuple(watched))


def _distributions(folder: str) -> list[str]:
    """The metadata folders in `folder`, sorted; of one distribution's the newest first."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    # pip renames what it is about to remove to `~name`; a failed removal leaves that behind.
    infos = [name for name in names if name.endswith(_SUFFIXES) and not name.startswith("~")]
    infos.sort()
    return [os.path.join(folder, name.removesuffix("")) for name in infos]


def _plugins(
    info: str, text: str, path: Sequence[str], watched: dict[str, None]
) -> Iterator[Found]:
    entries = list(_entries(text))
    if not entries:
        return
    distribution, version = _identity(info)
    site = os.path.dirname(info)
    for name, module in entries:
        folders = list(_folders(module.split("."), path, site, watched))
        manifest = None
        for folder in folders:
            candidate = os.path.join(folder, FILE_NAME)
            if os.path.isfile(candidate):
                manifest = candidate
                break
            watched[folder] = None
        if manifest is not None:
            watched[manifest] = None
        yield Found(name, distribution, version, module, manifest, _editable(info, folders))


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """The (name, module) pairs of our group."""
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == GROUP:
            name, equals, value = line.partition("=")
            if equals:
                yield name.strip(), value.partition(":")[0].partition("[")[0].strip()


def _identity(info: str) -> tuple[str, str]:
    """The distribution's name and version: from its metadata, else from the folder's name."""
    stem = os.path.basename(info).rpartition(".")[0]
    name, _, version = stem.partition("-")
    headers = _text(os.path.join(info, "METADATA")) or _text(os.path.join(info, "PKG-INFO")) or ""
    for line in headers.splitlines():
        if not line:
            break
        key, _, value = line.partition(":")
        if key.lower() == "name":
            name = value.strip()
        elif key.lower() == "version":
            version = value.strip()
    return name, version


def _folders(
    parts: list[str], path: Sequence[str], site: str, watched: dict[str, None]
) -> Iterator[str]:
    """The package folders in which the module's manifest may stand, the innermost first."""
    roots = _roots(parts[0], path)
    if roots:
        yield from _inward(roots, parts[1:])
        return
    from core_caps.plugins.editable import redirected

    for prefix, folder, via in redirected(site):
        segments = prefix.split(".")
        if segments == parts[: len(segments)]:
            watched[via] = None
            yield from _inward([folder], parts[len(segments) :])


def _roots(top: str, path: Sequence[str]) -> list[str]:
    """Where the top-level package is: one folder, or the portions of a namespace."""
    portions: list[str] = []
    for entry in path:
        folder = os.path.join(entry or os.getcwd(), top)
        if os.path.isfile(os.path.join(folder, "__init__.py")):
            return [folder]
        if os.path.isdir(folder):
            portions.append(folder)
    return portions


def _inward(roots: Sequence[str], parts: Sequence[str]) -> Iterator[str]:
    for depth in range(len(parts), -1, -1):
        for root in roots:
            folder = os.path.join(root, *parts[:depth])
            if os.path.isdir(folder):
                yield folder


def _editable(info: str, folders: Sequence[str]) -> bool:
    site = os.path.dirname(info)
    if folders and os.path.commonpath([os.path.abspath(folders[0]), os.path.abspath(site)]) != (
        os.path.abspath(site)
    ):
        return True
    if info.endswith(".egg-info"):
        return os.path.basename(site) not in ("site-packages", "dist-packages")
    return '"editable":true' in (_text(os.path.join(info, "direct_url.json")) or "").replace(
        " ", ""
    )


def _text(file: str) -> str | None:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read()
    except OSError:
        return None


def _normalised(name: str) -> str:
    return _SEPARATORS.sub("_", name).lower()
