"""The idempotency key: what goes into it, what stays out, and the compiled path's equality."""

import enum
import pickle
import subprocess
import sys
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Optional, Union

import blake3
import cbor2
import pytest
from core_caps.errors import CapsError, KeyFieldMismatch, NoCanonicalForm
from core_caps.keys import (
    DEPTH_MAX,
    SIZE_BYTES_MAX,
    IdempotencyKey,
    KeySchema,
    compile_key,
    encode,
    idempotency_key,
    nullable,
    payload_digest,
)
from hypothesis import given, settings
from hypothesis import strategies as st

# Text as it comes: not normalised, and often of the kind that NFC changes.
TEXT = st.text(max_size=20) | st.text("ae\u0301\u0308\u212b\u1100\u1161é😀", max_size=6)
ENCODABLE = TEXT.filter(lambda text: text.isascii() or not any(map(_surrogate, text)))
SCALARS: dict[object, st.SearchStrategy[object]] = {
    str: ENCODABLE | st.integers(200, 5000).map(lambda size: "x" * size),
    int: st.integers() | st.integers(-70_000, 70_000) | st.just(1 << 64) | st.just(-(1 << 64)),
    float: st.floats(allow_nan=False, allow_infinity=False) | st.floats(-4, 4, width=16),
    bool: st.booleans(),
    bytes: st.binary(max_size=40) | st.integers(200, 5000).map(bytes),
    None: st.none(),
}
ANY_SCALAR = st.one_of(*SCALARS.values())


def _surrogate(letter: str) -> bool:
    return "\ud800" <= letter <= "\udfff"


def _distinct(mapping: dict[str, object]) -> bool:
    return len({unicodedata.normalize("NFC", name) for name in mapping}) == len(mapping)


