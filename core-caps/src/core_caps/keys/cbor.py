"""Canonical CBOR: one value, one sequence of bytes, or a refusal that names the place.

The rules are the core deterministic encoding of RFC 8949, section 4.2.1, plus NFC for all text:

    None, bool      f6, f4, f5; True is not 1
    int             the shortest head; beyond 64 bits a bignum, tag 2 or 3
    float           the shortest of half, single and double that keeps every bit; 1.0 stays a
                    float and differs from 1, -0.0 differs from 0.0
    str             NFC, then UTF-8
    bytes           as they are
    list, tuple     an array
    dict            text keys only, each NFC, ordered by their encoded bytes

Types are matched exactly. A subclass (an Enum member, a numpy float, a named tuple) says more than
its base does, and whether that belongs into the bytes is for the caller to decide; so does a
dataclass, whose field names would become part of the format without anybody having meant it.

Source: https://www.rfc-editor.org/rfc/rfc8949.html#section-4.2.1
"""

import dataclasses
import datetime as dt
import decimal
import enum
import itertools
import math
import struct
import unicodedata
from collections.abc import Mapping, Sequence, Set
from typing import cast
from uuid import UUID

from core_caps.errors import NoCanonicalForm

__all__ = ["DEPTH_MAX", "SIZE_BYTES_MAX", "encode"]

DEPTH_MAX = 64
"""How deep lists and maps may stand in one another; also ends a value that contains itself."""

SIZE_BYTES_MAX = 1_048_576
"""How long an encoding may become unless the caller says otherwise."""

Path = tuple["Path", str | int] | None
"""Where a value stands: its parent's path and its own key or index; None is the root."""

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = range(7)
_FALSE, _TRUE, _NULL = b"\xf4", b"\xf5", b"\xf6"
_HALF, _SINGLE, _DOUBLE = struct.Struct(">Be"), struct.Struct(">Bf"), struct.Struct(">Bd")
_HEAD_8, _HEAD_16 = struct.Struct(">BB").pack, struct.Struct(">BH").pack
_HEAD_32, _HEAD_64 = struct.Struct(">BI").pack, struct.Struct(">BQ").pack


def encode(value: object, *, size_bytes_max: int = SIZE_BYTES_MAX) -> bytes:
    """The canonical CBOR of `value`.

    Args:
        size_bytes_max: the longest encoding allowed.

    Raises:
        NoCanonicalForm: the value, or one inside it, has no single encoding, or the whole is too
            deep or too long; the message names the place, `$.items[3].price` (IDEM025).
    """
    return fragment(value, 0, size_bytes_max=size_bytes_max)


def fragment(value: object, depth: int, *, size_bytes_max: int) -> bytes:
    """The canonical CBOR of a value that stands inside `depth` lists and maps.

    Raises:
        NoCanonicalForm: as `encode`; its path starts at this value (IDEM025).
    """
    writer = _Writer(size_bytes_max)
    writer.value(value, None, depth)
    return b"".join(writer.pieces)


def head(major: int, argument: int) -> bytes:
    """The initial byte of a major type with the shortest form of its 64-bit argument."""
    if argument < 24:
        return bytes((major << 5 | argument,))
    if argument < 1 << 8:
        return _HEAD_8(major << 5 | 24, argument)
    if argument < 1 << 16:
        return _HEAD_16(major << 5 | 25, argument)
    if argument < 1 << 32:
        return _HEAD_32(major << 5 | 26, argument)
    return _HEAD_64(major << 5 | 27, argument)


