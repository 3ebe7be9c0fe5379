"""Cases travel as JSON between two processes and arrive as they were."""

import json

import pytest
from core_caps.capabilities.key_value import Entry
from core_caps.contract.codec import Foreign, decode, encode
from core_caps.contract.suite import Call, Exercise, Result, Stream
from hypothesis import given
from hypothesis import strategies as st

_PLAIN = st.none() | st.booleans() | st.integers() | st.text() | st.binary()
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def _there_and_back(value: object) -> object:
    return decode(json.loads(json.dumps(encode(value))))


@given(_VALUES)
def test_values_arrive_as_they_were(value: object) -> None:
    assert _there_and_back(value) == value


@given(st.binary(min_size=1, max_size=300), st.integers(64 * 1024, 200_000))
def test_long_repeated_bytes_arrive_whole_and_travel_short(unit: bytes, size: int) -> None:
    value = (unit * (size // len(unit) + 1))[:size]
    assert _there_and_back(value) == value
    assert len(json.dumps(encode(value))) < 1000


def test_long_bytes_that_only_nearly_repeat_arrive_whole() -> None:
    value = bytearray(b"ab" * 50_000)
    value[70_000] ^= 1
    assert _there_and_back(bytes(value)) == bytes(value)


def test_calls_and_exercises_arrive_as_they_were() -> None:
    setup = (Call("put", ("k", Stream((b"a", b"b"), breaks_after=1)), {"size_bytes": 2}),)
    exercise = Exercise("x", Call("get", ("k",), {"if_match": Result(0, "etag")}), setup, ())
    assert _there_and_back(exercise) == exercise


@pytest.mark.parametrize(
    "name",
    [
        "core_caps.contract.codec:importlib._bootstrap_external._os.system",
        "core_caps.contract.codec:load",
        "core_caps.contract.suite:importlib.import_module",
        "core_caps.contract.suite:asyncio",
        "core_caps.capabilities.key_value:dataclass",
        "core_caps.capabilities.nowhere:Entry",
        "os:system",
    ],
)
def test_nothing_but_a_value_of_ours_is_made_of_what_a_stranger_sends(name: str) -> None:
    given = decode({"$value": name, "command": "exit 1"}, foreign=False)
    assert given == Foreign(name, {"command": "exit 1"})


def test_values_of_ours_are_made_of_what_a_stranger_sends() -> None:
    entry = Entry(b"v", {"a": 1})
    assert decode(json.loads(json.dumps(encode(entry))), foreign=False) == entry


@pytest.mark.parametrize(
    "form",
    [
        {"$repeated": ["", 5]},
        {"$repeated": ["YQ==", -1]},
        {"$repeated": ["YQ==", 1 << 40]},
        {"$bytes": "é"},
        {"$value": "core_caps.capabilities.key_value:Entry", "nonsense": 1},
    ],
)
def test_what_encode_never_gives_is_a_value_error(form: object) -> None:
    with pytest.raises(ValueError):
        decode(form, foreign=False)


def test_a_mapping_whose_keys_are_tuples_arrives() -> None:
    assert _there_and_back({("a", 1): "x"}) == {("a", 1): "x"}
