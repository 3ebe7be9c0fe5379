"""How much of a backend's own source its cases have run: the measure of what was seen.

What never ran was never watched; of that the source alone speaks. The plugin's modules are
compiled here as the interpreter of their environment, which is the same, has compiled them.
"""

import ast
import dis
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import CodeType
from typing import Any

from flows_registry.lab.agent.branches import conditions
from flows_registry.lab.ran import Branch, Function, Ran

__all__ = ["Coverage", "coverage"]

_OPTIMIZED = 0x1
"""The flag of a function's code: neither a module's nor a class's."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What ran of what is there.

    Attributes:
        lines: (file, line) of all lines in functions.
        branches: all of their branches.
        inside: the function that each line belongs to, the innermost.
        ran: what ran.
    """

    lines: frozenset[tuple[str, int]]
    branches: frozenset[Branch]
    inside: Mapping[tuple[str, int], Function]
    ran: Ran

    @property
    def unreached(self) -> list[str]:
        """What never ran, as `cap_x/remote.py:30-34 in _read`, a whole function as one."""
        return [_told(file, lines, self._name(file, lines)) for file, lines in self._gaps()]

    def within(self, names: Collection[str]) -> list[str]:
        """What never ran of the functions of these names."""
        return [
            _told(file, lines, name)
            for file, lines in self._gaps()
            if (name := self._name(file, lines)) in names
        ]

    def as_json(self) -> Mapping[str, Any]:
        """The published shape: how many, of how many, and what never ran."""
        return {
            "lines": [len(self.lines & self.ran.lines), len(self.lines)],
            "branches": [len(self.branches & self.ran.branches), len(self.branches)],
            "unreached": self.unreached,
        }

    def _name(self, file: str, lines: Sequence[int]) -> str:
        return self.inside[file, lines[0]].name

    def _gaps(self) -> Iterator[tuple[str, list[int]]]:
        """Lines that never ran and have none between them that did, by function."""
        numbers = {line: number for number, line in enumerate(sorted(self.lines))}
        missing = sorted(self.lines - self.ran.lines)

        def place(item: tuple[int, tuple[str, int]]) -> tuple[Function, int]:
            return self.inside[item[1]], numbers[item[1]] - item[0]

        for _, group in groupby(enumerate(missing), place):
            found = [line for _, line in group]
            yield found[0][0], [line for _, line in found]


def coverage(sources: Path, ran: Ran) -> Coverage:
    """What ran of all functions in the files that were imported.

    Args:
        sources: the wheel's content, unpacked.
        ran: what ran, in all cases together.
    """
    lines: set[tuple[str, int]] = set()
    branches: set[Branch] = set()
    inside: dict[tuple[str, int], Function] = {}
    for file in sorted(ran.files):
        path = sources / file
        if not path.is_file():
            continue
        text = path.read_bytes()
        gone = _at_import(ast.parse(text))
        for code in _functions(compile(text, file, "exec", dont_inherit=True)):
            function = Function(file, code.co_firstlineno, code.co_name)
            if code.co_name in gone and function not in ran.functions:
                continue
            own = {(file, line) for line in _lines(code)}
            lines |= own
            inside |= dict.fromkeys(own, function)
            branches |= {
                (function, at, jumped) for at in _branching(code) for jumped in (False, True)
            }
    return Coverage(frozenset(lines), frozenset(branches), inside, ran)


def _functions(code: CodeType) -> Iterator[CodeType]:
    """A module's functions, what is defined in others after these."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & _OPTIMIZED:
                yield constant
            yield from _functions(constant)


def _lines(code: CodeType) -> set[int]:
    """The lines that are executed where the function is called; its first only announces it."""
    found = {line for _, _, line in code.co_lines() if line is not None}
    announced = {
        one.positions.lineno
        for one in dis.get_instructions(code)
        if one.opname == "RESUME" and one.arg == 0 and one.positions
    }
    return found - announced - {code.co_firstlineno} or found


def _branching(code: CodeType) -> set[int]:
    """Where the author wrote a condition: not what `with` and `assert` bring of their own."""
    found: set[int] = set()
    leaving = False
    instructions = list(dis.get_instructions(code))
    jumps = {own for own, _ in conditions(code).values()}
    for one, following in zip(instructions, [*instructions[1:], None], strict=True):
        leaving = leaving or one.opname == "WITH_EXCEPT_START"
        if one.offset in jumps:
            asserts = following is not None and following.opname == "LOAD_ASSERTION_ERROR"
            if not leaving and not asserts:
                found.add(one.offset)
            leaving = False
    return found


def _at_import(tree: ast.Module) -> set[str]:
    """The functions that are called while their module is imported: that was before any case."""
    return {
        name.id
        for node in _outside_functions(tree.body)
        for name in ([node.func] if isinstance(node, ast.Call) else [])
        if isinstance(name, ast.Name)
    }


def _outside_functions(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _outside_functions([*node.decorator_list, *node.args.defaults])
        elif not isinstance(node, ast.Lambda):
            yield node
            yield from _outside_functions(ast.iter_child_nodes(node))


def _told(file: str, lines: Sequence[int], name: str) -> str:
    span = f"{lines[0]}-{lines[-1]}" if len(lines) > 1 else f"{lines[0]}"
    return f"{file}:{span} in {name}"
