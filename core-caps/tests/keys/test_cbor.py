"""Canonical CBOR: the bytes of RFC 8949's rules, the oracle's bytes, and every refusal."""

import contextlib
import datetime as dt
import decimal
import enum
import math
import struct
import types
import unicodedata
import uuid
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import cbor2
import pytest
from core_caps.errors import NoCanonicalForm
from core_caps.keys import DEPTH_MAX, SIZE_BYTES_MAX, encode
from hypothesis import given, settings
from hypothesis import strategies as st

NFC_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(
    lambda text: unicodedata.normalize("NFC", text)
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(width=16, allow_nan=False, allow_infinity=False)
    | st.floats(width=32, allow_nan=False, allow_infinity=False)
    | NFC_TEXT
    | st.binary(max_size=300)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(NFC_TEXT, inner, max_size=8),
    max_leaves=40,
)


@pytest.mark.feature("P0-02")
@settings(max_examples=250)
@given(VALUES)
def test_every_normal_value_has_the_oracles_bytes_and_comes_back(value: object) -> None:
    encoded = encode(value)
    assert encoded == cbor2.dumps(value, canonical=True)
    decoded = cbor2.loads(encoded)
    assert decoded == value
    assert encode(decoded) == encoded  # == alone would let 1, 1.0 and True pass for each other


@pytest.mark.feature("P0-02")
@given(st.dictionaries(NFC_TEXT, st.integers(), min_size=2), st.randoms())
def test_the_order_of_insertion_leaves_no_trace(value: dict[str, int], rng: object) -> None:
    entries = list(value.items())
    rng.shuffle(entries)  # type: ignore[attr-defined]
    assert encode(dict(entries)) == encode(value)


@pytest.mark.feature("P0-02")
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_all_spellings_of_one_text_have_one_encoding(text: str) -> None:
    spellings = {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}
    assert len({encode(spelling) for spelling in (*spellings, text)}) == 1
    assert len({encode({spelling: 1}) for spelling in (*spellings, text)}) == 1


@pytest.mark.feature("P0-02")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 8949, appendix A
        (0, "00"), (23, "17"), (24, "1818"), (100, "1864"), (1000, "1903e8"),
        (1000000, "1a000f4240"), (1000000000000, "1b000000e8d4a51000"),
        (18446744073709551615, "1bffffffffffffffff"),
        (18446744073709551616, "c249010000000000000000"),
        (-18446744073709551616, "3bffffffffffffffff"),
        (-18446744073709551617, "c349010000000000000000"),
        (-1, "20"), (-10, "29"), (-100, "3863"), (-1000, "3903e7"),
        (0.0, "f90000"), (-0.0, "f98000"), (1.0, "f93c00"), (1.1, "fb3ff199999999999a"),
        (1.5, "f93e00"), (65504.0, "f97bff"), (100000.0, "fa47c35000"),
        (3.4028234663852886e38, "fa7f7fffff"), (1.0e300, "fb7e37e43c8800759c"),
        (5.960464477539063e-8, "f90001"), (0.00006103515625, "f90400"), (-4.0, "f9c400"),
        (-4.1, "fbc010666666666666"),
        (False, "f4"), (True, "f5"), (None, "f6"),
        (b"", "40"), (b"\x01\x02\x03\x04", "4401020304"),
        ("", "60"), ("a", "6161"), ("IETF", "6449455446"), ('"\\', "62225c"),
        ("\u00fc", "62c3bc"), ("u\u0308", "62c3bc"), ("\u6c34", "63e6b0b4"),
        ("\U00010151", "64f0908591"),
        ([], "80"), ([1, 2, 3], "83010203"), ((1, [2, 3]), "8201820203"),
        ({}, "a0"), ({"b": [2, 3], "a": 1}, "a26161016162820203"),
        # a shorter name comes first, whatever its letters
        ({"aa": 1, "b": 2}, "a26162026261" + "6101"),
    ],
)  # fmt: skip
def test_the_bytes_of_the_standard(value: object, expected: str) -> None:
    assert encode(value).hex() == expected


@pytest.mark.feature("P0-02")
@settings(max_examples=300)
@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(width=16, allow_nan=False))
def test_a_float_takes_the_shortest_format_that_keeps_every_bit(value: float) -> None:
    if math.isinf(value):
        return
    encoded = encode(value)
    format_ = {3: ">e", 5: ">f", 9: ">d"}[len(encoded)]
    [kept] = struct.unpack(format_, encoded[1:])
    assert struct.pack(">d", kept) == struct.pack(">d", value)
    for shorter in [">e", ">f", ">d"][: [">e", ">f", ">d"].index(format_)]:
        with contextlib.suppress(OverflowError):
            assert struct.unpack(shorter, struct.pack(shorter, value))[0] != value


class Colour(enum.Enum):
    RED = "red"


class Name(str):
    __slots__ = ()