def integer(value: int) -> bytes:
    """An integer of any size, shortest form."""
    major, argument = (_UNSIGNED, value) if value >= 0 else (_NEGATIVE, ~value)
    if argument < 1 << 64:
        return head(major, argument)
    digits = argument.to_bytes((argument.bit_length() + 7) // 8, "big")
    return head(_TAG, 2 + major) + head(_BYTES, len(digits)) + digits


def floating(value: float) -> bytes:
    """A finite float, in the shortest of the three formats that holds it exactly.

    Raises:
        ValueError: it is NaN or infinite.
    """
    double = _DOUBLE.pack(0xFB, value)
    # A single leaves the last 29 bits of a double zero and a half the last 42, so most doubles
    # show themselves by a byte.
    if double[8] and value == value:
        return double
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    for shorter, first in ((_HALF, 0xF9), (_SINGLE, 0xFA)):
        if shorter is _HALF and double[4:] != b"\0\0\0\0\0":
            continue
        try:
            encoded = shorter.pack(first, value)
        except OverflowError:
            continue
        if shorter.unpack(encoded)[1] == value:
            return encoded
    return double


def utf8(text: str) -> bytes:
    """NFC, then UTF-8, without a head.

    Raises:
        UnicodeEncodeError: the text holds a lone surrogate.
    """
    return text.encode() if text.isascii() else unicodedata.normalize("NFC", text).encode()


def spell(path: Path) -> str:
    """A path for people: `$.items[3].price`, `$["two words"]`."""
    steps: list[str] = []
    while path is not None:
        path, step = path
        if isinstance(step, int):
            steps.append(f"[{step}]")
        else:
            steps.append(f".{step}" if step.isidentifier() else f"[{_brief(step)}]")
    return "$" + "".join(reversed(steps))


def _brief(text: str) -> str:
    return ascii(text if len(text) <= 40 else f"{text[:40]}…")


class _Writer:
    """The pieces written so far and how many bytes may still come."""

    def __init__(self, size_bytes_max: int) -> None:
        self.pieces: list[bytes] = []
        self._size_bytes_max = self._room = size_bytes_max

    def value(self, value: object, path: Path, depth: int) -> None:
        if type(value) is str:
            self.text(value, path)
        elif type(value) is int:
            self.integer(value, path)
        elif value is None or value is True or value is False:
            self.put(_NULL if value is None else _TRUE if value else _FALSE, path)
        elif type(value) is float:
            self.floating(value, path)
        elif type(value) is bytes:
            self.put(head(_BYTES, len(value)), path)
            self.put(value, path)
        elif type(value) is dict:
            self.map(cast("dict[object, object]", value), path, depth)
        elif type(value) is list or type(value) is tuple:
            self.array(cast("Sequence[object]", value), path, depth)
        else:
            kind = f"{type(value).__module__}.{type(value).__qualname__}"
            raise _refused(
                path,
                f"a value of type {kind.removeprefix('builtins.')} has no canonical form",
                _advice(value),
            )

    def put(self, piece: bytes, path: Path) -> None:
        self._ask(len(piece), path)
        self._room -= len(piece)
        self.pieces.append(piece)

    def _ask(self, size_bytes: int, path: Path) -> None:
        if size_bytes > self._room:
            raise _refused(
                path,
                f"here the encoding grows beyond {self._size_bytes_max} bytes",
                "use the digest of what is large, or fewer fields",
            )

    def integer(self, value: int, path: Path) -> None:
        # Asked first, so that the digits of an enormous one are never made.
        self._ask(value.bit_length() // 8, path)
        self.put(integer(value), path)

    def floating(self, value: float, path: Path) -> None:
        if not math.isfinite(value):
            raise _refused(
                path,
                f"{value} has no canonical form",
                "a computation went wrong before the key; use None where a number is absent",
            )
        self.put(floating(value), path)

    def text(self, value: str, path: Path) -> None:
        data = _utf8_at(value, path, "the text")
        self.put(head(_TEXT, len(data)), path)
        self.put(data, path)

    def array(self, value: Sequence[object], path: Path, depth: int) -> None:
        _check_depth(path, depth)
        self.put(head(_ARRAY, len(value)), path)
        for index, item in enumerate(value):
            self.value(item, (path, index), depth + 1)

    def map(self, value: dict[object, object], path: Path, depth: int) -> None:
        _check_depth(path, depth)
        self.put(head(_MAP, len(value)), path)
        entries = sorted(
            ((_key(key, path), cast("str", key), item) for key, item in value.items()),
            key=lambda entry: entry[0],
        )
        for before, after in itertools.pairwise(entries):
            if before[0] == after[0]:
                raise _refused(
                    path,
                    f"the keys {_brief(before[1])} and {_brief(after[1])} are one key after NFC",
                    "normalise keys to NFC where they enter the program",
                )
        for encoded, key, item in entries:
            here = (path, key)
            self.put(encoded, here)
            self.value(item, here, depth + 1)


def _key(key: object, path: Path) -> bytes:
    if type(key) is not str:
        raise _refused(
            path,
            f"a map key is of type {type(key).__name__}, not text",
            "map keys are plain text; str(key) makes one",
        )
    data = _utf8_at(key, path, f"the key {_brief(key)}")
    return head(_TEXT, len(data)) + data


def _utf8_at(text: str, path: Path, what: str) -> bytes:
    try:
        return utf8(text)
    except UnicodeEncodeError as error:
        surrogate = ascii(error.object[error.start])
        raise _refused(
            path,
            f"{what} holds the lone surrogate {surrogate}, which UTF-8 cannot say",
            "it was probably decoded with errors='surrogateescape'; pass the bytes themselves",
        ) from None


def _check_depth(path: Path, depth: int) -> None:
    if depth >= DEPTH_MAX:
        raise _refused(
            path,
            f"lists and maps stand more than {DEPTH_MAX} deep",
            "the value may contain itself; a key needs only the fields that identify the work",
        )


def _refused(path: Path, what: str, advice: str) -> NoCanonicalForm:
    return NoCanonicalForm(f"{spell(path)}: {what}", hint=advice)


def _advice(value: object) -> str:
    """What to write instead: each refused kind has a plain form that the caller must choose."""
    for kinds, advice in _ADVICE:
        if isinstance(value, kinds):
            return advice
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return "name the fields that identify the work: {'id': order.id, …}"
    return "use None, bool, int, float, str, bytes, list, tuple and dict with text keys"


_ADVICE: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (enum.Enum, "use its .value or .name"),
    (decimal.Decimal, "say cents as an integer, or text: 1.50 and 1.5 are equal and differ"),
    (dt.datetime, "use text in UTC, or seconds since 1970 as an integer"),
    ((dt.date, dt.time), "use its isoformat()"),
    (dt.timedelta, "use a number of seconds"),
    (UUID, "use str(value), or value.bytes"),
    (Set, "a set has no order: use sorted(value)"),
    ((bytearray, memoryview), "it can change under the key: use bytes(value)"),
    (int, "use int(value)"),
    (float, "use float(value)"),
    (str, "use str(value)"),
    (bytes, "use bytes(value)"),
    ((list, tuple), "use list(value), or name its fields in a dict"),
    (Mapping, "use dict(value)"),
)
