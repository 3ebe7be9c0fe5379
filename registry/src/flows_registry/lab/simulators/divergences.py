"""The rows of `divergences.toml`: known differences between a simulator and its vendor."""

import datetime as dt
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

__all__ = ["DIVERGENCES", "Divergence", "read_divergences"]

DIVERGENCES = Path(__file__).parent / "divergences.toml"


@dataclass(frozen=True, slots=True)
class Divergence:
    """One row; the head of the file explains each field."""

    name: str
    case: str
    operation: str
    simulator: str
    plugin: str
    does: str
    document: str
    source: str
    expires: dt.date

    def covers(self, case: str, operation: str, plugin: str, simulator: str) -> bool:
        """Whether it explains these two answers: the plugin's must be the right one."""
        return (
            operation == self.operation
            and fnmatchcase(case, self.case)
            and fnmatchcase(plugin, self.plugin)
            and fnmatchcase(simulator, self.simulator)
        )


def read_divergences(path: Path = DIVERGENCES) -> tuple[Divergence, ...]:
    """The rows, checked.

    Raises:
        ValueError: a row lacks a field, has an unknown one or one of the wrong type, or two rows
            have one name.
    """
    with path.open("rb") as file:
        rows = tomllib.load(file).get("divergence", [])
    found = tuple(_row(row, path) for row in rows)
    _refuse_twice(found, path)
    return found


def _row(row: object, path: Path) -> Divergence:
    try:
        divergence = Divergence(**row)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError(f"{path.name}: {error}") from error
    for name in Divergence.__slots__:
        wanted = dt.date if name == "expires" else str
        if not isinstance(getattr(divergence, name), wanted):
            raise ValueError(f"{path.name}: {divergence.name}: {name} is not a {wanted.__name__}")
    if not divergence.source.startswith("https://"):
        raise ValueError(f"{path.name}: {divergence.name}: source is not an https address")
    return divergence


def _refuse_twice(rows: Iterable[Divergence], path: Path) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.name in seen:
            raise ValueError(f"{path.name}: two rows are called {row.name}")
        seen.add(row.name)
