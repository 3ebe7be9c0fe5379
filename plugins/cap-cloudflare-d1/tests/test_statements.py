"""What is sent for a statement: every value with its type, nothing of it in the text."""

import math
from typing import Any

import pytest
from cap_cloudflare_d1.statements import reading, writing
from core_caps.errors import InvalidArgument, Outcome

pytestmark = pytest.mark.feature("DC-04")


@pytest.mark.parametrize(
    ("value", "form", "sent"),
    [
        ("it's ?2", "?1", ["it's ?2"]),
        (5, "(+CAST(?1 AS INTEGER))", ["5"]),
        (-(2**53) + 1, "(+CAST(?1 AS INTEGER))", ["-9007199254740991"]),
        (True, "(+CAST(?1 AS INTEGER))", ["1"]),
        (0.1, "?1", [0.1]),
        (b"\x00\xff", "unhex(?1)", ["00ff"]),
        (None, "NULL", []),
    ],
)
def test_a_value_keeps_its_type(value: Any, form: str, sent: list[Any]) -> None:
    wire = reading("SELECT '$1', $1 -- $1", [value])
    assert wire.sql == f"SELECT '$1', {form} -- $1"
    assert wire.params == sent


def test_places_are_numbered_anew_without_those_of_nulls() -> None:
    wire = writing("INSERT INTO t VALUES ($3, $1, $2, $1);", ["a", None, 7])
    assert wire.sql == "INSERT INTO t VALUES ((+CAST(?2 AS INTEGER)), ?1, NULL, ?1)"
    assert wire.params == ["a", "7"]


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("SELECT $1", [2**53]),
        ("SELECT $1", [math.inf]),
        ("SELECT $1", [math.nan]),
        ("SELECT $1", ["x" * 2_000_001]),
        ("SELECT $1", [b"x" * 1_000_001]),
        ("SELECT 1 -- " + "x" * 100_000, []),
        ("SELECT " + ", ".join(f"${n}" for n in range(1, 102)), ["a"] * 101),
        ("SELECT $1", []),
        ("SELECT 1; SELECT 2", []),
        ("SELECT * FROM _flows_keys", []),
        ('SELECT * FROM "_FLOWS_KEYS"', []),
        ("SELECT * FROM '_flows_keys'", []),
    ],
    ids=lambda given: str(given)[:30],
)
def test_what_breaks_a_limit_is_refused(text: str, params: list[Any]) -> None:
    for checked in (reading, writing):
        with pytest.raises(InvalidArgument) as refused:
            checked(text, params)
        assert refused.value.outcome is Outcome.NOT_APPLIED


@pytest.mark.parametrize(
    "text",
    ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "ATTACH DATABASE 'x' AS y", "VACUUM", "END"],
)
def test_transactions_and_files_are_not_for_statements(text: str) -> None:
    for checked in (reading, writing):
        with pytest.raises(InvalidArgument, match="is not for statements"):
            checked(f"/* quietly */ {text};", [])


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM t",
        "SELECT load_extension('x')",
        "SELECT sqlite_version()",
        "PRAGMA table_info(t)",
    ],
)
def test_what_is_not_proven_to_read_is_no_query(text: str) -> None:
    with pytest.raises(InvalidArgument, match="not proven to read"):
        reading(text, [])
    writing(text, [])


def test_a_slip_of_the_pen_is_no_write() -> None:
    with pytest.raises(InvalidArgument, match='near "SELEC": syntax error'):
        reading("SELEC 1", [])
