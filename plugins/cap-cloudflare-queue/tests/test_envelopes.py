"""What stands in the queue: plain text where it can be, and nothing that could be mistaken."""

import base64
import json

import pytest
from cap_cloudflare_queue.envelopes import Content, Undecodable, decoded, encoded, stored_size
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.feature("PH2-06")

ENVELOPE = '{"cap-queue": 1, "key": "k", "text": "t"}'


def as_pulled(body: bytes, key: str, *, plain_json: bool = False) -> Content:
    """What a consumer reads of a message that the service gives back as it is documented."""
    message = encoded(body, key)
    text = message.body
    if message.content_type == "json":
        text = json.dumps(text, ensure_ascii=False)
        if not plain_json:
            text = base64.b64encode(text.encode()).decode()
    assert isinstance(text, str)
    return decoded(text, message.content_type)


@settings(deadline=None)
@given(
    st.binary() | st.text().map(str.encode),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.booleans(),
)
def test_every_body_and_key_come_back(body: bytes, key: str, plain_json: bool) -> None:
    assert as_pulled(body, key, plain_json=plain_json) == (body, key)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_without_a_key_is_plain(text: str) -> None:
    if not text.startswith("\ufeff"):
        assert encoded(text.encode(), "") == ("text", text, len(text.encode()))


def test_what_is_no_plain_text_is_marked() -> None:
    assert encoded(b"t", "k").body == {"cap-queue": 1, "key": "k", "text": "t"}
    assert encoded(b"\xff", "").body == {"cap-queue": 1, "key": "", "base64": "/w=="}
    assert encoded("\ufeffmark".encode(), "").content_type == "json"


def test_the_size_is_the_stored_ones() -> None:
    message = encoded("é".encode(), "ключ")
    stored = json.dumps(message.body, ensure_ascii=False, separators=(",", ":")).encode()
    assert message.size_bytes == len(stored) == stored_size("é".encode(), "ключ")


def test_text_that_looks_like_an_envelope_is_text() -> None:
    assert as_pulled(ENVELOPE.encode(), "") == (ENVELOPE.encode(), "")
    assert decoded(ENVELOPE, "text") == (ENVELOPE.encode(), "")


@pytest.mark.parametrize(
    "foreign",
    [
        '{"cap-queue": 2, "key": "k", "text": "t"}',
        '{"cap-queue": 1, "key": 5, "text": "t"}',
        '{"cap-queue": 1, "key": "k", "text": "t", "more": 1}',
        '{"cap-queue": 1, "key": "k"}',
        '{"greeting": "hello"}',
        "[1, 2]",
        "null",
        "1234",
        '"text"',
    ],
)
def test_json_of_others_is_its_own_bytes(foreign: str) -> None:
    as_documented = base64.b64encode(foreign.encode()).decode()
    assert decoded(as_documented, "json") == (foreign.encode(), "")
    assert decoded(foreign, "json") == (foreign.encode(), ""), "as it is also seen"


def test_bytes_of_others_are_read_and_v8_is_not_understood() -> None:
    assert decoded("/wA=", "bytes") == (b"\xff\x00", "")
    assert decoded("/w8=", "v8") == (b"\xff\x0f", "")
    assert decoded("hello", None) == (b"hello", "")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("not json", "json"), ("AAAA", "json"), ("a", "bytes"), ("%", "v8"), ("\ud800", "text")],
)
def test_a_body_in_another_form_is_refused(body: str, content_type: str) -> None:
    with pytest.raises(Undecodable):
        decoded(body, content_type)


def test_an_envelope_with_broken_base64_is_refused() -> None:
    with pytest.raises(Undecodable):
        decoded('{"cap-queue": 1, "key": "", "base64": "a"}', "json")
