"""The schema of a key's fields: which names, of which types.

A type is written as Python writes it:

    str, int, float, bool, bytes, None      exactly that; an int does not pass for a float
    str | None                              one of several
    [str], list[str]                        a list (or tuple) of them
    {"zip": str}                            a map with exactly these names
    dict[str, int]                          a map with any names
    nullable({"zip": str})                  that, or None
    object                                  anything that has a canonical form
"""

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, cast

from core_caps.keys.cbor import DEPTH_MAX, Path, encode, spell, utf8

__all__ = ["KeySchema", "nullable"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """Exactly this Python type."""

    type: type

    def __str__(self) -> str:
        return _KINDS[self.type]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list or tuple, each item of one shape."""

    item: "Shape"

    def __str__(self) -> str:
        return f"list of {self.item}"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with any text keys, each value of one shape."""

    value: "Shape"

    def __str__(self) -> str:
        return f"map of {self.value}"


@dataclass(frozen=True, slots=True)
class Record:
    """A map with exactly these names (NFC), in the order of their encoded bytes."""

    fields: tuple[tuple[str, "Shape"], ...]

    def __str__(self) -> str:
        return f"map with {', '.join(name for name, _ in self.fields) or 'no fields'}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several shapes that differ in their Python type."""

    shapes: tuple["Shape", ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.shapes))


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever has a canonical form."""

    def __str__(self) -> str:
        return "anything"


Shape = Scalar | ListOf | MapOf | Record | OneOf | Anything

_KINDS: Mapping[type, str] = {
    type(None): "None",
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    bytes: "bytes",
}
_HOW = "use str, int, float, bool, bytes, None, T | None, [T], {'name': T}, dict[str, T] or object"


@dataclass(frozen=True, slots=True)
class _Nullable:
    of: object


def nullable(of: object) -> object:
    """The type `of`, or None: for the types that have no `|`, `nullable({"zip": str})`."""
    return _Nullable(of)


@dataclass(frozen=True, slots=True)
class KeySchema:
    """The names and types of a key's fields.

    Every field must be there: a field that may have no value is `T | None`, and leaving it out
    is another key than saying None.

    Args:
        fields: name → type, as the module describes.

    Raises:
        ValueError: something is no type of a key's field; the message names the place.
    """

    fields: Mapping[str, object] = field(compare=False)
    record: Record = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "record", _record(self.fields, None, 0))


def mismatch(shape: Shape, value: object, path: Path = None) -> str | None:
    """How a value that has a canonical form differs from a shape; None when it fits."""
    match shape:
        case Anything():
            return None
        case OneOf():
            for each in shape.shapes:
                if type(value) in types_of(each):
                    return mismatch(each, value, path)
        case ListOf() if type(value) in types_of(shape):
            items = cast("list[object]", value)
            return _first(mismatch(shape.item, item, (path, i)) for i, item in enumerate(items))
        case MapOf() if type(value) is dict:
            entries = cast("dict[str, object]", value).items()
            return _first(mismatch(shape.value, item, (path, name)) for name, item in entries)
        case Record() if type(value) is dict:
            return _record_mismatch(shape, cast("dict[str, object]", value), path)
        case Scalar() if type(value) is shape.type:
            return None
        case _:
            pass
    kind = _KINDS.get(type(value), "a list" if type(value) in (list, tuple) else "a map")
    return f"{spell(path)} is {kind}, and the key's schema says {shape}"


def types_of(shape: Shape) -> tuple[type, ...]:
    """The Python types a value of this shape can have."""
    match shape:
        case Scalar():
            return (shape.type,)
        case ListOf():
            return (list, tuple)
        case MapOf() | Record():
            return (dict,)
        case OneOf():
            return tuple(chain.from_iterable(map(types_of, shape.shapes)))
        case Anything():
            return (*_KINDS, list, tuple, dict)


def _record_mismatch(shape: Record, value: dict[str, object], path: Path) -> str | None:
    given = {utf8(name).decode(): item for name, item in value.items()}
    for name, inner in shape.fields:
        if name not in given:
            return f"{spell((path, name))} is missing, and the key's schema says {shape}"
        found = mismatch(inner, given.pop(name), (path, name))
        if found is not None:
            return found
    for name in given:
        return f"{spell((path, name))} is not in the key's schema, which says {shape}"
    return None


def _first(found: Iterator[str | None]) -> str | None:
    return next((each for each in found if each is not None), None)


def _shape(written: object, path: Path, depth: int) -> Shape:
    """The shape that a type, as a user writes it, means."""
    if written is None:
        return Scalar(type(None))
    if written is object:
        return Anything()
    if isinstance(written, type) and written in _KINDS:
        return Scalar(written)
    if isinstance(written, _Nullable):
        return _one_of((None, written.of), path, depth)
    if isinstance(written, Mapping):
        return _record(cast("Mapping[object, object]", written), path, depth)
    if isinstance(written, list) and len(items := cast("list[object]", written)) == 1:
        return _list_of(items[0], path, depth)
    return _generic(cast("object", written), path, depth)


def _generic(written: object, path: Path, depth: int) -> Shape:
    origin, arguments = typing.get_origin(written), typing.get_args(written)
    if origin is typing.Union or origin is types.UnionType:
        return _one_of(arguments, path, depth)
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return _list_of(arguments[0], path, depth)
    if origin is dict and arguments[0] is str:
        _check_depth(path, depth)
        return MapOf(_shape(arguments[1], (path, "*"), depth + 1))
    raise ValueError(f"{spell(path)}: {written!r} is no type of a key's field; {_HOW}")


def _list_of(written: object, path: Path, depth: int) -> ListOf:
    _check_depth(path, depth)
    return ListOf(_shape(written, (path, 0), depth + 1))


def _record(written: Mapping[Any, object], path: Path, depth: int) -> Record:
    _check_depth(path, depth)
    fields: dict[bytes, tuple[str, Shape]] = {}
    for name, inner in written.items():
        if type(name) is not str:
            raise ValueError(f"{spell(path)}: the field name {name!r} is not text")
        encoded = encode(name)  # a lone surrogate is refused here, and NoCanonicalForm says so
        if encoded in fields:
            raise ValueError(f"{spell(path)}: the field {name!r} is there twice after NFC")
        fields[encoded] = (utf8(name).decode(), _shape(inner, (path, name), depth + 1))
    return Record(tuple(fields[encoded] for encoded in sorted(fields)))


def _one_of(written: tuple[object, ...], path: Path, depth: int) -> Shape:
    shapes: dict[Shape, None] = {}
    for each in written:
        shape = _shape(each, path, depth)
        shapes |= dict.fromkeys(shape.shapes if isinstance(shape, OneOf) else (shape,))
    if Anything() in shapes:
        return Anything()
    kinds = [kind for shape in shapes for kind in types_of(shape)]
    if len(set(kinds)) < len(kinds):
        spelled = " | ".join(map(str, shapes))
        raise ValueError(f"{spell(path)}: {spelled} cannot be told apart by their Python types")
    return OneOf(tuple(shapes)) if len(shapes) > 1 else next(iter(shapes))


def _check_depth(path: Path, depth: int) -> None:
    if depth >= DEPTH_MAX:
        raise ValueError(f"{spell(path)}: lists and maps stand more than {DEPTH_MAX} deep")