def maps(values: st.SearchStrategy[Any], **bounds: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(ENCODABLE, values, **bounds).filter(_distinct)


ANYTHING = st.recursive(
    ANY_SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | maps(inner, max_size=4),
    max_leaves=12,
)

Typed = tuple[object, st.SearchStrategy[Any]]
"""A type as a schema writes it, and the values that fit it."""


def record(fields: dict[str, Typed]) -> Typed:
    return (
        {name: written for name, (written, _) in fields.items()},
        st.fixed_dictionaries({name: values for name, (_, values) in fields.items()}),
    )


def listed(typed: Typed) -> Typed:
    items = st.lists(typed[1], max_size=5)
    return [typed[0]], items | items.map(tuple)


def one_of(kinds: list[object]) -> Typed:
    written = Union[tuple(kinds)]  # noqa: UP007 (made from values)
    return written, st.one_of(*(SCALARS[kind] for kind in kinds))


TYPED: st.SearchStrategy[Typed] = st.recursive(
    st.sampled_from([*SCALARS.items()])
    | st.lists(st.sampled_from([*SCALARS]), min_size=2, max_size=4, unique=True).map(one_of)
    | st.just((object, ANYTHING)),
    lambda inner: (
        inner.map(listed)
        | maps(inner, max_size=4).map(record)
        | inner.map(lambda typed: (dict[str, typed[0]], maps(typed[1], max_size=4)))
        | inner.map(lambda typed: (nullable(typed[0]), st.none() | typed[1]))
    ),
    max_leaves=6,
)
RECORDS = maps(TYPED, max_size=6).map(record)


@pytest.mark.feature("P0-01")
@settings(max_examples=150)
@given(st.data())
def test_the_compiled_path_gives_the_slow_paths_bytes(data: st.DataObject) -> None:
    written, values = data.draw(RECORDS)
    assert isinstance(written, dict)
    flow, node, partition = data.draw(st.tuples(ENCODABLE, ENCODABLE, ENCODABLE))
    compiled = compile_key(flow, node, KeySchema(written))
    for _ in range(3):
        fields = data.draw(values)
        key = compiled(partition, fields)
        assert key == idempotency_key(flow, node, partition, fields)
        assert type(key) is IdempotencyKey


class Text(str):
    __slots__ = ()


class Level(enum.IntEnum):
    LOW = 1


ODD: list[object] = [
    {1},
    {1: 2},
    {Text("a"): 1},
    Text("a"),
    Level.LOW,
    OrderedDict(a=1),
    bytearray(b"a"),
    float("nan"),
    -float("inf"),
    "\ud800",
    ["\udfff"],
    {"\ud800": 1},
    {"\u00e9": 1, "e\u0301": 1},
    [float("nan")],
    [Level.LOW],
    [1 << 64, -(1 << 64) - 1, -0.0],
]
"""What no schema expects, and what looks like something that one does."""


def outcome(make: Callable[..., IdempotencyKey], *parts: Any) -> IdempotencyKey | CapsError:
    try:
        return make(*parts)
    except CapsError as error:
        return error


@pytest.mark.feature("P0-01")
@settings(max_examples=120)
@given(st.data())
def test_other_values_get_the_same_bytes_or_a_refusal(data: st.DataObject) -> None:
    written, values = data.draw(RECORDS)
    assert isinstance(written, dict)
    schema = KeySchema(written)
    fields = data.draw(maps(ANYTHING, max_size=4) | values)
    if fields:
        name = data.draw(st.sampled_from([*fields]))
        fields = {**fields, name: data.draw(ANYTHING | st.sampled_from(ODD))}
    compiled = outcome(compile_key("f", "n", schema), "p", fields)
    slow = outcome(idempotency_key, "f", "n", "p", fields)
    if isinstance(compiled, KeyFieldMismatch):
        assert compiled.message.startswith("$")
        assert isinstance(slow, IdempotencyKey)
    else:
        assert str(compiled) == str(slow)
        assert type(compiled) is type(slow)


@pytest.mark.feature("P0-01")
@given(maps(st.integers() | st.booleans() | st.binary()), ENCODABLE)
def test_a_key_is_blake3_of_the_map_of_flow_node_partition_and_fields(
    fields: dict[str, object], partition: str
) -> None:
    def nfc(text: str) -> str:
        return unicodedata.normalize("NFC", text)

    whole = {
        "f": "flow",
        "n": "node",
        "p": nfc(partition),
        "x": {nfc(name): value for name, value in fields.items()},
    }
    expected = blake3.blake3(cbor2.dumps(whole, canonical=True)).digest()
    assert idempotency_key("flow", "node", partition, fields) == expected


@pytest.mark.feature("P0-01")
def test_each_part_makes_another_key() -> None:
    keys = {
        idempotency_key(*parts)
        for parts in [
            ("f", "n", "p", {"a": 1}),
            ("g", "n", "p", {"a": 1}),
            ("f", "m", "p", {"a": 1}),
            ("f", "n", "q", {"a": 1}),
            ("f", "n", "p", {"b": 1}),
            ("f", "n", "p", {"a": 2}),
            ("f", "n", "p", {"a": 1.0}),
            ("f", "n", "p", {"a": True}),
            ("f", "n", "p", {"a": "1"}),
            ("f", "n", "p", {"a": b"1"}),
            ("f", "n", "p", {"a": None}),
            ("f", "n", "p", {"a": [1]}),
            ("f", "n", "p", {}),
            ("fn", "", "p", {"a": 1}),
            ("", "fn", "p", {"a": 1}),
        ]
    }
    assert len(keys) == 15


@pytest.mark.feature("P0-01")
def test_every_attempt_in_every_process_has_the_same_key() -> None:
    program = (
        "from core_caps.keys import *\n"
        "fields = {'b': 'é', 'a': [1.5, None], 'c': {'y': b'x', 'x': 10**30}}\n"
        "schema = KeySchema({'a': [float | None], 'b': str, 'c': {'x': int, 'y': bytes}})\n"
        "print(idempotency_key('f', 'n', 'p', fields), compile_key('f', 'n', schema)('p', fields))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONUTF8": "1", "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, locale, zone in [("0", "C", "UTC"), ("1", "tr_TR.UTF-8", "Asia/Kolkata")]
    }
    assert len(seen) == 1
    assert len(set(seen.pop().split())) == 1


@pytest.mark.feature("P0-01")
def test_a_key_is_bytes_and_its_text_is_hexadecimal() -> None:
    key = idempotency_key("f", "n", "p", {})
    assert len(key) == 32
    assert isinstance(key, bytes)
    assert str(key) == f"{key}" == key.hex()
    assert repr(key) == f"IdempotencyKey('{key.hex()}')"
    assert IdempotencyKey.parse(str(key)) == key
    assert type(IdempotencyKey.parse(str(key))) is IdempotencyKey
    assert pickle.loads(pickle.dumps(key)) == key
    for wrong in ("", "00", str(key)[:-1] + "g", str(key) + "00", " ".join(["00"] * 32)):
        with pytest.raises(ValueError, match=r"hexadecimal"):
            IdempotencyKey.parse(wrong)


SCHEMA = KeySchema(
    {
        "name": str,
        "cents": int,
        "rate": float,
        "gift": bool,
        "hash": bytes,
        "gone": None,
        "lines": [{"sku": str}],
        "by_zip": dict[str, int],
        "either": int | str,
    }
)
FITS: dict[str, object] = {
    "name": "n",
    "cents": 1,
    "rate": 0.5,
    "gift": True,
    "hash": b"h",
    "gone": None,
    "lines": [{"sku": "a"}],
    "by_zip": {"8000": 1},
    "either": "x",
}


@pytest.mark.feature("P0-01")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cents": 1.0}, "$.cents is float, and the key's schema says int"),
        ({"cents": True}, "$.cents is bool, and the key's schema says int"),
        ({"cents": "1"}, "$.cents is text, and the key's schema says int"),
        ({"rate": 1}, "$.rate is int, and the key's schema says float"),
        ({"gift": 1}, "$.gift is int, and the key's schema says bool"),
        ({"gift": None}, "$.gift is None, and the key's schema says bool"),
        ({"hash": "h"}, "$.hash is text, and the key's schema says bytes"),
        ({"gone": 0}, "$.gone is int, and the key's schema says None"),
        ({"name": b"n"}, "$.name is bytes, and the key's schema says text"),
        ({"lines": "ab"}, "$.lines is text, and the key's schema says list of map with sku"),
        ({"lines": [{"sku": "a"}, {}]}, "$.lines[1].sku is missing"),
        ({"lines": [{"sku": "a", "x": 1}]}, "$.lines[0].x is not in the key's schema"),
        ({"lines": [["a"]]}, "$.lines[0] is a list, and the key's schema says map with sku"),
        ({"lines": {"sku": "a"}}, "$.lines is a map, and the key's schema says list of"),
        ({"by_zip": {"a": None}}, "$.by_zip.a is None, and the key's schema says int"),
        ({"by_zip": [1]}, "$.by_zip is a list, and the key's schema says map of int"),
        ({"either": 1.0}, "$.either is float, and the key's schema says int or text"),
        ({"more": 1}, "$.more is not in the key's schema"),
    ],
)  # fmt: skip
def test_a_field_of_another_type_is_refused_by_name(
    change: dict[str, object], message: str
) -> None:
    compiled = compile_key("f", "n", SCHEMA)
    assert compiled("p", FITS) == idempotency_key("f", "n", "p", FITS)
    with pytest.raises(KeyFieldMismatch) as refused:
        compiled("p", {**FITS, **change})
    assert refused.value.message.startswith(message)
    assert refused.value.hint
    assert refused.value.code == "IDEM026"


