"""URLs: taken as they are or refused, joined as a browser joins them, shown without credentials."""

import pytest
from cap_http.urls import Url, joined, parsed, shown
from core_caps.errors import InvalidArgument
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.feature("S2-09")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://a.example", ("https", "a.example", 443, "/")),
        ("HTTPS://A.Example:443/B?C", ("https", "a.example", 443, "/B?C")),
        ("http://a.example:8080?q", ("http", "a.example", 8080, "/?q")),
        ("https://127.0.0.1/", ("https", "127.0.0.1", 443, "/")),
        ("https://[2001:DB8::0:1]:8443/", ("https", "[2001:db8::1]", 8443, "/")),
        ("https://xn--mnchen-3ya.example/", ("https", "xn--mnchen-3ya.example", 443, "/")),
        ("https://a_b.example/", ("https", "a_b.example", 443, "/")),
        ("https://a.example/..a/.../b..", ("https", "a.example", 443, "/..a/.../b..")),
        ("https://a.example/?a/../b", ("https", "a.example", 443, "/?a/../b")),
        ("https://a.example/%F0%9F%94%91", ("https", "a.example", 443, "/%F0%9F%94%91")),
    ],
)
def test_a_url_is_read_into_its_parts(url: str, parts: tuple[str, str, int, str]) -> None:
    assert parsed(url) == Url(*parts)
    assert parsed(str(parsed(url))) == parsed(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://ünter.example/", "ASCII"),
        ("ftp://a.example/", "https://"),
        ("https://u:p@a.example/", "user"),
        ("https://a.example/#b", "fragment"),
        ("https://a.example/<b>", "percent-encoded"),
        ("https://a.example/a\\b", "percent-encoded"),
        ("https://a.example/%2E%2e/b", "or .."),
        ("https://a.example:99999/", "port"),
        ("https://a.1/", "four decimal numbers"),
        ("https://0x7f000001/", "four decimal numbers"),
        ("https://127.0.0.01/", "four decimal numbers"),
        ("https://[::1%25lo]/", "IPv6"),
        ("https://[v1.a]/", "IPv6"),
        (f"https://{'a' * 64}.example/", "no name"),
        (f"https://{'a.' * 127}example/", "no name"),
        (f"https://a.example/{'a' * 8000}", "longer"),
        (b"https://a.example/", "bytes"),
    ],
)
def test_what_is_refused_says_why(url: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=why):
        parsed(url)


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_whatever_is_taken_is_sent_as_it_is_shown(text: str) -> None:
    """No other reader of URLs could find another host in it."""
    try:
        url = parsed(f"https://{text}")
    except InvalidArgument:
        return
    again = str(url)
    assert again.isascii()
    assert again.isprintable()
    assert not set(again) & set(' \\"<>^`{|}#')
    authority = again.removeprefix("https://").partition("/")[0]
    assert "@" not in authority
    assert parsed(again) == url


@given(st.text(max_size=60), st.sampled_from(["https://a.example/b/c?d", "http://[::1]:8080/"]))
def test_whatever_a_location_says_it_leads_to_a_url_or_is_refused(text: str, base: str) -> None:
    try:
        led = joined(parsed(base), text)
    except InvalidArgument:
        return
    assert parsed(str(led)) == led


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://a.example/b?token=canary", "https://a.example/b"),
        ("https://a.example/b#canary", "https://a.example/b"),
        ("https://u:canary@a.example/b", "https://a.example/b"),
        ("https://u:canary/x@a.example/b", "https://a.example/b"),
        ("//u:canary@a.example/", "a.example/"),
    ],
)
def test_what_is_shown_holds_no_credential(url: str, seen: str) -> None:
    assert shown(url) == seen