Point = namedtuple("Point", "x y")


@dataclass
class Order:
    id: int


@pytest.mark.feature("P0-02")
@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        (math.nan, "$: nan has no", "None"),
        ({"items": [0, 1, 2, {"price": math.inf}]}, "$.items[3].price: inf has no", ""),
        ({"total": decimal.Decimal("1.50")}, "$.total: a value of type decimal.Decimal", "cents"),
        ({"tags": {"a"}}, "$.tags: a value of type set", "sorted(value)"),
        ({"tags": frozenset()}, "$.tags: a value of type frozenset", "sorted(value)"),
        ({"a": {}.keys()}, "$.a: a value of type dict_keys", "sorted(value)"),
        ({"at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "$.at: ", "UTC"),
        ({"on": dt.date(2026, 1, 1)}, "$.on: ", "isoformat"),
        ({"for": dt.timedelta(1)}, "$.for: ", "seconds"),
        ({"id": uuid.UUID(int=1)}, "$.id: a value of type uuid.UUID", "str(value)"),
        ({"c": Colour.RED}, "$.c: ", ".value"),
        ({"n": Name("x")}, "$.n: ", "str(value)"),
        ({"n": Point(1, 2)}, "$.n: ", "list(value)"),
        ({"n": bytearray(b"x")}, "$.n: a value of type bytearray", "bytes(value)"),
        ({"n": memoryview(b"x")}, "$.n: ", "bytes(value)"),
        ({"n": OrderedDict(a=1)}, "$.n: ", "dict(value)"),
        ({"n": types.MappingProxyType({})}, "$.n: ", "dict(value)"),
        ({"n": Order(1)}, "$.n: ", "name the fields"),
        ({"n": object()}, "$.n: a value of type object", "None, bool, int"),
        ({"n": Order}, "$.n: a value of type type", "None, bool, int"),
        ({"n": 1j}, "$.n: a value of type complex", ""),
        ({"a b": {"é": {1}}}, "$['a b'].é: ", ""),
        ({"a": {1: 2}}, "$.a: a map key is of type int, not text", "str(key)"),
        ({"a": {True: 2}}, "$.a: a map key is of type bool", ""),
        ({"a": {None: 2}}, "$.a: a map key is of type NoneType", ""),
        ({"a": {b"k": 2}}, "$.a: a map key is of type bytes", ""),
        ({"a": {Name("k"): 2}}, "$.a: a map key is of type Name", ""),
        ({"\u00e9": 1, "e\u0301": 2}, "$: the keys '\\xe9' and 'e\\u0301' are one key", "NFC"),
        (["\ud800"], "$[0]: the text holds the lone surrogate '\\ud800'", "bytes"),
        ({"x\udfff": 1}, "$: the key 'x\\udfff' holds the lone surrogate '\\udfff'", ""),
        ("\ud83d\ude00", "$: the text holds the lone surrogate", ""),
    ],
)  # fmt: skip
def test_what_has_no_canonical_form_is_refused_with_its_place(
    value: object, message: str, hint: str
) -> None:
    with pytest.raises(NoCanonicalForm) as refused:
        encode(value)
    assert refused.value.message.startswith(message)
    assert hint in refused.value.hint
    assert refused.value.hint
    assert isinstance(refused.value, ValueError)


def nested(depth: int) -> object:
    value: object = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.feature("P0-02")
def test_depth_is_bounded() -> None:
    assert encode(nested(DEPTH_MAX)) == cbor2.dumps(nested(DEPTH_MAX), canonical=True)
    with pytest.raises(NoCanonicalForm, match=f"more than {DEPTH_MAX} deep"):
        encode(nested(DEPTH_MAX + 1))
    ring: list[object] = []
    ring.append(ring)
    with pytest.raises(NoCanonicalForm, match="may contain itself") as refused:
        encode({"ring": ring})
    assert refused.value.message.startswith("$.ring[0][0]")


@pytest.mark.feature("P0-02")
def test_size_is_bounded_to_the_byte_and_before_memory_is_spent() -> None:
    assert len(encode(b"x" * (SIZE_BYTES_MAX - 5))) == SIZE_BYTES_MAX
    with pytest.raises(NoCanonicalForm, match=f"beyond {SIZE_BYTES_MAX} bytes"):
        encode(b"x" * (SIZE_BYTES_MAX - 4))
    assert encode([1, 2], size_bytes_max=3) == b"\x82\x01\x02"
    with pytest.raises(NoCanonicalForm, match=r"\$\[1\]: "):
        encode([1, 2], size_bytes_max=2)
    many: object = "x"
    for _ in range(60):  # 3**60 items, each of them named again and again
        many = [many, many, many]
    with pytest.raises(NoCanonicalForm, match="grows beyond"):
        encode(many)
    with pytest.raises(NoCanonicalForm, match="grows beyond"):
        encode(1 << (SIZE_BYTES_MAX * 8))