@pytest.mark.feature("P0-01")
def test_a_missing_field_is_refused_even_when_it_could_be_none() -> None:
    compiled = compile_key("f", "n", KeySchema({"a": str | None, "b": int}))
    assert compiled("p", {"b": 1, "a": None}) == idempotency_key("f", "n", "p", {"a": None, "b": 1})
    with pytest.raises(KeyFieldMismatch, match=r"\$\.a is missing"):
        compiled("p", {"b": 1})
    with pytest.raises(KeyFieldMismatch, match=r"\$\.a is missing"):
        compiled("p", {"b": 1, "c": None})


@pytest.mark.feature("P0-02")
def test_a_name_in_another_normal_form_is_the_same_name() -> None:
    compiled = compile_key("f", "n", KeySchema({"caf\u00e9": str}))
    assert compiled("p", {"cafe\u0301": "x"}) == compiled("p", {"caf\u00e9": "x"})
    decomposed = compile_key("f", "n", KeySchema({"cafe\u0301": str}))
    assert decomposed("p", {"caf\u00e9": "x"}) == compiled("p", {"caf\u00e9": "x"})


@pytest.mark.feature("P0-02")
def test_two_names_of_a_map_that_are_one_after_nfc_are_refused() -> None:
    compiled = compile_key("f", "n", KeySchema({"by_city": dict[str, int]}))
    with pytest.raises(NoCanonicalForm, match=r"\$\.by_city: the keys .* are one key after NFC"):
        compiled("p", {"by_city": {"Z\u00fcrich": 1, "Zu\u0308rich": 2}})


