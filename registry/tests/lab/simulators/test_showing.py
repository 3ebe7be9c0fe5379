"""Findings are read by people: calls as one would write them, long values by their size."""

import pytest
from core_caps.capabilities.blob_store import ByteRange
from core_caps.contract.suite import Call, Result, Stream
from flows_registry.lab.simulators.histories import shown, without
from flows_registry.lab.simulators.showing import first_difference, show_call

CALLS = (
    Call("put", ("a", b"1")),
    Call("put", ("b", b"2")),
    Call("get", ("a",), {"if_match": Result(0, "etag")}),
    Call("get", ("b",), {"if_match": Result(1, "etag")}),
)


@pytest.mark.feature("DC-04")
def test_calls_read_as_they_would_be_written() -> None:
    assert shown(CALLS[:3]) == ("r0 = put('a', b'1')\nput('b', b'2')\nget('a', if_match=r0.etag)")
    long = Call("put", ("k" * 100, Stream((b"x" * 50,) * 2)), {"range": ByteRange(1, 2)})
    assert show_call(long) == (
        "put(<100 characters: 'kkkkkkkkkkkk'…>, Stream(<2 chunks, 100 bytes>), "
        "range=ByteRange(offset=1, length=2))"
    )


@pytest.mark.feature("DC-04")
def test_a_dropped_call_takes_along_what_needs_it_and_moves_the_rest() -> None:
    kept = without(CALLS, {0})

    assert shown(kept) == "r0 = put('b', b'2')\nget('b', if_match=r0.etag)"
    assert without(CALLS, {0, 1}) == ()
    assert without(CALLS, set()) == CALLS


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, ("a[1].b", "'x'", "'y'")),
        ({"a": 1}, {"a": 1, "b": 2}, ("b", "nothing", "2")),
        ([1], [1, 2], ("[1]", "nothing", "2")),
        ({"a": None}, {"a": None}, None),
        ({"a": []}, {"a": {}}, ("a", "[]", "{}")),
    ],
)
def test_the_first_difference_is_named(left: object, right: object, found: object) -> None:
    assert first_difference(left, right) == found
