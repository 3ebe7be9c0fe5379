"""Promises about parameters: numbered, never text, and as many as the statement names."""

from core_caps.capabilities.sql import Sql, SqlValue, Statement
from core_caps.contract.reading import refused
from core_caps.contract.sql_database.tables import PEOPLE, gives, made, people, refused_whole
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_TEXT = "SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($1 AS TEXT)"

_INJECTIONS = (
    "'; DROP TABLE ~; --",
    "' OR '1'='1",
    '"; DELETE FROM ~; --',
    "$1",
    "\\'; SELECT 1; --",
    "*/ DELETE FROM ~ /*",
)


@promise("query")
async def a_parameter_stands_where_its_number_says(sql: Sql, world: World) -> None:
    """In any order, and as often as it is named."""
    await gives(sql, world, "$1 twice is one parameter", _TEXT, [("a", "b", "a")], ("a", "b"))
    backwards = "SELECT CAST($3 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)"
    await gives(
        sql, world, "numbers count, not places", backwards, [("c", "a", "b")], ["a", "b", "c"]
    )


@promise("query")
async def more_than_nine_parameters_keep_apart(sql: Sql, world: World) -> None:
    """`$1` is not the beginning of `$12`."""
    params = [f"p{number}" for number in range(1, 13)]
    named = ", ".join(f"CAST(${number} AS TEXT)" for number in range(12, 0, -1))
    await gives(
        sql, world, "$12 is the twelfth", "SELECT " + named, [tuple(reversed(params))], params
    )


@promise("query")
async def what_is_quoted_is_no_parameter(sql: Sql, world: World) -> None:
    """A `$1`, a `?` and a `;` inside a string, a quoted name or a comment are text."""
    found = await gives(
        sql,
        world,
        "a string keeps its $1",
        "SELECT '$1; it''s $2 ? :x -- no' AS \"$1;?\" /* $3; ' */ -- $4; \"",
        [("$1; it's $2 ? :x -- no",)],
    )
    expect("a quoted name keeps its $1", tuple(found.columns) == ("$1;?",), found.columns)
    mixed = "SELECT '$2' AS a, CAST($1 AS TEXT) /* ' */ AS b, '\"' AS c, '--' AS d"
    await gives(sql, world, "what follows is read as ever", mixed, [("$2", "x", '"', "--")], ("x",))


@promise("query")
async def another_number_of_parameters_is_refused(sql: Sql, world: World) -> None:
    """Too few, too many, none at all, and none wanted."""
    for statement, params in (
        (_TEXT, ()),
        (_TEXT, ("a",)),
        (_TEXT, ("a", "b", "c")),
        ("SELECT CAST($1 AS TEXT)", ()),
        ("SELECT 1", ("a",)),
        ("SELECT '$1'", ("a",)),
    ):
        await refused(
            f"{len(params)} parameters for {statement} are refused", sql.query(statement, params)
        )


@promise("query", "execute", "batch")
async def a_write_with_another_number_of_parameters_is_refused(sql: Sql, world: World) -> None:
    """Nothing is written, in a batch by its other statements neither."""
    table = await people(sql, world, "params-count")
    insert = table("INSERT INTO ~ (id, name) VALUES ($1, $2)")
    for params in ((), (7,), (7, "a", "b")):
        await refused_whole(
            sql,
            world,
            table,
            f"{len(params)} parameters for two are refused",
            lambda params=params: sql.execute(insert, params),
        )
        statements = [Statement(insert, (8, "x")), Statement(insert, params)]
        await refused_whole(
            sql,
            world,
            table,
            f"{len(params)} parameters for two are refused in a batch",
            lambda statements=statements: sql.batch(statements),
        )


@promise("query")
async def other_placeholders_are_refused(sql: Sql, world: World) -> None:
    """`?`, `:name`, `@name` and `$0` are one dialect's own."""
    for mark in ("?", "?1", ":a", "@a", "$a", "$0"):
        await refused(
            f"{mark} is no parameter", sql.query("SELECT CAST(" + mark + " AS TEXT)", ("a",))
        )


@promise("query", "execute")
async def a_parameter_is_never_read_as_sql(sql: Sql, world: World) -> None:
    """Quotes, comments and commands in a text are text."""
    table = await people(sql, world, "params-injection")
    await sql.execute(table("DELETE FROM ~"))
    texts = [table(text) for text in _INJECTIONS]
    insert = table("INSERT INTO ~ (id, name) VALUES ($1, $2)")
    for number, text in enumerate(texts):
        await sql.execute(insert, (number, text))
    await gives(sql, world, "a text is stored as it is", table.all, [*enumerate(texts)])
    by_name = table("SELECT id FROM ~ WHERE name = $1")
    for number, text in enumerate(texts):
        await gives(sql, world, "a text is compared as it is", by_name, [(number,)], (text,))


@promise("query", "execute")
async def a_parameter_may_be_null(sql: Sql, world: World) -> None:
    """None is NULL wherever a value may stand."""
    columns = "id BIGINT PRIMARY KEY, a TEXT, b BIGINT, c DOUBLE PRECISION, d BYTEA"
    table = await made(sql, world, "params-null", columns)
    row: tuple[SqlValue, ...] = (1, None, None, None, None)
    await sql.execute(table("INSERT INTO ~ VALUES ($1, $2, $3, $4, $5)"), row)
    await gives(sql, world, "NULL comes back as None", table.all, [row])
    missing = table("SELECT id FROM ~ WHERE a IS NULL AND b IS NULL AND c IS NULL AND d IS NULL")
    await gives(sql, world, "None is NULL to the database", missing, [(1,)])


@promise("query", "execute")
async def parameters_are_given_as_any_sequence(sql: Sql, world: World) -> None:
    """A list and a tuple are the same, and neither is changed."""
    table = await people(sql, world, "params-sequence")
    given: list[SqlValue] = [4, "Edsger"]
    insert = table("INSERT INTO ~ (id, name) VALUES ($1, $2)")
    await sql.execute(insert, given)
    await sql.execute(insert, (5, "Barbara"))
    expect("the parameters stay as they were", given == [4, "Edsger"], given)
    wanted = [*PEOPLE, (4, "Edsger"), (5, "Barbara")]
    await gives(sql, world, "lists and tuples are alike", table.all, wanted)


CASES = (
    a_parameter_stands_where_its_number_says,
    more_than_nine_parameters_keep_apart,
    what_is_quoted_is_no_parameter,
    another_number_of_parameters_is_refused,
    a_write_with_another_number_of_parameters_is_refused,
    other_placeholders_are_refused,
    a_parameter_is_never_read_as_sql,
    a_parameter_may_be_null,
    parameters_are_given_as_any_sequence,
)
