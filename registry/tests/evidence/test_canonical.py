"""Canonical JSON is RFC 8785's, whichever way it is written."""

from typing import Any

import pytest
import rfc8785
from flows_registry.evidence.canonical import canonical
from hypothesis import example, given
from hypothesis import strategies as st

pytestmark = pytest.mark.feature("AC-07")

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXTS, below, max_size=4),
    max_leaves=12,
)


@given(VALUES)
@example([1.0, -0.0, 1e-6, 1e16, 1e21, 1e22, 5e-324, 0.1, 2.0**53])
@example({"\U0001f600": 1, "\ufffd": 2, "a": '\x7f\u2028\x00"\\/'})
def test_it_is_what_the_standard_says(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_what_json_cannot_hold_is_a_text() -> None:
    assert canonical([2**53, float("inf"), "\ud800"]) == b'["9007199254740992","inf","\\\\ud800"]'
