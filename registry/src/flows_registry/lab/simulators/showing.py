"""Calls and values as text that a person reads: long ones are told by their size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import zip_longest
from typing import cast

from core_caps.contract.suite import Call, Result, Stream

__all__ = ["first_difference", "show_call", "show_value"]

_TEXT_MAX = 48
_ITEMS_MAX = 12
_HEAD = 12


def show_call(call: Call) -> str:
    """The call as one would write it; a `Result` is `r0.etag`."""
    arguments = [show_value(value) for value in call.args]
    arguments += [f"{name}={show_value(value)}" for name, value in call.kwargs.items()]
    return f"{call.operation}({', '.join(arguments)})"


def show_value(value: object) -> str:
    """The value's repr, with long texts, bytes and collections cut to their beginning and size."""
    match value:
        case str() | bytes():
            return _text(value)
        case Result():
            return f"r{value.step}.{value.attribute}"
        case Stream():
            return _stream(value)
        case Mapping():
            pairs = cast("Mapping[object, object]", value).items()
            return "{" + _items([f"{show_value(k)}: {show_value(v)}" for k, v in pairs]) + "}"
        case list() | tuple():
            shown = [show_value(item) for item in cast("Sequence[object]", value)]
            return f"[{_items(shown)}]" if isinstance(value, list) else f"({_items(shown)})"
        case _ if is_dataclass(value) and not isinstance(value, type):
            named = ((field.name, getattr(value, field.name)) for field in fields(value))
            told = [f"{name}={show_value(item)}" for name, item in named if item is not None]
            return f"{type(value).__name__}({', '.join(told)})"
        case _:
            return repr(value)


def first_difference(left: object, right: object, path: str = "") -> tuple[str, str, str] | None:
    """Where two JSON-shaped values part first: the path and both sides there, or None."""
    match left, right:
        case dict(), dict():
            pairs = _by_name(
                cast("dict[str, object]", left), cast("dict[str, object]", right), path
            )
        case list(), list():
            pairs = _by_place(cast("list[object]", left), cast("list[object]", right), path)
        case _:
            return None if left == right else (path, show_value(left), show_value(right))
    found = (first_difference(one, other, step) for step, one, other in pairs)
    return next((difference for difference in found if difference is not None), None)


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NOTHING = _Nothing()
_Pairs = Iterator[tuple[str, object, object]]


def _by_name(left: dict[str, object], right: dict[str, object], path: str) -> _Pairs:
    for name in sorted(left.keys() | right.keys()):
        step = f"{path}.{name}" if path else name
        yield step, left.get(name, _NOTHING), right.get(name, _NOTHING)


def _by_place(left: list[object], right: list[object], path: str) -> _Pairs:
    for at, (one, other) in enumerate(zip_longest(left, right, fillvalue=_NOTHING)):
        yield f"{path}[{at}]", one, other


def _text(value: str | bytes) -> str:
    if len(value) <= _TEXT_MAX:
        return repr(value)
    unit = "characters" if isinstance(value, str) else "bytes"
    return f"<{len(value)} {unit}: {value[:_HEAD]!r}…>"


def _stream(stream: Stream) -> str:
    if sum(map(len, stream.chunks)) <= _TEXT_MAX:
        inside = ", ".join(map(repr, stream.chunks))
    else:
        inside = f"<{len(stream.chunks)} chunks, {sum(map(len, stream.chunks))} bytes>"
    broken = "" if stream.breaks_after is None else f", breaks_after={stream.breaks_after}"
    return f"Stream({inside}{broken})"


def _items(shown: Sequence[str]) -> str:
    if len(shown) <= _ITEMS_MAX:
        return ", ".join(shown)
    return ", ".join(shown[:_ITEMS_MAX]) + f", … {len(shown)} in all"
