"""The analysed source: its modules, and what each scope binds. Nothing is imported or executed."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import core_caps

from flows_registry.checks.effects.static.report import Location, Span

__all__ = ["SHARED", "Code", "Module", "Program", "Scope", "positional"]

SHARED = "core_caps.http"
"""The part of core_caps that reaches the world for a plugin: it is followed as if it were the
plugin's own, from the copy that the certifier and the clean environment share."""

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.Module
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_EXTENSIONS = (".so", ".pyd", ".dll", ".dylib")
_COMPILED = (".pyc", ".pyo")
_FOUNDATION = Path(core_caps.__file__).parents[1]
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class Code:
    """One scope: its node and the names it binds. Compared by identity."""

    __slots__ = (
        "captured",
        "generator",
        "globals",
        "locals",
        "module",
        "name",
        "node",
        "nonlocals",
        "reassigned",
    )

    def __init__(self, node: Scope, module: "Module") -> None:
        names = _Names()
        if isinstance(node, Function):
            for parameter in _parameters(node.args):
                names.bound.add(parameter.arg)
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        for statement in body:
            names.collect(statement)
        self.node = node
        self.module = module
        self.name = module.name if isinstance(node, ast.Module) else getattr(node, "name", "lambda")
        self.globals = frozenset(names.globals)
        self.nonlocals = frozenset(names.nonlocals)
        self.locals = frozenset(names.bound - names.globals - names.nonlocals)
        self.captured = self.locals & names.inner
        self.reassigned = self.locals & names.rebound
        self.generator = names.generator and not isinstance(node, ast.ClassDef | ast.Module)


class _Names:
    """What one scope binds, and what the scopes inside it mention."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.inner: set[str] = set()
        self.rebound: set[str] = set()
        self.generator = False

    def collect(self, node: ast.AST) -> None:  # noqa: C901 (one arm for each kind of node)
        """Note the names of a node and what stands below it."""
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self.bound.add(name)
            case ast.Name():
                return
            case ast.Global(names=names):
                self.globals.update(names)
            case ast.Nonlocal(names=names):
                self.nonlocals.update(names)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                self.bound.update((alias.asname or alias.name.split(".")[0]) for alias in aliases)
            case ast.ExceptHandler(name=str(name)):
                self.bound.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                self.bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                self.bound.add(name)
            case ast.Yield() | ast.YieldFrom():
                self.generator = True
            case _:
                pass
        if isinstance(node, _INNER):
            self._collect_inner(node)
            return
        for child in ast.iter_child_nodes(node):
            self.collect(child)

    def _collect_inner(self, scope: ast.AST) -> None:
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.bound.add(scope.name)
        for node in ast.walk(scope):
            match node:
                case ast.Name(id=name):
                    self.inner.add(name)
                case ast.Nonlocal(names=names):
                    self.inner.update(names)
                    self.rebound.update(names)
                case _:
                    pass


def positional(node: Function) -> list[ast.arg]:
    """The parameters that may be given by position, in order."""
    return [*node.args.posonlyargs, *node.args.args]


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (extra for extra in (arguments.vararg, arguments.kwarg) if extra)


class Module:
    """One module of the source: its tree, or why there is none (`problem`)."""

    __slots__ = ("code", "file", "name", "package", "problem", "star_imports", "tree")

    def __init__(self, name: str, file: str, *, package: bool) -> None:
        self.name = name
        self.file = file
        self.package = name if package else name.rpartition(".")[0]
        self.problem = ""
        self.tree = ast.Module(body=[], type_ignores=[])
        self.star_imports: list[str] = []
        self.code: Code | None = None

    def parse(self, source: bytes) -> None:
        try:
            self.tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.problem = f"{self.file} cannot be parsed: {error}"

    @property
    def scope(self) -> Code:
        """The module's own scope."""
        if self.code is None:
            self.code = Code(self.tree, self)
        return self.code


class Program:
    """A folder of unpacked source, or one file; modules are parsed when first asked for."""

    def __init__(self, source: Path) -> None:
        self._root = source if source.is_dir() else source.parent
        self._only = None if source.is_dir() else source.stem
        self._modules: dict[str, Module | None] = {}
        self._codes: dict[int, Code] = {}
        self.outside = Module("", "", package=False).scope

    def find(self, name: str) -> Module | None:
        """The module of that dotted name, or None when the source does not hold it."""
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def top(self, name: str) -> str | None:
        """The outermost package of that dotted name that is followed, or None."""
        if _is_shared(name):
            return SHARED
        top = name.partition(".")[0]
        return None if self.find(top) is None else top

    def code(self, node: Scope, module: Module) -> Code:
        """The scope of a node, made once."""
        found = self._codes.get(id(node))
        if found is None:
            found = self._codes[id(node)] = Code(node, module)
        return found

    def locate(self, node: ast.AST, module: Module) -> Location:
        """Where a node stands."""
        return Location(module.file, getattr(node, "lineno", 1))

    def span(self, node: ast.AST) -> Span | None:
        """The extent of an expression, or of a statement that holds no others."""
        if not isinstance(node, ast.expr | ast.stmt | ast.pattern) or hasattr(node, "body"):
            return None
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset

    def _read(self, name: str) -> Module | None:
        parts = name.split(".")
        # The standard library comes first on the path: a copy of its names is never imported.
        alone = self._only and parts != [self._only] and not _is_shared(name)
        if parts[0] in sys.stdlib_module_names or alone:
            return None
        if not all(part.isidentifier() for part in parts):
            return None
        return self._module(name, self._root) or (
            self._module(name, _FOUNDATION) if _is_shared(name) else None
        )

    def _module(self, name: str, root: Path) -> Module | None:
        base = root.joinpath(*name.split("."))
        for path, package in ((base / "__init__.py", True), (base.with_suffix(".py"), False)):
            if path.is_file():
                module = Module(name, path.relative_to(root).as_posix(), package=package)
                module.parse(path.read_bytes())
                return module
        if compiled := _compiled(base):
            module = Module(name, compiled.relative_to(root).as_posix(), package=False)
            module.problem = f"{module.file} is compiled: its source is not here"
            return module
        if base.is_dir():  # a namespace package
            return Module(name, base.relative_to(root).as_posix(), package=True)
        return None


def _is_shared(name: str) -> bool:
    return name == SHARED or name.startswith(f"{SHARED}.")


def _compiled(base: Path) -> Path | None:
    """The extension module or byte code that would be imported under this name."""
    for folder, stem in ((base.parent, base.name), (base, "__init__")):
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                suffixes = (*_EXTENSIONS, *_COMPILED)
                if path.name.split(".")[0] == stem and path.suffix in suffixes:
                    return path
    return None
