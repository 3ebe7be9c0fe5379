"""HTML from values: every text is escaped, cut to a bounded size and freed of what would turn its
direction around, unless this module made it."""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from flows_registry.evidence.words import cut

__all__ = ["Child", "Markup", "join", "page_text", "tag"]

_VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "wbr"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"
"""What may stand in an element: text, markup, nothing, or several of them."""


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """An element. An attribute's last underscore is dropped and its others are hyphens; None and
    False leave it away, True gives it without a value."""
    told = "".join(
        _attribute(key, value) for key, value in attributes.items() if value not in (None, False)
    )
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Several children, one after the other."""
    return Markup("".join(map(_escaped, children)))


def page_text(content: str) -> Markup:
    """What stands in this program's own files: it is not escaped."""
    return Markup(content)


def _escaped(child: Child) -> str:
    match child:
        case None:
            return ""
        case Markup():
            return child
        case str():
            return escape(cut(child))
        case int():
            return str(child)
        case _:
            return join(*child)


def _attribute(key: str, value: str | float | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    shown = value if isinstance(value, Markup) else escape(cut(str(value)))
    return f' {name}="{shown}"'
