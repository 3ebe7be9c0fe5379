"""How commands write: marks and colour where the terminal shows them, tables, one JSON object."""

import os
import sys

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["as_json", "coloured", "mark", "print_json", "print_table"]

_COLOURS = {"green": "32", "red": "31", "yellow": "33", "bold": "1", "dim": "2"}


def coloured(text: str, colour: str) -> str:
    """The text in a colour, where stdout is a terminal and NO_COLOR is not set."""
    if not _colour():
        return text
    return f"\033[{_COLOURS[colour]}m{text}\033[0m"


def mark(good: bool) -> str:
    """✓ or ✗, or words where the output cannot show them."""
    word = "✓" if good else "✗"
    try:
        word.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        word = "ok" if good else "NO"
    return coloured(word, "green" if good else "red")


def print_table(rows: "Iterable[Sequence[str]]", heading: "Sequence[str]") -> None:
    """Print rows in columns as wide as they need to be; the last column is not padded."""
    listed = [tuple(heading), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in listed) for column in range(len(heading))]
    for index, row in enumerate(listed):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        line = "  ".join(cells).rstrip()
        print(coloured(line, "bold") if index == 0 else line)


def as_json(value: object) -> str:
    """The value as the one JSON object that `--json` prints."""
    import json

    return json.dumps(value, indent=2)


def print_json(value: object) -> None:
    """Print the value as the one JSON object on stdout."""
    print(as_json(value))


def _colour() -> bool:
    return not os.environ.get("NO_COLOR") and sys.stdout.isatty()
