"""Which lines and branches of a plugin's own functions run in a case.

The interpreter tells before each instruction of these functions, in every thread, and of all
others only that they are called. A branch is a jump under a condition: it was taken, or not.
"""

import dis
import os
import sys
import threading
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any

__all__ = ["Branches", "conditions"]

_Step = Any
"""What `sys.settrace` takes and gives; its type refers to itself."""

_CONDITIONAL = frozenset(
    code
    for name, code in dis.opmap.items()
    if name.startswith(("POP_JUMP", "JUMP_IF_")) or name == "FOR_ITER"
)
_EXTENDED, _CACHE = dis.opmap["EXTENDED_ARG"], dis.opmap["CACHE"]


def conditions(code: CodeType) -> dict[int, tuple[int, int]]:
    """Where a function jumps under a condition: of each instruction, and of what only widens its
    argument, the instruction's own offset and that of the next one."""
    found: dict[int, tuple[int, int]] = {}
    text, widening = code.co_code, list[int]()
    for at in range(0, len(text), 2):
        if text[at] == _EXTENDED:
            widening.append(at)
            continue
        if text[at] in _CONDITIONAL:
            after = at + 2
            while after < len(text) and text[after] == _CACHE:
                after += 2
            found |= dict.fromkeys([*widening, at], (at, after))
        widening = []
    return found


class _Ran:
    """What has run of one function."""

    def __init__(self, jumps: dict[int, tuple[int, int]]) -> None:
        self.jumps = jumps
        self.offsets: set[int] = set()
        self.branches: set[tuple[int, bool]] = set()


class Branches:
    """Looks at the functions of these packages."""

    def __init__(self, packages: Iterable[str]) -> None:
        self._packages = frozenset(packages)
        self._ran: dict[CodeType, _Ran] = {}
        self._own: dict[str, str] = {}

    def follow(self) -> None:
        """Begin anew: be told of what this thread calls from now on, and every thread that is yet
        to start."""
        self._ran = {}
        self._own = dict(self._files())
        # Without this CPython 3.12 tells of no instruction at all.
        sys._getframe().f_trace_opcodes = True  # pyright: ignore[reportPrivateUsage]
        threading.settrace(self._entered)
        sys.settrace(self._entered)

    def end(self) -> dict[str, Any]:
        """What ran: the plugin's `files`, and of each function that was entered its file, first
        line and name, its lines, and its branches as (offset, jumped)."""
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        self._own |= dict(self._files())
        return {
            "files": sorted(self._own.values()),
            "functions": [
                [
                    self._own[code.co_filename],
                    code.co_firstlineno,
                    code.co_name,
                    sorted(_lines(code, ran.offsets)),
                    sorted(ran.branches),
                ]
                for code, ran in self._ran.items()
                if code.co_filename in self._own
            ],
        }

    def _files(self) -> Iterable[tuple[str, str]]:
        """The plugin's own files, and what they are called from where the package lies."""
        for name, module in list(sys.modules.items()):
            package = name.partition(".")[0]
            file = getattr(module, "__file__", None)
            if package in self._packages and file and file.endswith(".py"):
                above = os.path.dirname(file)  # noqa: PTH120 (as the import system has it)
                for _ in range(name.count(".") + file.endswith("/__init__.py")):
                    above = os.path.dirname(above)  # noqa: PTH120
                yield file, os.path.relpath(file, above)

    def _entered(self, frame: FrameType, event: str, argument: Any) -> _Step:
        code = frame.f_code
        if code.co_filename not in self._own:
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        ran = self._ran.get(code)
        if ran is None:
            ran = self._ran[code] = _Ran(conditions(code))
        jump: tuple[int, int] | None = None

        def step(frame: FrameType, event: str, argument: Any) -> _Step:
            nonlocal jump
            if event == "opcode":
                at = frame.f_lasti
                ran.offsets.add(at)
                following = ran.jumps.get(at)
                if jump is not None and jump != following:
                    ran.branches.add((jump[0], at != jump[1]))
                jump = following
            elif event == "exception":
                jump = None  # it went neither way
            return step

        return step


def _lines(code: CodeType, offsets: set[int]) -> set[int]:
    return {
        line
        for start, end, line in code.co_lines()
        if line is not None and any(at in offsets for at in range(start, end, 2))
    }
