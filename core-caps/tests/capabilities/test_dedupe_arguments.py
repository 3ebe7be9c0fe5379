"""What Dedupe and Sequencer are called with is refused by one value, with what to do about it."""

import math
from typing import Any

import pytest
from core_caps.capabilities.arguments import SECONDS_MAX, checked_seconds
from core_caps.capabilities.dedupe import Commit, Reservation
from core_caps.capabilities.dedupe_arguments import Arguments, encoded
from core_caps.errors import InvalidArgument, Outcome

pytestmark = pytest.mark.feature("DC-04")

ANY = Arguments()
SMALL = Arguments(
    batch_keys_max=2,
    key_size_bytes_max=4,
    payload_size_bytes_max=2,
    result_size_bytes_max=3,
    results_size_bytes_max=4,
)


def refusal_of(check: str, given: object, *, by: Arguments = ANY) -> str:
    with pytest.raises(InvalidArgument) as refused:
        getattr(by, check)(given)
    assert refused.value.outcome is Outcome.NOT_APPLIED
    assert refused.value.hint
    return refused.value.message


def test_what_is_given_comes_back_by_key_in_order() -> None:
    assert list(ANY.reservations([Reservation("b"), Reservation("a", b"p")]).items()) == [
        ("b", b""),
        ("a", b"p"),
    ]
    mutable: Any = bytearray(b"r")
    kept = ANY.commits((Commit("é", mutable),))
    mutable[0] = 0
    assert encoded(kept) == {"é".encode(): b"r"}
    assert ANY.keys(["b", "a", "b"]) == ["b", "a"]
    assert (ANY.key("k"), ANY.owner("me")) == ("k", "me")


@pytest.mark.parametrize("bad", [None, 5, True, b"bytes", ("a",), "", "\ud800"])
def test_a_name_is_text_that_can_be_written(bad: Any) -> None:
    refusal_of("key", bad)
    refusal_of("owner", bad)
    refusal_of("keys", ["k", bad])
    refusal_of("reservations", [Reservation(bad)])
    refusal_of("commits", [Commit(bad)])


@pytest.mark.parametrize("bad", [None, 5, "text", b"bytes", {"a": 1}, [5], ["k", None]])
def test_a_batch_is_a_sequence_of_its_kind(bad: Any) -> None:
    for check in ("keys", "reservations", "commits"):
        refusal_of(check, bad)


@pytest.mark.parametrize("bad", [None, 5, "text", ["list"]])
def test_payloads_and_results_are_bytes(bad: Any) -> None:
    refusal_of("reservations", [Reservation("k", bad)])
    refusal_of("commits", [Commit("k", bad)])


def test_a_key_is_given_once() -> None:
    assert "twice" in refusal_of("reservations", [Reservation("k"), Reservation("k", b"p")])
    assert "twice" in refusal_of("commits", [Commit("k"), Commit("k", b"r")])


@pytest.mark.parametrize(
    ("check", "fits", "breaks", "limit"),
    [
        ("key", "éé", "éék", 4),
        ("owner", "four", "fiver", 4),
        ("keys", ["a", "b"], ["a", "b", "c"], 2),
        ("reservations", [Reservation("k", b"pp")], [Reservation("k", b"ppp")], 2),
        ("reservations", [Reservation("four")], [Reservation("fiver")], 4),
        ("commits", [Commit("k", b"rrr")], [Commit("k", b"rrrr")], 3),
        ("commits", [Commit("a", b"rr"), Commit("b", b"rr")], [*map(Commit, "abc")], 2),
        ("commits", [Commit("a", b"rrr")], [Commit("a", b"rrr"), Commit("b", b"rr")], 4),
    ],
)
def test_limits_are_the_stores(check: str, fits: object, breaks: object, limit: int) -> None:
    getattr(SMALL, check)(fits)
    getattr(ANY, check)(breaks)
    assert f"the limit is {limit}" in refusal_of(check, breaks, by=SMALL)


@pytest.mark.parametrize("bad", [None, "60", True, math.nan, math.inf, 0, -1, 2 * SECONDS_MAX])
def test_seconds_are_a_number_above_zero(bad: object) -> None:
    with pytest.raises(InvalidArgument, match="lease_seconds") as refused:
        checked_seconds(bad, "lease_seconds")
    assert refused.value.hint
    assert checked_seconds(60, "lease_seconds") == 60.0
