"""Where verdicts are decided: the modules that are mutated, and the checks whose twins judge them.

The machine that derives effects from source is not among them, but what makes findings of what it
derives is.
"""

import hashlib
import importlib.util
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

__all__ = [
    "CHECKS",
    "checks_of",
    "digest",
    "files_digest",
    "kept",
    "module_of",
    "modules",
    "package",
    "source_of",
]

PACKAGE = "flows_registry"
CHECKS = ("effects", "determinism", "contract", "injection", "policy", "budget")
"""The checks that judge what a lab answers."""
_DECIDING = (
    "verdict", "policy.deciding", "evidence.reading", "checks.*",
    "certify.before", "certify.checking", "certify.delta", "certify.kept", "certify.parity_of",
    "certify.recall", "certify.replay", "certify.run", "certify.sample", "certify.self_test",
)  # fmt: skip
_NOT = ("checks.effects.static.*", "checks.package_probe", "*.__init__")


def modules(named: tuple[str, ...] = ("*",)) -> list[str]:
    """The modules that decide and whose names, below the package, match one of these patterns."""
    return [
        f"{PACKAGE}.{name}"
        for name in _names()
        if _matches(name, _DECIDING) and not _matches(name, _NOT) and _matches(name, named)
    ]


def checks_of(module: str) -> tuple[str, ...]:
    """The checks whose twins can notice what is wrong with a module."""
    room, _, rest = module.removeprefix(f"{PACKAGE}.").partition(".")
    own = rest.partition(".")[0]
    return (own,) if room == "checks" and own in CHECKS else CHECKS


def source_of(module: str) -> Path:
    """The module's file."""
    return package().joinpath(*module.split(".")[1:]).with_suffix(".py")


def module_of(file: Path, package: Path) -> str:
    """The name of a module of a package, by its file."""
    return ".".join(file.relative_to(package.parent).with_suffix("").parts)


def digest(*rooms: str) -> str:
    """Of every source file in these rooms of the package."""
    return files_digest(*(package() / room for room in rooms))


@cache
def files_digest(*paths: Path) -> str:
    """Of every file of Python that is, or lies below, one of these."""
    found = hashlib.sha256()
    for path in paths:
        for file in sorted(_files(path)):
            found.update(file.read_bytes() + b"\0")
    return found.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    return path.rglob("*.py") if path.is_dir() else iter([path])


def _names() -> list[str]:
    root = package()
    return [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(_files(root))]


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def package() -> Path:
    """The folder of the certifier's package."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def kept(name: str) -> Path:
    """A folder of ours in the user's cache."""
    from flows_registry.lab.cache import cache_folder

    return cache_folder("mutants", name)