@pytest.mark.feature("P0-01")
@pytest.mark.parametrize("odd", ODD, ids=ascii)
@pytest.mark.parametrize("written", [str, int, float, bool, bytes, [int], dict[str, int], object])
def test_an_odd_value_never_passes_for_an_ordinary_one(written: object, odd: object) -> None:
    for kind, value in [(written, odd), ([written], [odd]), (nullable(written), odd)]:
        compiled = outcome(compile_key("f", "n", KeySchema({"a": kind})), "p", {"a": value})
        slow = outcome(idempotency_key, "f", "n", "p", {"a": value})
        assert str(compiled) == str(slow) or isinstance(compiled, KeyFieldMismatch)


@pytest.mark.feature("P0-02")
@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((1, "n", "p", {}), "the flow of a key is of type int, not text"),
        (("f", None, "p", {}), "the node of a key is of type NoneType, not text"),
        (("f", "n", b"p", {}), "the partition of a key is of type bytes, not text"),
        (("f", "n", "\udc80", {}), "the partition of a key: the text holds the lone surrogate"),
        (("f", "n", "p", [1]), "the fields of a key are of type list, not a dict"),
        (("f", "n", "p", None), "the fields of a key are of type NoneType, not a dict"),
        (("f", "n", "p", {"a": [{"b": {1}}]}), "$.a[0].b: a value of type set"),
        (("f", "n", "x" * SIZE_BYTES_MAX, {}), "the partition of a key: here the encoding grows"),
        (("f", "n", "x" * (SIZE_BYTES_MAX - 10), {}), "the key's encoding has 1048"),
    ],
)  # fmt: skip
def test_both_paths_refuse_the_same_parts(parts: tuple[Any, Any, Any, Any], message: str) -> None:
    with pytest.raises(NoCanonicalForm) as refused:
        idempotency_key(*parts)
    assert refused.value.message.startswith(message)
    with pytest.raises(NoCanonicalForm) as refused:
        compile_key(parts[0], parts[1], KeySchema({"a": object}))(parts[2], parts[3])
    assert refused.value.message.startswith(message)


@pytest.mark.feature("P0-01")
def test_shapes_deeper_than_python_nests_blocks() -> None:
    written: object = {"a": int | None}
    value: object = {"a": 7}
    for _ in range(DEPTH_MAX - 2):
        written, value = [written], [value, value] if value == {"a": 7} else [value]
    compiled = compile_key("f", "n", KeySchema({"deep": written}))
    fields = {"deep": value}
    assert compiled("p", fields) == idempotency_key("f", "n", "p", fields)
    with pytest.raises(KeyFieldMismatch, match=r"schema says list of"):
        compiled("p", {"deep": [[1]]})
    with pytest.raises(ValueError, match=f"more than {DEPTH_MAX} deep"):
        KeySchema({"deep": [written]})


