"""What a package's modules import, read from their source: the lazy imports too."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Import", "foreign_imports", "importable"]

_GUARDS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@dataclass(frozen=True, slots=True)
class Import:
    """One import that must succeed: the top-level name, and where it stands."""

    name: str
    file: str
    line: int


def foreign_imports(sources: Mapping[str, bytes], own: frozenset[str]) -> list[Import]:
    """The imports of other distributions' packages that nothing guards, in source order.

    An import is guarded where the code says what happens without it: inside `try … except
    ImportError`, or under `if TYPE_CHECKING`.
    """
    found: list[Import] = []
    for file, text in sources.items():
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue  # the import of the module says so
        for name, line in _imports(tree):
            top = name.partition(".")[0]
            if top and top not in own and top not in sys.stdlib_module_names:
                found.append(Import(top, file, line))
    return found


def importable(site_packages: Path) -> frozenset[str]:
    """The top-level names that an environment can import besides the standard library."""
    names: set[str] = set()
    for entry in site_packages.iterdir():
        if entry.is_dir() and entry.name.isidentifier():
            names.add(entry.name)
        elif entry.suffix in (".py", ".so", ".pyd"):
            names.add(entry.name.partition(".")[0])
    return frozenset(names)


def _imports(node: ast.AST) -> Iterator[tuple[str, int]]:
    match node:
        case ast.Import(names=names):
            for each in names:
                yield each.name, node.lineno
        case ast.ImportFrom(module=str(module), level=0):
            yield module, node.lineno
        case ast.Call(func=called, args=[ast.Constant(value=str(name)), *_]) if _imports_by_name(
            called
        ):
            yield name, node.lineno
        case ast.Try(handlers=handlers) if any(map(_guards, handlers)):
            for below in (*handlers, *node.orelse, *node.finalbody):
                yield from _imports(below)
            return
        case ast.If(test=test) if _type_checking(test):
            for below in node.orelse:
                yield from _imports(below)
            return
        case _:
            pass
    for below in ast.iter_child_nodes(node):
        yield from _imports(below)


def _imports_by_name(called: ast.expr) -> bool:
    match called:
        case ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"):
            return True
        case _:
            return False


def _guards(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(each, ast.Name) and each.id in _GUARDS for each in ast.walk(handler.type))


def _type_checking(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case _:
            return False
