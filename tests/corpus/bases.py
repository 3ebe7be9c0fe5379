"""Small complete plugins, made from the parts in this folder.

Every base is the shared parts with one transport of its own; the pure one has a mock alone.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["BASES", "Files", "edited", "files_of", "path_of", "write"]

Files = Mapping[str, str]
"""A plugin: path in its folder → text."""

BASES = ("urllib", "aiohttp", "sockets", "pure")

_HERE = Path(__file__).parent
_MOCK_ALONE = ("__init__.py", "plugin.py", "config.py", "cursors.py", "limits.py", "mock.py")


def files_of(base: str) -> dict[str, str]:
    """The files of a base. Its package is `corpus_BASE`."""
    package = f"corpus_{base}"
    parts = {path.name: path.read_text() for path in (_HERE / "shared").iterdir()}
    if base == "pure":
        parts = {
            name: text
            for name, text in parts.items()
            if name in (*_MOCK_ALONE, "capability.toml", "pyproject.toml")
        }
        parts["capability.toml"] = re.sub(
            r"\[backends\.remote\].*?(?=\[limits\])", "", parts["capability.toml"], flags=re.S
        ).replace('consistency = "eventual"', 'consistency = "linearizable"')
    else:
        parts["transport.py"] = (_HERE / base / "transport.py").read_text()
    if base == "aiohttp":
        parts["pyproject.toml"] = parts["pyproject.toml"].replace(
            'dependencies = ["core-caps"]',
            'dependencies = ["core-caps"]\n\n'
            '[project.optional-dependencies]\nremote = ["aiohttp>=3.12"]',
        )
        parts["capability.toml"] = parts["capability.toml"].replace(
            'wire = "cloudflare-kv"', 'extra = "remote"\nwire = "cloudflare-kv"'
        )
    named = {
        name: text.replace("corpus_kv", package).replace("corpus-kv", f"corpus-{base}")
        for name, text in parts.items()
    }
    project = named.pop("pyproject.toml")
    source = {f"src/{package}/{name}": text for name, text in named.items()}
    return {"pyproject.toml": project, f"src/{package}/py.typed": "", **source}


def write(files: Files, folder: Path) -> Path:
    """Put a plugin into a folder; that folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def edited(files: Files, base: str, edits: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """The plugin after (file, old text, new text) edits; each old text stands there just once.

    Raises:
        ValueError: an edit does not fit the file any more.
    """
    given = dict(files)
    for file, old, new in edits:
        path = path_of(base, file)
        if given[path].count(old) != 1:
            raise ValueError(f"{given[path].count(old)} places for an edit of {path}: {old!r}")
        given[path] = given[path].replace(old, new)
    return given


def path_of(base: str, file: str) -> str:
    """Where a file of the package lies in the plugin's folder."""
    return file if file == "pyproject.toml" else f"src/corpus_{base}/{file}"
