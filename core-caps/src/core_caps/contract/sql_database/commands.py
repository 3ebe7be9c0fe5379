"""Promises about statements: one command, one that the database understands, and no transaction."""

from core_caps.capabilities.sql import Sql, Statement
from core_caps.contract.reading import refused
from core_caps.contract.sql_database.tables import PEOPLE, gives, people, refused_whole
from core_caps.contract.suite import World, promise

__all__ = ["CASES"]

_NOTHING = ("", "   \n", ";", "-- only a comment", "/* only a comment */", " ; ; ")

_WRONG = (
    "SELEKT 1",
    "SELECT FROM WHERE",
    "SELECT (1",
    "SELECT 'unclosed",
    "SELECT * FROM there_is_no_such_table_7f3a",
    "SELECT no_such_column FROM ~",
    "SELECT no_such_function_7f3a(1)",
)

_WRONG_WRITES = (
    "INSERT INTO there_is_no_such_table_7f3a (id) VALUES (1)",
    "INSERT INTO ~ (id, no_such_column) VALUES (9, 1)",
    "INSERT INTO ~ (id) VALUES (9, 10)",
    "UPDATE ~ SET no_such_column = 1",
    "DELETE FROM ~ WHERE no_such_column = 1",
    "DROP TABLE there_is_no_such_table_7f3a",
    "CREATE TABLE ~ (id BIGINT)",
)

_CONTROL = (
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "END",
    "SAVEPOINT here",
    "RELEASE SAVEPOINT here",
    "ROLLBACK TO SAVEPOINT here",
    "/* quietly */ COMMIT;",
)


@promise("query", "execute")
async def several_commands_are_refused(sql: Sql, world: World) -> None:
    """None of them is run, the first neither."""
    table = await people(sql, world, "several")
    for text in (
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM ~",
        "DELETE FROM ~; SELECT 1",
        "INSERT INTO ~ (id) VALUES (8); INSERT INTO ~ (id) VALUES (9)",
        "SELECT ';' ; /* ; */ DELETE FROM ~ -- ;",
    ):
        statement = table(text)
        for call in (sql.query, sql.execute):
            await refused_whole(
                sql,
                world,
                table,
                f"several commands are refused: {text}",
                lambda call=call, statement=statement: call(statement),
            )


@promise("query", "batch", "query_batch", "execute")
async def several_commands_in_one_place_of_a_batch_are_refused(sql: Sql, world: World) -> None:
    """A batch has one command in each of its places."""
    table = await people(sql, world, "several-batch")
    two = [Statement(table("DELETE FROM ~ WHERE id = 1; DELETE FROM ~ WHERE id = 2"))]
    await refused_whole(sql, world, table, "two in one place", lambda: sql.batch(two))
    reads = [Statement("SELECT 1"), Statement("SELECT 1; SELECT 2")]
    await refused("two in one place of a reading batch", sql.query_batch(reads))


@promise("query")
async def one_command_may_end_in_a_semicolon(sql: Sql, world: World) -> None:
    """And stand among comments and spaces."""
    for statement in ("SELECT 1;", " /* a; */ SELECT 1 ; -- b;\n", "\n-- c\nSELECT 1\n;\n"):
        await gives(sql, world, "a semicolon may end a command", statement, [(1,)])


@promise("query", "execute")
async def no_command_at_all_is_refused(sql: Sql, world: World) -> None:
    """Nothing to do is a mistake."""
    for statement in _NOTHING:
        await refused(f"{statement!r} is no statement", sql.query(statement))
        await refused(f"{statement!r} is no statement", sql.execute(statement))


@promise("query", "execute")
async def what_the_database_does_not_understand_is_refused(sql: Sql, world: World) -> None:
    """A wrong word, and a table, column or function that does not exist."""
    table = await people(sql, world, "wrong")
    for text in _WRONG:
        await refused(f"{text} is refused", sql.query(table(text)))
    for text in _WRONG_WRITES:
        await refused_whole(
            sql, world, table, f"{text} is refused", lambda text=text: sql.execute(table(text))
        )


@promise("query", "execute", "batch")
async def transactions_are_not_a_statements_to_begin_or_end(sql: Sql, world: World) -> None:
    """A COMMIT in a batch would tear it apart."""
    table = await people(sql, world, "control")
    insert = Statement(table("INSERT INTO ~ (id, name) VALUES (9, 'x')"))
    for text in _CONTROL:
        await refused(f"query refuses {text}", sql.query(text))
        await refused(f"execute refuses {text}", sql.execute(text))
        await refused_whole(
            sql,
            world,
            table,
            f"a batch with {text} is refused",
            lambda text=text: sql.batch([insert, Statement(text), insert]),
        )
    await sql.execute(insert.text)
    await gives(sql, world, "afterwards all is as ever", table.all, [*PEOPLE, (9, "x")])


CASES = (
    several_commands_are_refused,
    several_commands_in_one_place_of_a_batch_are_refused,
    one_command_may_end_in_a_semicolon,
    no_command_at_all_is_refused,
    what_the_database_does_not_understand_is_refused,
    transactions_are_not_a_statements_to_begin_or_end,
)
