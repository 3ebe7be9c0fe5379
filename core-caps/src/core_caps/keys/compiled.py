"""The fast path: one function per schema, generated once, that writes a key's bytes directly.

The names, their order and every head that the schema fixes become constants; what remains per call
is a type check and the value's own bytes. The function knows only the ordinary case. Whatever it
does not expect it hands to the slow path, which gives the same bytes or the reason why not.
"""

import struct
from collections.abc import Callable, Mapping, Sequence

from core_caps.errors import KeyFieldMismatch
from core_caps.keys import cbor
from core_caps.keys.blake3 import digest
from core_caps.keys.idempotency import IdempotencyKey, idempotency_key, key_prefix
from core_caps.keys.schema import (
    Anything,
    KeySchema,
    ListOf,
    MapOf,
    OneOf,
    Record,
    Scalar,
    Shape,
    mismatch,
    types_of,
)

__all__ = ["KeyFunction", "compile_key"]

KeyFunction = Callable[[str, Mapping[str, object]], IdempotencyKey]
"""`(partition, fields) -> key`."""

_BLOCKS_MAX = 12
"""Python refuses more than 20 blocks in one another: what lies deeper is written by a call."""

# The fast path never holds much more than one ordinary key, however often a list names the same
# long text; a value beyond these is left to the slow path, which counts every byte.
_ITEMS_MAX = 4096
_PARTS_MAX = 16_384
_TEXT_BYTES_MAX = 4096
_FRAGMENT_BYTES_MAX = 16_384

_TABLE = 256
_HEAD_16, _HEAD_32 = struct.Struct(">BH").pack, struct.Struct(">BI").pack
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
_ESCAPE = "return slow(partition, fields)"

Piece = bytes | str
"""A part of the output: bytes known now, or the source of an expression that gives them."""


def compile_key(flow: str, node: str, schema: KeySchema) -> KeyFunction:
    """Generate the function that makes the keys of one node.

    It gives the same bytes as `idempotency_key`, several times as fast. Compile once, when the
    flow is loaded: compiling takes about a millisecond.

    Returns:
        `(partition, fields) -> IdempotencyKey`. It raises NoCanonicalForm (IDEM025) for a value
        without a canonical form, and KeyFieldMismatch (IDEM026) for one that the schema does not
        allow: 1, 1.0 and "1" would silently make three keys of one piece of work.

    Raises:
        NoCanonicalForm: the flow or node is not text (IDEM025).
    """

    def slow(partition: str, fields: Mapping[str, object]) -> IdempotencyKey:
        key = idempotency_key(flow, node, partition, fields)
        found = mismatch(schema.record, fields)
        if found is not None:
            raise KeyFieldMismatch(
                found, hint="convert the field before the key is made, or correct the schema"
            )
        return key

    source = _Source()
    partition_pieces = source.write(Scalar(str), "partition", 0)
    field_pieces = source.write(schema.record, "fields", 0)
    pieces = [*key_prefix(flow, node), *partition_pieces, b"\x61x", *field_pieces]
    names = {**_RUNTIME, **source.constants, "slow": slow}
    text = source.function(pieces)
    # The text holds our own templates, numbers and repr() of bytes and names, nothing else.
    exec(compile(text, f"<key of {flow!a}/{node!a}>", "exec"), names)  # noqa: S102
    made: KeyFunction = names["key"]  # pyright: ignore[reportAssignmentType]
    made.__doc__ = f"The idempotency key of node {node!a} in flow {flow!a}."
    return made


