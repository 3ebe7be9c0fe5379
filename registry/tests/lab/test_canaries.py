"""A canary is found in every form in which it is known to travel, and nothing else is."""

import base64
import random
from urllib.parse import quote

import pytest
from flows_registry.lab.agent.canaries import Canaries

pytestmark = pytest.mark.feature("P4-05")

SECRET = "canary-0123+456/89abcdef=123456789abcdef"
FOUND = Canaries({"token": SECRET})


@pytest.mark.parametrize(
    "text",
    [
        f"Bearer {SECRET}",
        f"it begins with {SECRET[:12]}…",
        f"it ends with …{SECRET[-12:]}",
        f"https://example.net/?token={quote(SECRET, '')}",
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        repr(SECRET.encode()),
        SECRET.encode(),
    ],
)
def test_it_is_found_whole_in_parts_and_in_other_letters(text: str | bytes) -> None:
    assert FOUND.seen_in(text) == ["token"]


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_it_is_found_in_base64_whatever_stands_around_it(encode: object) -> None:
    source = random.Random(4)
    for _ in range(200):
        around = source.randbytes(source.randrange(9)), source.randbytes(source.randrange(9))
        coded = encode(around[0] + SECRET.encode() + around[1])  # type: ignore[operator]
        assert FOUND.seen_in(coded) == ["token"]


def test_what_is_common_to_many_is_not_found() -> None:
    assert not FOUND.seen_in("canary-0123 is the first of our canaries, …cdef the last four")
    assert not Canaries({"empty": "", "short": "abc"}).seen_in("abc")


def test_a_part_of_a_persons_name_is_nobodys() -> None:
    person = Canaries({"name": "Quilla Featherstone"}, parts=False)
    assert person.seen_in("for Quilla+Featherstone") == ["name"]
    assert not person.seen_in("a quill and a Featherstone")
