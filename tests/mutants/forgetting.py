"""One module of the certifier taken from a mutant's text, in a process that knows it already."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType

import grimp

__all__ = ["put_in_place"]


def put_in_place(module: str, source: bytes) -> None:
    """From now on `module` is what this text makes of it: it is forgotten, and with it all that
    has imported it. What stands below it stays as warm as it is."""
    root = module.partition(".")[0]
    _forget([module, *_graph(root).find_downstream_modules(module)])
    _forget([name for name in sys.modules if name.startswith(f"{__package__}.")])
    sys.meta_path.insert(0, _Finder(module, source))


@cache
def _graph(root: str) -> "grimp.ImportGraph":
    return grimp.build_graph(root, cache_dir=None)


def _forget(names: Iterable[str]) -> None:
    for name in names:
        gone = sys.modules.pop(name, None)
        above, _, last = name.rpartition(".")
        if gone is not None and getattr(sys.modules.get(above), last, None) is gone:
            delattr(sys.modules[above], last)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, source: bytes) -> None:
        self._module = module
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        loader = _Loader(fullname, spec.origin, self._source)
        return importlib.util.spec_from_file_location(fullname, spec.origin, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: bytes) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, Path(self.path), "exec", dont_inherit=True)
