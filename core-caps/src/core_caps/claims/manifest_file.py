"""The manifest's file as TOML tables; alone here because every start of a command reads it."""

import os
from typing import Any

from core_caps.errors import ManifestInvalid

__all__ = ["FILE_NAME", "parse_toml"]

FILE_NAME = "capability.toml"
"""The manifest's file name; it stands beside the package's `__init__.py`."""


def parse_toml(source: str | os.PathLike[str] | bytes, origin: str) -> dict[str, Any]:
    """The tables of a TOML document.

    Raises:
        ManifestInvalid: the file cannot be read, is not UTF-8 or is not TOML; a syntax error and
            a key given twice carry line and column.
    """
    import tomllib  # costs 15 ms: cached discovery does without

    try:
        if isinstance(source, bytes):
            text = source.decode()
        else:
            with open(source, encoding="utf-8") as file:  # noqa: PTH123 (pathlib costs start-up)
                text = file.read()
        return tomllib.loads(text)
    except OSError as error:
        raise ManifestInvalid(
            f"{origin} cannot be read: {error.strerror}",
            hint=f"a plugin keeps {FILE_NAME} beside its __init__.py",
        ) from error
    except UnicodeDecodeError as error:
        raise ManifestInvalid(f"{origin} is not UTF-8 text: {error.reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestInvalid(f"{origin} is not valid TOML: {error}") from error
