"""Which capability plugins are installed, told without importing any of them.

`importlib.metadata` would answer too, in many times the start-up of Python itself. This is a scan
of its own over the same folders, remembered between processes and checked by `stat` alone.
"""

import sys

from core_caps.plugins.scan import Found
from core_caps.plugins.snapshot import current, remembered

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NamedTuple

    from core_caps.claims.manifest import Manifest
else:
    from core_caps.plugins.rows import NamedTuple

__all__ = [
    "Found",
    "Outline",
    "discover",
    "find",
    "instead",
    "manifest_of",
    "outline_of",
    "providers_of",
]


_READ: "dict[str, tuple[object, Manifest]]" = {}
"""Of each manifest the tables that it was made of, and what came of them."""


class Outline(NamedTuple):
    """What a listing says of a plugin.

    Attributes:
        summary: its one line.
        capabilities: contract → operation → hints; a capability of the plugin's own has no hints
            here, for nothing of the plugin is imported.
        backends: backend → the contracts it serves.
        extras: backend → the extra it needs, where it needs one.
        problem: why the manifest cannot be used, or nothing.
    """

    summary: str
    capabilities: "Mapping[str, Mapping[str, Sequence[str]]]"
    backends: "Mapping[str, Sequence[str]]"
    extras: "Mapping[str, str]"
    problem: str


def discover(path: "Sequence[str] | None" = None) -> tuple[Found, ...]:
    """Every installed plugin, by name; a name claimed by two distributions appears twice.

    Args:
        path: the folders to search instead of `sys.path`.
    """
    return current(sys.path if path is None else path).found


def find(name: str, path: "Sequence[str] | None" = None) -> Found:
    """The installed plugin of that name.

    Raises:
        PluginNotFound: there is none; the message names what is installed (CAP103).
        PluginConflict: two distributions claim the name; the message names both (CAP102).
    """
    installed = discover(path)
    claimants = [found for found in installed if found.name == name]
    if len(claimants) == 1:
        return claimants[0]
    from core_caps.errors import PluginConflict, PluginNotFound

    if claimants:
        both = " and ".join(f"{f.distribution} {f.version}" for f in claimants)
        raise PluginConflict(
            f"the plugin name {name!r} is claimed by {both}",
            hint=f"uninstall one of them: pip uninstall {claimants[-1].distribution}",
        )
    raise PluginNotFound(
        f"no plugin {name!r} is installed", hint=instead(name, [f.name for f in installed])
    )


def manifest_of(found: Found, path: "Sequence[str] | None" = None) -> "Manifest":
    """The manifest of a found plugin.

    Raises:
        ManifestInvalid: it is missing or cannot be used (CAP106).
    """
    from core_caps.claims.manifest import from_data
    from core_caps.claims.manifest_file import parse_toml
    from core_caps.errors import ManifestInvalid

    manifest = found.manifest_path
    if manifest is None:
        raise ManifestInvalid(
            f"{found.distribution} {found.version} has no capability.toml beside {found.module}",
            hint="add it to the package's files; docs/manifest.md lists every field",
        )
    tables = remembered(
        sys.path if path is None else path,
        f"tables of {manifest}",
        [manifest],
        lambda: parse_toml(manifest, manifest),
    )
    known = _READ.get(manifest)
    if known is None or known[0] is not tables:
        known = _READ[manifest] = tables, from_data(tables, manifest)
    return known[1]


def outline_of(found: Found, path: "Sequence[str] | None" = None) -> Outline:
    """What to list of a plugin; remembered, so that a listing parses and imports nothing."""
    from core_caps.plugins.outline import described, sources

    return Outline(
        *remembered(
            sys.path if path is None else path,
            f"outline of {found.name} in {found.manifest_path}",
            sources(found.manifest_path),
            lambda: described(lambda: manifest_of(found, path)),
        )
    )


def providers_of(
    contract: str, operations: "Iterable[str]" = (), path: "Sequence[str] | None" = None
) -> tuple[Found, ...]:
    """The installed plugins that provide these operations of a contract, `kv/1`.

    A broken manifest provides none.
    """
    needed = set(operations)

    def provides(found: Found) -> bool:
        provided = outline_of(found, path).capabilities.get(contract)
        return provided is not None and needed.issubset(provided)

    return tuple(found for found in discover(path) if provides(found))


def instead(name: str, names: "Sequence[str]") -> str:
    """What to say about a name that is not there: the nearest one, and all of them."""
    import difflib

    if not names:
        return "there are none; install one: pip install cap-..."
    near = difflib.get_close_matches(name, names, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"there are: {', '.join(names)}"
