"""The scan behind discovery: entry points and manifests read from the folders of `sys.path`."""

import os

from core_caps.claims.manifest_file import FILE_NAME

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NamedTuple, Protocol
else:
    from core_caps.plugins.rows import NamedTuple

    Protocol = object

__all__ = ["GROUP", "Found", "Watch", "scan"]

GROUP = "flows.capabilities"
"""The entry-point group under which plugins are registered."""

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


class Watch(Protocol):
    """Told of every path whose change would make a scan answer differently, before it is read."""

    def __call__(self, place: str, /, *, written_once: bool = False) -> None:
        """Watch a place; `written_once`: while whoever fills its folder may still be at it."""


def scan(path: "Sequence[str]", watch: Watch) -> tuple[Found, ...]:
    """The plugins in these folders, as `importlib.metadata.entry_points(group=...)` has them.

    Of several distributions of one name the first on the path counts, as it does for imports.
    Folders alone are searched: a manifest inside an archive has no path to read it from.
    """
    found: list[Found] = []
    seen: set[str] = set()
    for folder in dict.fromkeys(path):
        watch(folder)
        for info in _distributions(folder):
            text = _listing(info, watch)
            name = _normalised(os.path.basename(info).rpartition(".")[0].partition("-")[0])
            if name not in seen:
                seen.add(name)
                if GROUP in text:
                    found += _plugins(info, text, path, watch)
    return tuple(sorted(found, key=lambda one: (one.name, one.distribution, one.module)))


def _listing(info: str, watch: Watch) -> str:
    """The entry points of a distribution.

    Installers write a `.dist-info` folder once and replace it whole, which changes the folder that
    it is in; an `.egg-info` is rewritten where it stands. Those of plugins are watched in any case.
    """
    listing = os.path.join(info, "entry_points.txt")
    if info.endswith(".egg-info"):
        watch(listing)
        return _text(listing) or ""
    watch(listing, written_once=True)
    text = _text(listing) or ""
    if GROUP in text:
        watch(listing)
        text = _text(listing) or ""
    return text


def _distributions(folder: str) -> list[str]:
    """The metadata folders in `folder`, by name; of one distribution the newest comes first."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    # pip renames what it is about to remove to `~name`; a failed removal leaves that behind.
    infos = [name for name in names if name.endswith(_SUFFIXES) and not name.startswith("~")]
    infos.sort()
    stems = [name.partition("-")[0] for name in infos]
    if len(set(stems)) < len(stems):  # a broken upgrade left an older one behind
        infos.sort(key=lambda name: (name.partition("-")[0], -_age_ns(folder, name)))
    return [os.path.join(folder, name) for name in infos]


def _age_ns(folder: str, name: str) -> int:
    try:
        return os.stat(os.path.join(folder, name)).st_mtime_ns
    except OSError:
        return 0


def _plugins(info: str, text: str, path: "Sequence[str]", watch: Watch) -> "Iterator[Found]":
    entries = list(_entries(text))
    if not entries:
        return
    distribution, version = _identity(info)
    site = os.path.dirname(info)
    for name, module in entries:
        folders = _folders(module.split("."), path, site, watch)
        manifest = None
        for folder in folders:
            watch(folder)
            candidate = os.path.join(folder, FILE_NAME)
            watch(candidate)
            if os.path.isfile(candidate):
                manifest = candidate
                break
        yield Found(name, distribution, version, module, manifest, _editable(info, folders))


def _entries(text: str) -> "Iterator[tuple[str, str]]":
    """The (name, module) pairs of our group."""
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
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


def _folders(parts: list[str], path: "Sequence[str]", site: str, watch: Watch) -> list[str]:
    """The package folders in which the module's manifest may stand, the innermost first."""
    roots = _roots(parts[0], path, watch)
    if roots:
        return _inward(roots, parts[1:])
    from core_caps.plugins.editable import redirected

    folders: list[str] = []
    for prefix, folder in redirected(site, parts[0], watch):
        segments = prefix.split(".")
        if segments == parts[: len(segments)]:
            folders += _inward([folder], parts[len(segments) :])
    return folders


def _roots(top: str, path: "Sequence[str]", watch: Watch) -> list[str]:
    """Where the top-level package is: one folder, or the portions of a namespace."""
    portions: list[str] = []
    for entry in path:
        folder = os.path.join(entry, top)
        if os.path.isdir(folder):
            watch(folder)  # the package may become a namespace, or the other way round
            if os.path.isfile(os.path.join(folder, "__init__.py")):
                return [folder]
            portions.append(folder)
    return portions


def _inward(roots: "Sequence[str]", parts: "Sequence[str]") -> list[str]:
    """The folders that exist from the roots towards a module, the innermost first."""
    candidates = (
        os.path.join(root, *parts[:depth]) for depth in range(len(parts), -1, -1) for root in roots
    )
    return [folder for folder in candidates if os.path.isdir(folder)]


def _editable(info: str, folders: "Sequence[str]") -> bool:
    site = os.path.dirname(info)
    if folders and not folders[0].startswith(os.path.join(site, "")):
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
    return "_".join(filter(None, name.lower().replace("-", "_").replace(".", "_").split("_")))
