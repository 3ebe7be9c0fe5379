"""What is read in a statement's text before the database sees it."""

import pytest
from cap_postgres_neon.statements import PARAMETERS_MAX, reading, tokens, writing
from core_caps.errors import InvalidArgument, Outcome

pytestmark = pytest.mark.feature("DC-01")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("SELECT $1", 1),
        ("SELECT $2, $1, $2", 2),
        ("SELECT '$1', \"$2\", E'\\'$3', $$ $4 $$, $a$ $5 $$ $a$, $1", 1),
        ("SELECT 1 /* $1 /* $2 */ ; $3 */ -- $4 ;\n", 0),
        ("SELECT a$1 FROM t", 0),
        ("SELECT E'it''s \\\\', $1", 1),
        ("SELECT e'\\';', 'plain\\', $1", 1),
        ("SELECT '{}'::jsonb ? 'a', 1 AS \"a;b\"", 0),
        ("(SELECT $1) UNION (SELECT $2)", 2),
        ("WITH a AS (SELECT $1) SELECT * FROM a;", 1),
        ("SELECT U&'d\\0061t', U&\"d\\0061\", $1", 1),
    ],
)
def test_parameters_are_found_where_the_database_finds_them(text: str, count: int) -> None:
    assert reading(text, tuple("x" * count)).text == text
    for other in {0, count + 1, max(0, count - 1)} - {count}:
        with pytest.raises(InvalidArgument, match="parameters"):
            reading(text, tuple("x" * other))


@pytest.mark.parametrize(
    "text",
    ["SELECT 1; SELECT 2", "SELECT 1;; SELECT 2", "SELECT ';'; --\n SELECT 2", "; SELECT 1; x"],
)
def test_several_commands_are_refused(text: str) -> None:
    for check in (reading, writing):
        with pytest.raises(InvalidArgument, match="several commands") as refused:
            check(text, ())
        assert "`batch`" in refused.value.hint
        assert "`query_batch`" in refused.value.hint


@pytest.mark.parametrize("text", ["SELECT 'a", 'SELECT "a', "SELECT /* a", "SELECT /* /* */ 1"])
def test_what_does_not_end_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="does not end"):
        reading(text, ())


@pytest.mark.parametrize("text", ["", " ", "-- a", "/* a */", ";", " ; "])
def test_no_command_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="no command"):
        writing(text, ())


@pytest.mark.parametrize(
    "text",
    [
        "begin", "START TRANSACTION", "/* a */ commit", "END", "Rollback", "ABORT", "SAVEPOINT a",
        "RELEASE a", "PREPARE TRANSACTION 'a'", "SET search_path = a", "RESET ALL", "DISCARD ALL",
        "COPY t FROM STDIN", "LISTEN a", "DECLARE a CURSOR FOR SELECT 1", "EXECUTE a",
        "LOAD 'a'",
    ],
)  # fmt: skip
def test_transaction_and_session_are_not_a_statements(text: str) -> None:
    for check in (reading, writing):
        with pytest.raises(InvalidArgument, match="not a statement's to say") as refused:
            check(text, ())
        assert refused.value.outcome is Outcome.NOT_APPLIED
        assert "`batch`" in refused.value.hint


@pytest.mark.parametrize(
    "text", ["INSERT INTO t VALUES (1)", "CREATE TEMP TABLE t (n int)", "DO $$ BEGIN END $$"]
)
def test_what_reads_begins_so(text: str) -> None:
    with pytest.raises(InvalidArgument, match="no read") as refused:
        reading(text, ())
    assert "execute" in refused.value.hint
    assert writing(text, ()).text == text


@pytest.mark.parametrize("text", ["SELEC 1", "/* a */ selct 1", "1 + 1", "'SELECT 1'", "(selec 1)"])
def test_a_slip_of_the_pen_is_no_write(text: str) -> None:
    with pytest.raises(InvalidArgument, match="syntax error") as refused:
        reading(text, ())
    assert "SELECT" in refused.value.hint
    assert "execute" not in refused.value.hint


def test_there_are_not_too_many_parameters() -> None:
    with pytest.raises(InvalidArgument, match=str(PARAMETERS_MAX)):
        reading("SELECT 1", [None] * (PARAMETERS_MAX + 1))


def test_tokens_stand_where_they_stand() -> None:
    text = "SELECT 'a' -- b\n , $1 >= c"
    found = [*tokens(text)]
    assert all(text[at:].startswith(part) for _, part, at in found)
    assert [kind for kind, _, _ in found] == [
        "word", "quoted", "other", "place", "other", "other", "word",
    ]  # fmt: skip
