"""Host patterns match by whole labels."""

import pytest
from flows_registry.policy.patterns import host_matches, word_matches

pytestmark = pytest.mark.feature("S2-09", "CK-04")


@pytest.mark.parametrize(
    ("pattern", "host", "port", "fits"),
    [
        ("api.example.com", "api.example.com", 8443, True),
        ("api.example.com:443", "api.example.com", 443, True),
        ("api.example.com:443", "api.example.com", 8443, False),
        ("api.example.com:*", "API.example.com.", 8443, True),
        ("*.example.com", "a.example.com", 443, True),
        ("*.example.com", "a.b.example.com", 443, False),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "aexample.com", 443, False),
        ("*.example.com", "a.example.com.evil.test", 443, False),
        ("**.example.com", "a.b.example.com", 443, True),
        ("**.example.com", "example.com", 443, False),
        ("**", "anything.at.all", 1, True),
        ("[::1]:443", "[::1]", 443, True),
    ],
)
def test_a_star_is_a_whole_label(pattern: str, host: str, port: int, fits: bool) -> None:
    assert host_matches(pattern, host, port) is fits


def test_words_match_whatever_their_letter_case() -> None:
    assert word_matches("workers kv *", "Workers KV Storage Write")
    assert not word_matches("Workers KV", "Workers KV Storage Write")
