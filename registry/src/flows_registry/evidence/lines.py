"""The lines of a case's timeline in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from flows_registry.evidence.words import cut

__all__ = ["SERVICE", "TEXT_MAX", "in_words", "is_applied", "lane_of", "seconds_of"]

SERVICE = 0
"""The lane of the service; those of the clients count from 1."""

TEXT_MAX = 96
"""So many letters fit in a line."""

_TARGET_MIN = 12


def lane_of(line: Mapping[str, Any]) -> int:
    """Whose line it is."""
    lane = line.get("lane")
    return lane if isinstance(lane, int) else 1


def seconds_of(line: Mapping[str, Any]) -> float:
    """When it happened, in the case's time."""
    at = line.get("at_seconds")
    return float(at) if isinstance(at, int | float) else 0.0


def in_words(line: Mapping[str, Any], size: int = TEXT_MAX) -> str:
    """What happened, no longer than `size`; a request is known by the end of its address."""
    text = " ".join(cut(str(line.get("text", "")), 1000).split())
    if line.get("kind") == "end":
        text = f"{_ending(line)} {text}"
    if line.get("kind") == "perfect":
        text = f"✓ a perfect service: {text}"
    if line.get("kind") == "request":
        text = _request(line, text, size)
    return text if len(text) <= size else f"{text[: size - 1]}…"


def _ending(line: Mapping[str, Any]) -> str:
    """What stands before an answer: nobody explains it, or it was lost."""
    return "✗" if line.get("riddle") else "⚡" if line.get("lost") else "⇒"


def _request(line: Mapping[str, Any], text: str, size: int) -> str:
    """A request and its answer; an address gives way at its beginning, its end tells the most."""
    method, _, target = text.partition(" ")
    before = f"⚡{line['fault']}: {method}" if line.get("fault") else method
    after = " ".join(("→", _answer(line.get("status")), *_deed(line)))
    room = max(_TARGET_MIN, size - len(before) - len(after) - 2)
    shown = target if len(target) <= room else f"…{target[1 - room :]}"
    return f"{before} {shown} {after}"


def _answer(status: object) -> str:
    return "no answer" if status is None else str(status)


def _deed(line: Mapping[str, Any]) -> Iterator[str]:
    if line.get("changed"):
        yield "· changed the state"
    elif is_applied(line):
        yield "· applied all the same"


def is_applied(line: Mapping[str, Any]) -> bool:
    """Whether a write was applied although its answer told otherwise, or was none."""
    reads = str(line.get("text", "")).startswith(("GET ", "HEAD "))
    return bool(line.get("changed") or (line.get("committed") and line.get("fault") and not reads))
