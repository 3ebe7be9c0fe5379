"""Which distributions are installed, and what an extra still lacks: read from metadata alone."""

# ruff: noqa: PTH118, PTH123, PTH208 (pathlib costs start-up)

import os
import sys

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Installed"]


class Installed:
    """The distributions on a path, by name."""

    def __init__(self, path: "Sequence[str]") -> None:
        self._folders: dict[str, str] = {}
        for entry in path:
            try:
                names = os.listdir(entry or ".")
            except OSError:
                continue
            for name in names:
                if name.endswith((".dist-info", ".egg-info")):
                    stem = _normal(name.rpartition(".")[0].partition("-")[0])
                    self._folders.setdefault(stem, os.path.join(entry, name))

    def missing(self, distribution: str, extra: str) -> "tuple[str, ...]":
        """What the extra of an installed distribution asks for and is not installed.

        Requirements under other markers (another platform) are not counted as missing.
        """
        return tuple(dict.fromkeys(self._missing(_normal(distribution), _normal(extra), set())))

    def _missing(self, name: str, extra: str, seen: "set[tuple[str, str]]") -> "list[str]":
        if (name, extra) in seen:
            return []
        seen.add((name, extra))
        found: list[str] = []
        for line in self._requires(name):
            wanted, _, marker = line.partition(";")
            if "extra" not in marker or extra not in _extras(marker):
                continue
            if not _holds(marker, extra):
                continue
            required, inner = _named(wanted)
            below = _normal(required)
            if below not in self._folders:
                found.append(required)
            for each in inner:
                found += self._missing(below, _normal(each), seen)
        return found

    def _requires(self, name: str) -> "list[str]":
        folder = self._folders.get(name)
        if folder is None:
            return []
        for file in ("METADATA", "PKG-INFO"):
            try:
                with open(os.path.join(folder, file), encoding="utf-8", errors="replace") as opened:
                    headers = opened.read().partition("\n\n")[0]
            except OSError:
                continue
            marked = "Requires-Dist:"
            return [
                line.removeprefix(marked).strip()
                for line in headers.splitlines()
                if line.startswith(marked)
            ]
        return []


def _named(requirement: str) -> "tuple[str, list[str]]":
    """The name and the extras of a requirement."""
    text = requirement.strip()
    end = next((i for i, c in enumerate(text) if not (c.isalnum() or c in "._-")), len(text))
    rest = text[end:].lstrip()
    inner = rest[1:].partition("]")[0] if rest.startswith("[") else ""
    return text[:end], [each.strip() for each in inner.split(",") if each.strip()]


def _extras(marker: str) -> "list[str]":
    """The extras that a marker compares with."""
    pieces = marker.replace("'", '"').split('"')
    return [
        _normal(pieces[index])
        for index in range(1, len(pieces), 2)
        if pieces[index - 1].rstrip().removesuffix("==").rstrip().endswith("extra")
    ]


def _holds(marker: str, extra: str) -> bool:
    """Whether a marker holds here; one that is no chain of plain comparisons costs an import."""
    plainly = _holds_plainly(marker, extra)
    if plainly is not None:
        return plainly

    from packaging.markers import InvalidMarker, Marker

    try:
        return Marker(marker.strip()).evaluate({"extra": extra})
    except InvalidMarker:
        return False


def _holds_plainly(marker: str, extra: str) -> "bool | None":
    """The same of `name == "value" and …`, or None where it says more, or of other things."""
    facts = {
        "extra": extra,
        "implementation_name": sys.implementation.name,
        "os_name": os.name,
        "sys_platform": sys.platform,
    }
    holds = True
    for part in marker.split(" and "):
        words = part.split()
        if len(words) != 3 or words[0] not in facts or words[1] not in ("==", "!="):
            return None
        name, comparison, quoted = words
        value = _normal(quoted[1:-1]) if name == "extra" else quoted[1:-1]
        holds = holds and (facts[name] == value) is (comparison == "==")
    return holds


def _normal(name: str) -> str:
    parts = name.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(filter(None, parts))
