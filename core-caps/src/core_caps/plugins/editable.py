"""Where editable installs keep their sources, when these are not on `sys.path` themselves."""

import ast
import os
import re
import sys
from collections.abc import Callable, Iterator

__all__ = ["redirected"]

# The `editables` library, used by hatchling and pdm in exact mode, writes one such call a module.
_MAPPED = re.compile(r"""map_module\(\s*(['"][^'"]+['"])\s*,\s*(['"][^\n]+['"])\s*\)""")
# setuptools writes a finder module with this table.
_MAPPING = re.compile(r"^MAPPING\b[^=\n]*=\s*(\{[^\n]*\})", re.MULTILINE)
_IMPORTED = re.compile(r"\bimport\s+(\w+)")


def redirected(site: str, top: str, watch: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """(module, its folder) of the redirections in a site folder that may concern `top`.

    The start-up of Python acts on `.pth` files: a line is a folder to search, or an import of a
    finder that knows its modules. What neither shows is asked of this process's own finders.
    """
    for listing in _listings(site):
        watch(listing)
        for line in _lines(listing):
            if line.startswith(("import ", "import\t")):
                for module in _IMPORTED.findall(line):
                    finder = os.path.join(site, f"{module}.py")
                    watch(finder)
                    yield from _mapped(finder)
            elif line and not line.startswith("#"):
                folder = os.path.join(site, line, top)
                if os.path.isdir(folder):
                    yield top, folder
    yield from _asked(site, top)


def _listings(site: str) -> list[str]:
    try:
        names = sorted(name for name in os.listdir(site) if name.endswith(".pth"))
    except OSError:
        return []
    return [os.path.join(site, name) for name in names]


def _asked(site: str, top: str) -> Iterator[tuple[str, str]]:
    """Where this process would import `top` from; finding a top-level name imports nothing."""
    if site not in sys.path:
        return
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(top, None)
        except Exception:  # noqa: S112 (somebody else's finder must not end discovery)
            continue
        if spec is not None:
            for folder in spec.submodule_search_locations or ():
                yield top, folder
            return


def _mapped(finder: str) -> Iterator[tuple[str, str]]:
    text = "\n".join(_lines(finder))
    pairs = [
        (ast.literal_eval(name), ast.literal_eval(file)) for name, file in _MAPPED.findall(text)
    ]
    for table in _MAPPING.findall(text):
        pairs += dict(ast.literal_eval(table)).items()
    for name, place in pairs:
        yield name, os.path.dirname(place) if place.endswith(".py") else place


def _lines(file: str) -> list[str]:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return [line.strip() for line in opened]
    except OSError:
        return []
