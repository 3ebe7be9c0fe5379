"""A cursor continues the listing that it came from, and no other."""

from typing import Any

import pytest
from core_caps.capabilities.cursors import seal, unseal
from core_caps.errors import InvalidArgument, Outcome

pytestmark = pytest.mark.feature("DC-04")


@pytest.mark.parametrize("position", ["", "key-7", "é/\u2603", "x" * 4096])
def test_a_cursor_gives_its_position_back(position: str) -> None:
    cursor = seal(position, "kv", "prefix", None)
    assert cursor.isascii()
    assert unseal(cursor, "kv", "prefix", None) == position


@pytest.mark.parametrize(
    "listing",
    [("kv", "b"), ("other", "a"), ("kva", ""), ("kv", "a", None), ("kv",), ("a", "kv")],
)
def test_a_cursor_of_another_listing_is_refused(listing: tuple[str | None, ...]) -> None:
    with pytest.raises(InvalidArgument, match="this listing") as refused:
        unseal(seal("key", "kv", "a"), *listing)
    assert refused.value.outcome is Outcome.NOT_APPLIED
    assert "page.cursor" in refused.value.hint


def test_what_is_absent_is_not_what_is_named_so() -> None:
    with pytest.raises(InvalidArgument):
        unseal(seal("key", None), "None")


@pytest.mark.parametrize("made_up", ["", "x", "AAAA", "é", "key-7", 5, None, b"bytes"])
def test_what_is_no_cursor_is_refused(made_up: Any) -> None:
    with pytest.raises(InvalidArgument):
        unseal(made_up, "kv", "a")


def test_every_changed_letter_is_noticed() -> None:
    cursor = seal("key", "kv", "a")
    for at, letter in enumerate(cursor):
        other = "A" if letter != "A" else "B"
        with pytest.raises(InvalidArgument):
            unseal(cursor[:at] + other + cursor[at + 1 :], "kv", "a")