class _Source:
    """The body of one generated function, written statement by statement."""

    def __init__(self) -> None:
        self.constants: dict[str, object] = {}
        self._lines: list[str] = []
        self._indent = 2
        self._names = 0

    def function(self, pieces: Sequence[Piece]) -> str:
        return "\n".join(
            (
                "def key(partition, fields):",
                "    try:",
                *self._lines,
                f"        data = join(({_spelled(pieces)}))",
                f"        if len(data) <= {cbor.SIZE_BYTES_MAX}:",
                "            return Key(digest(data))",
                "    except (KeyError, ValueError):",
                "        pass",
                f"    {_ESCAPE}",
            )
        )

    def write(self, shape: Shape, value: str, depth: int) -> list[Piece]:
        """Statements that check `value`, and the pieces that encode it."""
        if self._indent > _BLOCKS_MAX or isinstance(shape, Anything):
            return self._call(shape, value, depth)
        match shape:
            case Scalar():
                return self._scalar(shape.type, value)
            case Record():
                return self._record(shape, value, depth)
            case ListOf():
                return self._list(shape, value, depth)
            case MapOf():
                return self._map(shape, value, depth)
            case OneOf():
                return self._one_of(shape, value, depth)

    def _scalar(self, kind: type, value: str, *, checked: bool = False) -> list[Piece]:
        if not checked:
            self._unless(_is_of(value, kind))
        if kind is type(None):
            return [b"\xf6"]
        if kind is bool:
            return [rf"b'\xf5' if {value} else b'\xf4'"]
        if kind is int:
            return [f"INTEGER[{value}] if 0 <= {value} < {_TABLE} else word({value})"]
        if kind is float:
            return [f"floating({value})"]
        if kind is bytes:
            return self._sized("BYTES", _BYTES, value)
        data = self._name("text")
        self._say(f"{data} = {value}.encode() if {value}.isascii() else utf8({value})")
        return self._sized("TEXT", _TEXT, data)

    def _sized(self, table: str, major: int, data: str) -> list[Piece]:
        size = self._name("size")
        self._say(f"{size} = len({data})")
        return [f"{table}[{size}] if {size} < {_TABLE} else sized({major}, {size})", data]

    def _record(self, shape: Record, value: str, depth: int) -> list[Piece]:
        self._unless(f"type({value}) is dict and len({value}) == {len(shape.fields)}")
        pieces: list[Piece] = [cbor.head(_MAP, len(shape.fields))]
        for name, inner in shape.fields:
            item = self._name("item")
            self._say(f"{item} = {value}[{name!a}]")
            pieces += [cbor.encode(name), *self.write(inner, item, depth + 1)]
        return pieces

    def _list(self, shape: ListOf, value: str, depth: int) -> list[Piece]:
        self._unless(f"type({value}) is list or type({value}) is tuple")
        self._unless(f"len({value}) <= {_ITEMS_MAX}")
        parts, item = self._name("parts"), self._name("item")
        self._say(f"{parts} = [head({_ARRAY}, len({value}))]")
        self._say(f"for {item} in {value}:")
        self._indent += 1
        pieces = self.write(shape.item, item, depth + 1)
        self._say(f"{parts} += ({_spelled(pieces)})")
        if any(isinstance(piece, str) and piece.startswith("*") for piece in pieces):
            self._unless(f"len({parts}) <= {_PARTS_MAX}")
        self._indent -= 1
        return [f"*{parts}"]

    def _map(self, shape: MapOf, value: str, depth: int) -> list[Piece]:
        self._unless(f"type({value}) is dict and len({value}) <= {_ITEMS_MAX}")
        parts, name, item = self._name("parts"), self._name("name"), self._name("item")
        self._say(f"{parts} = {{}}")
        self._say(f"for {name}, {item} in {value}.items():")
        self._indent += 1
        key = self._scalar(str, name)
        pieces = self.write(shape.value, item, depth + 1)
        self._say(f"{parts}[join(({_spelled(key)}))] = join(({_spelled(pieces)}))")
        self._indent -= 1
        self._unless(f"len({parts}) == len({value})")  # two keys may have become one
        entry = self._name("entry")
        flat = f"*[part for {entry} in sorted({parts}.items()) for part in {entry}]"
        return [f"head({_MAP}, len({value}))", flat]

    def _one_of(self, shape: OneOf, value: str, depth: int) -> list[Piece]:
        data = self._name("data")
        for index, each in enumerate(shape.shapes):
            kinds = " or ".join(_is_of(value, kind) for kind in types_of(each))
            self._say(f"{'elif' if index else 'if'} {kinds}:")
            self._indent += 1
            if isinstance(each, Scalar):
                pieces = self._scalar(each.type, value, checked=True)
            else:
                pieces = self.write(each, value, depth)
            self._say(f"{data} = join(({_spelled(pieces)}))")
            self._indent -= 1
        self._say("else:")
        self._say(f"    {_ESCAPE}")
        return [data]

    def _call(self, shape: Shape, value: str, depth: int) -> list[Piece]:
        data = self._name("data")
        # First its bytes: only what has a canonical form can be compared with a shape.
        self._say(f"{data} = fragment({value}, {depth})")
        if not isinstance(shape, Anything):
            constant = self._name("SHAPE")
            self.constants[constant] = shape
            self._unless(f"mismatch({constant}, {value}) is None")
        return [data]

    def _unless(self, condition: str) -> None:
        self._say(f"if not ({condition}): {_ESCAPE}")

    def _say(self, line: str) -> None:
        self._lines.append("    " * self._indent + line)

    def _name(self, what: str) -> str:
        self._names += 1
        return f"{what}{self._names}"


def _word(value: int) -> bytes:
    """An integer of 64 bits that is not in the table, so at least 256 or negative."""
    if value < 0:
        if ~value >> 64 == 0:
            return cbor.head(_NEGATIVE, ~value)
    elif value < 1 << 32:
        return _HEAD_16(0x19, value) if value < 1 << 16 else _HEAD_32(0x1A, value)
    elif value < 1 << 64:
        return cbor.head(_UNSIGNED, value)
    raise ValueError("a bignum is left to the slow path")


def _sized_head(major: int, size: int) -> bytes:
    if size > _TEXT_BYTES_MAX:
        raise ValueError("a long text is left to the slow path")
    return cbor.head(major, size)


def _fragment(value: object, depth: int) -> bytes:
    return cbor.fragment(value, depth, size_bytes_max=_FRAGMENT_BYTES_MAX)


def _is_of(value: str, kind: type) -> str:
    """The source of an exact type check."""
    return f"{value} is None" if kind is type(None) else f"type({value}) is {kind.__name__}"


def _spelled(pieces: Sequence[Piece]) -> str:
    """The pieces as the inside of a tuple; neighbours that are known now become one constant."""
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, bytes) and merged and isinstance(merged[-1], bytes):
            merged[-1] += piece
        else:
            merged.append(piece)
    return "".join(f"{piece!r}, " if isinstance(piece, bytes) else f"{piece}, " for piece in merged)


_RUNTIME: Mapping[str, object] = {
    "digest": digest,
    "Key": IdempotencyKey,
    "join": b"".join,
    "head": cbor.head,
    "sized": _sized_head,
    "word": _word,
    "floating": cbor.floating,
    "utf8": cbor.utf8,
    "fragment": _fragment,
    "mismatch": mismatch,
    "INTEGER": [cbor.integer(n) for n in range(_TABLE)],
    "TEXT": [cbor.head(_TEXT, n) for n in range(_TABLE)],
    "BYTES": [cbor.head(_BYTES, n) for n in range(_TABLE)],
}
"""The names that generated functions use."""
