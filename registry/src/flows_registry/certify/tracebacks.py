"""A traceback as whoever wrote the plugin needs it: its own lines, and one of ours at most."""

import re
from collections.abc import Sequence
from pathlib import PurePath

__all__ = ["plugins_own"]

_FRAME = re.compile(r'  File "(?P<path>.+)", line \d+')
_SOURCE = "    "
_BEFORE_THE_PACKAGE = re.compile(r'(?<=File ").*/(?:site-packages/|(?=flows_registry/))')
_OURS = {"flows_registry", "core_caps"}


def plugins_own(text: str) -> str:
    """The text without the interpreter's frames of importing, and without ours but for the last:
    that one shows what we were about. Paths begin at their package."""
    blocks = _blocks(text.splitlines())
    last = max((at for at, block in enumerate(blocks) if _is_ours(_path(block))), default=-1)
    shown: list[str] = []
    for at, block in enumerate(blocks):
        if at == last:
            shown += block[:1]
        elif not (_is_ours(_path(block)) or _is_importing(_path(block))):
            shown += block
    return "\n".join(_BEFORE_THE_PACKAGE.sub("", line) for line in shown)


def _blocks(lines: Sequence[str]) -> list[list[str]]:
    """Each frame with its source; any other line by itself."""
    blocks: list[list[str]] = []
    for line in lines:
        if blocks and line.startswith(_SOURCE) and _path(blocks[-1]):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def _path(block: Sequence[str]) -> str:
    """The file of a frame; of any other line nothing."""
    frame = _FRAME.match(block[0])
    return frame["path"] if frame else ""


def _is_ours(path: str) -> bool:
    return not _OURS.isdisjoint(PurePath(path).parts)


def _is_importing(path: str) -> bool:
    return path.startswith("<frozen importlib") or path.endswith("/importlib/__init__.py")
