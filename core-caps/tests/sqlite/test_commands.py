"""A statement is one command with as many parameters as it names, or is refused."""

import pytest
from core_caps.errors import InvalidArgument
from core_caps.sqlite.commands import command

pytestmark = pytest.mark.feature("DC-04")

TRIGGER = """CREATE TRIGGER a AFTER INSERT ON t BEGIN
UPDATE t SET n = CASE WHEN 1 THEN 2 END; DELETE FROM u; END"""


@pytest.mark.parametrize(
    "text",
    ["SELECT 1", "SELECT 1;", " SELECT 1 ; ; -- that is all", TRIGGER, TRIGGER + " ; -- so"],
)
def test_one_command_is_one(text: str) -> None:
    written = command(text, ()).written(str)
    assert not written.rstrip().endswith(";")
    assert text.startswith(written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        ";",
        " ; -- nothing",
        "; SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT ';' ; /* ; */ DELETE FROM t",
        TRIGGER + "; DELETE FROM t",
        "CREATE TRIGGER a AFTER INSERT ON t BEGIN DELETE FROM t; END; DELETE FROM t; END",
        "SELECT 'unclosed",
        'SELECT "unclosed',
        "SELECT [unclosed",
        "SELECT `unclosed",
        "SELECT 1 \\ 2",
        "SELECT\x0b1",
        "SELECT 'nul\0'",
    ],
)
def test_what_is_not_one_command_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        command(text, ())


def test_limits_are_the_callers() -> None:
    assert command("SELECT $1", (2**63 - 1,)).values == [2**63 - 1]
    assert command("SELECT $1", (-(2**63),)).values == [-(2**63)]
    for given in (2**53, -(2**53)):
        with pytest.raises(InvalidArgument):
            command("SELECT $1", (given,), integer_max=2**53 - 1)
    with pytest.raises(InvalidArgument):
        command("SELECT $1, $2", ("a", "b"), parameters_max=1)


def test_several_commands_are_told_of_batches() -> None:
    with pytest.raises(InvalidArgument, match="several commands") as refused:
        command("DELETE FROM t; DELETE FROM u", ())
    assert "batch" in refused.value.hint
