"""The manifest's file as TOML tables; alone here because every start of a command reads it."""

import os

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from typing import Any

__all__ = ["FILE_NAME", "parse_toml"]

FILE_NAME = "capability.toml"
"""The manifest's file name; it stands beside the package's `__init__.py`."""


def parse_toml(source: str | os.PathLike[str] | bytes, origin: str) -> "dict[str, Any]":
    """The tables of a TOML document.

    Raises:
        ManifestInvalid: the file cannot be read, is not UTF-8 or is not TOML; a syntax error and
            a key given twice carry line and column.
    """
    import tomllib  # costs 15 ms: cached discovery does without, and without errors

    from core_caps.errors import ManifestInvalid

    text = _text(source, origin)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        lines = text.split("\n")
        end = f"at line {len(lines)}, column {len(lines[-1]) + 1}"
        raise ManifestInvalid(
            f"{origin} is not valid TOML: {str(error).replace('at end of document', end)}",
            hint="a key and a table may each be given once, and every text is quoted",
        ) from error
    except RecursionError as error:
        raise ManifestInvalid(f"{origin} is nested too deeply") from error


def _text(source: str | os.PathLike[str] | bytes, origin: str) -> str:
    from core_caps.errors import ManifestInvalid

    try:
        if isinstance(source, bytes):
            return source.decode()
        with open(source, encoding="utf-8") as file:  # noqa: PTH123 (pathlib costs start-up)
            return file.read()
    except OSError as error:
        raise ManifestInvalid(
            f"{origin} cannot be read: {error.strerror}",
            hint=f"a plugin keeps {FILE_NAME} beside its __init__.py",
        ) from error
    except ValueError as error:  # not UTF-8, or a path with a NUL
        raise ManifestInvalid(f"{origin} is not UTF-8 text: {error}") from error
