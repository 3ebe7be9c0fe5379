"""What is broken: small changes of source text, chosen for the ways in which a verdict is lost."""

import ast
import difflib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["OPERATORS", "Mutant", "mutants_of", "unchanged"]

Change = tuple[ast.expr | ast.stmt, str]
"""A node and the text that takes its place."""

Operator = Callable[[ast.AST, "_Place"], Iterator[Change]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One module with one change.

    Attributes:
        name: `module:line:operator:n`, n counting those of one operator on one line.
        module: the module's name.
        lines: those of the statement it stands in; none at the module's own level, which runs
            when it is imported.
        source: the module's text with the change.
        diff: the lines that differ.
    """

    name: str
    module: str
    lines: range
    source: bytes
    diff: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node stands: the node above it, the statement and the function around it."""

    parent: ast.AST
    function: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    statement: ast.stmt | None = None

    @property
    def returns(self) -> str:
        """What the function around it says it returns."""
        found = None if self.function is None else self.function.returns
        return "" if found is None else ast.unparse(found)


def mutants_of(module: str, source: bytes) -> list[Mutant]:
    """Every mutant of a module's source, in its order."""
    found: list[Mutant] = []
    numbers = Counter[tuple[int, str]]()
    for node, place in _walk(ast.parse(source), _Place(ast.Module([], []))):
        for name, operator in OPERATORS.items():
            for changed, text in operator(node, place):
                numbers[changed.lineno, name] += 1
                number = numbers[changed.lineno, name]
                mutated = _replaced(source, changed, text)
                found.append(
                    Mutant(
                        f"{module}:{changed.lineno}:{name}:{number}",
                        module,
                        _lines(node, place),
                        mutated,
                        _diff(source, mutated),
                    )
                )
    return sorted(found, key=lambda mutant: int(mutant.name.split(":")[1]))


def _lines(node: ast.AST, place: _Place) -> range:
    """The lines of the statement that a node is or stands in, without those below it."""
    if place.function is None:
        return range(0)
    statement = node if isinstance(node, ast.stmt) else place.statement
    assert statement is not None
    below: list[ast.stmt] = getattr(statement, "body", [])
    end = below[0].lineno - 1 if below else statement.end_lineno
    return range(statement.lineno, max(statement.lineno, end or 0) + 1)


def unchanged(module: str, source: bytes) -> Mutant:
    """The module as it is, to be tried like a mutant: it must survive."""
    return Mutant(f"{module}:0:unchanged:1", module, range(0), source, "")


def _walk(node: ast.AST, place: _Place) -> Iterator[tuple[ast.AST, _Place]]:
    """Every node that runs when something is judged: no texts, annotations or declarations."""
    function = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else place.function
    statement = node if isinstance(node, ast.stmt) else place.statement
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr | ast.Assert):
                continue
            below = _Place(node, function, statement)
            yield child, below
            yield from _walk(child, below)


