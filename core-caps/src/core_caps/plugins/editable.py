"""Where editable installs keep their sources, when these are not on `sys.path` themselves."""

import ast
import os
import re
from collections.abc import Iterator

__all__ = ["redirected"]

# The `editables` library, used by hatchling and pdm in exact mode, writes one such call a module.
_MAPPED = re.compile(r"""map_module\(\s*(['"][^'"]+['"])\s*,\s*(['"][^\n]+['"])\s*\)""")
# setuptools writes a finder module with this table.
_MAPPING = re.compile(r"^MAPPING\b[^=\n]*=\s*(\{[^\n]*\})", re.MULTILINE)
_IMPORTED = re.compile(r"\bimport\s+(\w+)")


def redirected(site: str) -> Iterator[tuple[str, str, str]]:
    """(module prefix, its folder, the file that says so) of each redirection in a site folder.

    A folder listed in a `.pth` is tried with every top-level name in it.
    """
    try:
        names = sorted(name for name in os.listdir(site) if name.endswith(".pth"))
    except OSError:
        return
    for name in names:
        listing = os.path.join(site, name)
        for line in _lines(listing):
            if line.startswith("import"):
                for module in _IMPORTED.findall(line):
                    finder = os.path.join(site, f"{module}.py")
                    for prefix, folder in _mapped(finder):
                        yield prefix, folder, finder
                continue
            source = os.path.join(site, line)
            for top in _packages(source):
                yield top, os.path.join(source, top), listing


def _mapped(finder: str) -> Iterator[tuple[str, str]]:
    text = "\n".join(_lines(finder))
    pairs = [
        (ast.literal_eval(name), ast.literal_eval(file)) for name, file in _MAPPED.findall(text)
    ]
    for table in _MAPPING.findall(text):
        pairs += dict(ast.literal_eval(table)).items()
    for name, place in pairs:
        yield name, os.path.dirname(place) if place.endswith(".py") else place


def _packages(source: str) -> list[str]:
    try:
        return [name for name in os.listdir(source) if name.isidentifier()]
    except OSError:
        return []


def _lines(file: str) -> list[str]:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return [line.strip() for line in opened]
    except OSError:
        return []
