"""Cases travel as JSON between two processes and arrive as they were."""

import json

from core_caps.contract.codec import decode, encode
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
