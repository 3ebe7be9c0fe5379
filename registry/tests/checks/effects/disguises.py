"""Ways to write the same operation differently: each keeps what it does, and hides it better."""

import ast
import copy
import itertools
from collections.abc import Callable

__all__ = ["DISGUISES", "Package"]

Package = dict[str, ast.Module]
"""The modules of `pkg`, by name; `m` holds the provider."""

_BY_NAME = frozenset({"super", "locals", "globals", "vars", "exec", "eval", "__name__"})
"""What means something else when it is called from elsewhere."""

_fresh = itertools.count()


def _provider(package: Package) -> ast.ClassDef:
    return next(n for n in package["m"].body if isinstance(n, ast.ClassDef) and n.name == "P")


def _operation(package: Package) -> ast.AsyncFunctionDef:
    found = [n for n in _provider(package).body if getattr(n, "name", "") == "run"]
    assert isinstance(found[0], ast.AsyncFunctionDef)
    return found[0]


class _Renamer(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self._names.get(node.id, node.id), node.ctx), node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._names.get(node.arg, node.arg)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._names.get(name, name) for name in node.names]
        return node


def rename(package: Package) -> None:
    """Every local name of the operation gets another."""
    run = _operation(package)
    bound = {n.id for n in ast.walk(run) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}
    inner = [n for n in ast.walk(run) if isinstance(n, ast.Lambda | ast.FunctionDef)]
    kept = {a.arg for f in inner for a in ast.walk(f.args) if isinstance(a, ast.arg)}
    names = {name: f"q{next(_fresh)}" for name in sorted(bound - kept)}
    run.body = [_Renamer(names).visit(statement) for statement in run.body]


def outline(package: Package) -> None:
    """The body moves into a method of another name."""
    run, name = _operation(package), f"_h{next(_fresh)}"
    moved = copy.deepcopy(run)
    moved.name = name
    _provider(package).body.append(moved)
    run.body = ast.parse(f"async def f(): return await self.{name}(key, value)").body[0].body  # type: ignore[attr-defined]


def move(package: Package) -> None:
    """The body moves into a function of another module, behind a class there."""
    run, name = _operation(package), f"o{next(_fresh)}"
    if any(isinstance(n, ast.Name) and n.id in _BY_NAME for n in ast.walk(run)):
        return
    names = [
        alias.name for s in package["m"].body if isinstance(s, ast.ImportFrom) for alias in s.names
    ]
    if "*" in names:  # what it brings cannot be qualified
        return
    moved = copy.deepcopy(run)
    moved.name = "elsewhere"
    shared = {
        bound
        for statement in package["m"].body
        for bound in _bound_by(statement)
        if not isinstance(statement, ast.ImportFrom) or statement.module != name
    }
    inside = {n.id for n in ast.walk(run) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}
    imported = {b for n in ast.walk(run) if isinstance(n, ast.stmt) for b in _bound_by(n)}

    class Qualify(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id in shared - inside - imported:
                return ast.parse(f"origin.{node.id}", mode="eval").body
            return node

    moved.body = [Qualify().visit(statement) for statement in moved.body]
    module = ast.parse("import pkg.m as origin\nclass There:\n    pass\n")
    holder = module.body[1]
    assert isinstance(holder, ast.ClassDef)
    moved.decorator_list = [ast.Name("staticmethod", ast.Load())]
    holder.body = [moved]
    package[name] = module
    run.body = (
        ast.parse(
            f"async def f():\n    from pkg.{name} import There as T\n"
            "    return await T.elsewhere(self, key, value)"
        )
        .body[0]
        .body
    )  # type: ignore[attr-defined]


def _bound_by(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name.split(".")[0] for alias in names]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case _:
            return []


class _Calls(ast.NodeTransformer):
    """Replaces what is called by an expression that comes to the same."""

    def __init__(self, wrap: Callable[[ast.expr], str]) -> None:
        self._wrap = wrap

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _BY_NAME:
            return node
        return ast.Call(
            ast.parse(self._wrap(node.func), mode="eval").body, node.args, node.keywords
        )


def _on_calls(wrap: Callable[[ast.expr], str], before: str = "") -> Callable[[Package], None]:
    def apply(package: Package) -> None:
        run = _operation(package)
        run.body = [_Calls(wrap).visit(statement) for statement in run.body]
        run.body = [*ast.parse(before).body, *run.body]

    return apply


class _Attributes(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        return ast.Call(ast.Name("getattr", ast.Load()), [node.value, ast.Constant(node.attr)], [])


def by_getattr(package: Package) -> None:
    """Attributes are read with getattr and a constant."""
    run = _operation(package)
    run.body = [_Attributes().visit(statement) for statement in run.body]


def on_error_path(package: Package) -> None:
    """The body runs only when something before it failed."""
    run = _operation(package)
    guard = ast.parse("try:\n    value.check(key)\nexcept Exception:\n    pass").body[0]
    assert isinstance(guard, ast.Try)
    guard.handlers[0].body = run.body
    run.body = [guard]


def nest(package: Package) -> None:
    """The body moves into a function inside the operation."""
    run = _operation(package)
    if any(isinstance(n, ast.Name) and n.id in _BY_NAME for n in ast.walk(run)):
        return
    name = f"n{next(_fresh)}"
    inner = ast.AsyncFunctionDef(name, ast.arguments([], [], None, [], [], None, []), run.body, [])
    ending = ast.parse(f"async def f(): return await {name}()").body[0].body  # type: ignore[attr-defined]
    run.body = [inner, *ending]


DISGUISES: dict[str, Callable[[Package], None]] = {
    "rename": rename,
    "outline": outline,
    "move": move,
    "by_getattr": by_getattr,
    "on_error_path": on_error_path,
    "nest": nest,
    "alias": _on_calls(lambda f: f"(w{next(_fresh)} := {ast.unparse(f)})"),
    "partial": _on_calls(lambda f: f"ft.partial({ast.unparse(f)})", "import functools as ft"),
    "lambda": _on_calls(lambda f: f"(lambda *a_, **k_: ({ast.unparse(f)})(*a_, **k_))"),
    "table": _on_calls(lambda f: f"{{'x': {ast.unparse(f)}, 'y': None}}['x']"),
}
