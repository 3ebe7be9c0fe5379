"""Calls and values as text that a person reads: long ones are told by their size."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import cast

from core_caps.contract.suite import Call, Result, Stream

__all__ = ["show_call", "show_value"]

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