@pytest.mark.feature("P0-01")
def test_a_value_that_names_one_list_again_and_again_is_refused_before_memory_is_spent() -> None:
    compiled = compile_key("f", "n", KeySchema({"a": [[[str]]], "b": [object]}))
    for text in ("x", "x" * 4000, "x" * 100_000):
        inner: list[object] = [text] * 4000
        with pytest.raises(NoCanonicalForm, match=r"grows beyond"):
            compiled("p", {"a": [[inner] * 4000] * 4000, "b": []})
        with pytest.raises(NoCanonicalForm, match=r"grows beyond"):
            compiled("p", {"a": [], "b": [[inner] * 4000] * 4000})


@pytest.mark.feature("P0-01")
def test_long_texts_and_lists_take_the_slow_path_to_the_same_bytes() -> None:
    compiled = compile_key("f", "n", KeySchema({"text": str, "many": [int], "big": int}))
    for size in (255, 256, 4096, 4097, 65_535, 65_536, 100_000):
        fields = {"text": "é" * (size // 2), "many": [*range(size)], "big": 1 << size % 200}
        assert compiled("p" * size, fields) == idempotency_key("f", "n", "p" * size, fields)


@pytest.mark.feature("P0-01")
@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"a": set}, r"\$\.a: <class 'set'> is no type"),
        ({"a": "str"}, r"\$\.a: 'str' is no type"),
        ({"a": [str, int]}, r"\$\.a: \[<class 'str'>, <class 'int'>\] is no type"),
        ({"a": []}, r"\$\.a: \[\] is no type"),
        ({"a": tuple[int, str]}, r"\$\.a: "),
        ({"a": dict[int, str]}, r"\$\.a: dict\[int, str\] is no type"),
        ({"a": {"b": [complex]}}, r"\$\.a\.b\[0\]: "),
        ({1: str}, "the field name 1 is not text"),
        ({"\ud800": str}, "lone surrogate"),
        ({"\u00e9": str, "e\u0301": int}, "twice after NFC"),
        ({"a": list[int] | tuple[str, ...]}, "cannot be told apart"),
        ({"a": dict[str, int] | dict[str, str]}, "cannot be told apart"),
    ],
)  # fmt: skip
def test_what_is_no_schema_is_refused_when_it_is_written(
    written: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        KeySchema(written)


@pytest.mark.feature("P0-01")
def test_types_may_be_written_in_several_ways() -> None:
    fields = {"a": None, "b": ("x", "y"), "c": None, "d": {"k": [1]}, "e": 5, "f": "t"}
    schema = KeySchema(
        {
            "a": Optional[str],  # noqa: UP045
            "b": list[str] | None,
            "c": nullable(nullable({"zip": str})),
            "d": dict[str, list[int]] | int,
            "e": object | None,
            "f": str | str,
        }
    )
    assert compile_key("f", "n", schema)("p", fields) == idempotency_key("f", "n", "p", fields)
    assert schema == KeySchema({**schema.fields, "f": str})
    assert hash(schema) == hash(KeySchema(dict(reversed(schema.fields.items()))))


@pytest.mark.feature("P0-01")
def test_names_that_look_like_python_are_only_names() -> None:
    names = ["fields", "slow", "'); raise SystemExit #", "\\", "\n", "{}", "x" * 300, "digest"]
    compiled = compile_key("'\"\\", "\n%s{}", KeySchema(dict.fromkeys(names, int)))
    fields = {name: index for index, name in enumerate(names)}
    assert compiled("p", fields) == idempotency_key("'\"\\", "\n%s{}", "p", fields)


@pytest.mark.feature("P0-01")
def test_a_payload_digest_sees_a_collision() -> None:
    charge = {"cents": 100, "to": "Mu\u0308nchen"}
    assert payload_digest(charge) == payload_digest({"to": "M\u00fcnchen", "cents": 100})
    assert payload_digest(charge) != payload_digest({**charge, "cents": 101})
    assert payload_digest(charge) == blake3.blake3(encode(charge)).digest()
    assert len(payload_digest(b"x" * (2 * SIZE_BYTES_MAX))) == 32
    with pytest.raises(NoCanonicalForm, match=r"\$\.cents: nan"):
        payload_digest({"cents": float("nan")})
