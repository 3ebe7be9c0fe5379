"""What a distribution's extras bring, and whether one explains a failed import."""

import importlib.metadata
import re
import sys
from collections.abc import Iterator

__all__ = ["brought_by", "missing_extra", "normalised"]

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_EXTRA = re.compile(r"""\bextra\s*==\s*['"]([^'"]+)['"]""")
_OTHER_MARKER = re.compile(r"\b(python_\w+|sys_platform|platform_\w+|os_name|implementation_\w+)\b")


def missing_extra(
    error: ModuleNotFoundError, lazy_name: str, extra: str | None, distribution: str
) -> str | None:
    """The line that installs `extra`, when a module it brings is what could not be imported.

    None where the import is broken for another reason: the missing module is the plugin's own or
    the standard library's, or everything that the extra asks for is already installed.
    """
    if extra is None or error.name is None:
        return None
    missing = error.name.partition(".")[0]
    own = lazy_name.partition(":")[0].partition(".")[0]
    if missing == own or missing in sys.stdlib_module_names:
        return None
    brought = dict(_brought(distribution, extra, seen=set()))
    absent = {
        name
        for name, unconditional in brought.items()
        if (unconditional or name == normalised(missing)) and not _installed(name)
    }
    return f"pip install '{distribution}[{extra}]'" if absent else None


def brought_by(distribution: str, extra: str) -> set[str]:
    """The distributions that nothing but an extra asks for, by their normalised names."""
    anyway = {
        normalised(named[1])
        for requirement in importlib.metadata.requires(distribution) or ()
        if not _EXTRA.search(requirement) and (named := _NAME.match(requirement))
    }
    return {name for name, _ in _brought(distribution, extra, seen=set())} - anyway


def _brought(
    distribution: str, extra: str, seen: set[tuple[str, str]]
) -> Iterator[tuple[str, bool]]:
    """The distributions that an extra asks for, each with whether it asks on every platform."""
    if (normalised(distribution), normalised(extra)) in seen:
        return
    seen.add((normalised(distribution), normalised(extra)))
    try:
        requirements = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return
    for requirement in requirements:
        named, _, marker = requirement.partition(";")
        wanted = _EXTRA.findall(marker)
        found = _NAME.match(named)
        if found is None or normalised(extra) not in map(normalised, wanted):
            continue
        name, extras = normalised(found[1]), found[2] or ""
        if name != normalised(distribution):
            yield name, not _OTHER_MARKER.search(marker)
        for inner in filter(None, map(str.strip, extras.split(","))):
            yield from _brought(name, inner, seen)


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def normalised(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()