def _replaced(source: bytes, node: ast.expr | ast.stmt, text: str) -> bytes:
    """The source with another text for a node; what follows keeps its line."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[node.end_lineno - 1] + node.end_col_offset
    gone = source[begin:end].count(b"\n") - text.count("\n")
    if isinstance(node, ast.stmt):
        return source[:begin] + text.encode() + b"\n" * gone + source[end:]
    wrapped = f"({text}" + "\n" * gone + ")" if gone > 0 else text
    return source[:begin] + wrapped.encode() + source[end:]


def _diff(source: bytes, mutated: bytes) -> str:
    old, new = source.decode().splitlines(), mutated.decode().splitlines()
    _, _, *shown = difflib.unified_diff(old, new, lineterm="", n=0)
    return "\n".join(line for line in shown if not line.startswith("@@") and line[1:])


def _finding_lost(node: ast.AST, place: _Place) -> Iterator[Change]:
    """What is yielded, noted or returned does not arrive."""
    match node:
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            yield node, "yield from ()"
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append" | "extend" | "add"))):
            yield node, "pass"
        case ast.AugAssign(op=ast.Add() | ast.BitOr()):
            yield node, "pass"
        case ast.Return(value=ast.expr() as value) if "Finding" in place.returns:
            empty = _empty(place.returns)
            if empty and ast.unparse(value) not in ("None", "[]", "()"):
                yield node, f"return {empty}"
        case _:
            pass


def _empty(returns: str) -> str:
    if returns.endswith("| None"):
        return "None"
    return "[]" if returns.startswith(("list[", "Sequence[", "Iterable[")) else ""


def _refusal_lost(node: ast.AST, _: _Place) -> Iterator[Change]:
    if isinstance(node, ast.Raise):
        yield node, "pass"


_BETTER = {
    "Verdict.REFUSED": "Verdict.PASSED",
    "Verdict.INCONCLUSIVE": "Verdict.PASSED",
    "Severity.ERROR": "Severity.NOTE",
}


def _verdict_made_better(node: ast.AST, _: _Place) -> Iterator[Change]:
    if isinstance(node, ast.Attribute) and (better := _BETTER.get(ast.unparse(node))):
        yield node, better


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip


def _condition_negated(node: ast.AST, place: _Place) -> Iterator[Change]:
    """A condition, or a yes or no that a function gives."""
    match node:
        case ast.If(test=test) | ast.IfExp(test=test):
            conditions = [test]
        case ast.comprehension(ifs=ifs):
            conditions = ifs
        case ast.Return(value=ast.expr() as value) if place.returns == "bool":
            conditions = [] if isinstance(value, ast.Constant) else [value]
        case _:
            conditions = []
    for condition in conditions:
        if isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not):
            yield condition, f"({ast.unparse(condition.operand)})"
        elif not _is_one_comparison(condition):
            yield condition, f"(not ({ast.unparse(condition)}))"


def _is_one_comparison(node: ast.expr) -> bool:
    """Whether its opposite is what the comparison's own operator makes of it."""
    return isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _OPPOSITE


def _comparison_changed(node: ast.AST, _: _Place) -> Iterator[Change]:
    if not isinstance(node, ast.Compare):
        return
    for number, old in enumerate(node.ops):
        if new := (_OPPOSITE | _BOUNDARY).get(type(old)):
            ops = [*node.ops[:number], new(), *node.ops[number + 1 :]]
            yield node, ast.unparse(ast.Compare(node.left, ops, node.comparators))


def _and_for_or(node: ast.AST, _: _Place) -> Iterator[Change]:
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield node, f"({ast.unparse(ast.BoolOp(other, node.values))})"


def _any_for_all(node: ast.AST, _: _Place) -> Iterator[Change]:
    match node:
        case ast.Call(func=ast.Name(id="any" | "all" as name) as called):
            yield called, "all" if name == "any" else "any"
        case _:
            pass


def _way_out_lost(node: ast.AST, place: _Place) -> Iterator[Change]:
    """What was left out is judged after all: a `continue`, or an early return of nothing, or of yes
    or no."""
    match node:
        case ast.Continue():
            yield node, "pass"
        case ast.Return(value=None | ast.Constant(value=None | bool())) if not isinstance(
            place.parent, ast.FunctionDef | ast.AsyncFunctionDef
        ):
            yield node, "pass"
        case _:
            pass


def _bound_moved(node: ast.AST, place: _Place) -> Iterator[Change]:
    """A number that something is compared with, or that a constant's name stands for."""
    named = isinstance(place.parent, ast.Assign) and place.function is None
    compared = isinstance(place.parent, ast.Compare)
    match node:
        case ast.Constant(value=int() | float() as value) if named or compared:
            if not isinstance(value, bool):
                yield node, repr(value + 1)
        case _:
            pass


OPERATORS: dict[str, Operator] = {
    "finding-lost": _finding_lost,
    "refusal-lost": _refusal_lost,
    "verdict-made-better": _verdict_made_better,
    "condition-negated": _condition_negated,
    "comparison-changed": _comparison_changed,
    "and-for-or": _and_for_or,
    "any-for-all": _any_for_all,
    "way-out-lost": _way_out_lost,
    "bound-moved": _bound_moved,
}
"""Every operator by its name."""
