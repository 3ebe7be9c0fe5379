"""Which capability plugins are installed, told without importing any of them.

`importlib.metadata` would answer too, in many times the start-up of Python itself. This is a scan
of its own over the same folders, remembered between processes and checked by `stat` alone.
"""

import sys
from collections.abc import Sequence

from core_caps.claims.manifest import Manifest, from_data
from core_caps.errors import ManifestInvalid, PluginConflict, PluginNotFound
from core_caps.plugins.scan import Found
from core_caps.plugins.snapshot import current, manifest_data

__all__ = ["Found", "discover", "find", "instead", "manifest_of", "providers_of"]


def discover(path: Sequence[str] | None = None) -> tuple[Found, ...]:
    """Every installed plugin, by name; a name claimed by two distributions appears twice.

    Args:
        path: the folders to search instead of `sys.path`.
    """
    return current(tuple(sys.path if path is None else path)).found


def find(name: str, path: Sequence[str] | None = None) -> Found:
    """The installed plugin of that name.

    Raises:
        PluginNotFound: there is none; the message names what is installed (CAP103).
        PluginConflict: two distributions claim the name; the message names both (CAP102).
    """
    installed = discover(path)
    claimants = [found for found in installed if found.name == name]
    if len(claimants) == 1:
        return claimants[0]
    if claimants:
        both = " and ".join(f"{f.distribution} {f.version}" for f in claimants)
        raise PluginConflict(
            f"the plugin name {name!r} is claimed by {both}",
            hint=f"uninstall one of them: pip uninstall {claimants[-1].distribution}",
        )
    raise PluginNotFound(
        f"no plugin {name!r} is installed", hint=instead(name, [f.name for f in installed])
    )


def manifest_of(found: Found, path: Sequence[str] | None = None) -> Manifest:
    """The manifest of a found plugin.

    Raises:
        ManifestInvalid: it is missing or cannot be used (CAP106).
    """
    if found.manifest_path is None:
        raise ManifestInvalid(
            f"{found.distribution} {found.version} has no capability.toml beside {found.module}",
            hint="add it to the package's files; docs/manifest.md lists every field",
        )
    data = manifest_data(tuple(sys.path if path is None else path), found.manifest_path)
    return from_data(data, found.manifest_path)


def providers_of(contract: str, path: Sequence[str] | None = None) -> tuple[Found, ...]:
    """The installed plugins that provide a contract, `kv/1`; a broken manifest provides none."""
    providing: list[Found] = []
    for found in discover(path):
        try:
            manifest = manifest_of(found, path)
        except ManifestInvalid:
            continue
        if any(provided.contract == contract for provided in manifest.capabilities.values()):
            providing.append(found)
    return tuple(providing)


def instead(name: str, names: Sequence[str]) -> str:
    """What to say about a name that is not there: the nearest one, and all of them."""
    import difflib

    if not names:
        return "there are none; install one: pip install cap-..."
    near = difflib.get_close_matches(name, names, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"there are: {', '.join(names)}"
