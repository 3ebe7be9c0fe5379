"""One command and its parameters, checked before anybody runs it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from core_caps.capabilities.sql import SqlValue, Statement
from core_caps.errors import InvalidArgument
from core_caps.sqlite.tokens import Token, need_utf8, tokens_of

__all__ = ["Command", "checked_key", "checked_statements", "command"]

PARAMETERS_MAX = 32_766
"""https://www.sqlite.org/limits.html#max_variable_number"""

INTEGER_MAX = 2**63 - 1
"""https://www.sqlite.org/datatype3.html"""

_Plain = None | int | float | str | bytes


class Command(NamedTuple):
    """One command.

    Attributes:
        tokens: without what ends it.
        values: of `$1`, `$2`, …, each of a type that SQLite has.
    """

    tokens: Sequence[Token]
    values: Sequence[_Plain]

    @property
    def words(self) -> Sequence[Token]:
        """Its tokens without blanks and comments."""
        return [token for token in self.tokens if token.kind != "blank"]

    def written(self, place: Callable[[int], str]) -> str:
        """Its text, with this in the place of each parameter."""
        return "".join(
            place(token.place) if token.kind == "place" else token.text for token in self.tokens
        )


def command(
    text: object,
    params: object,
    *,
    parameters_max: int = PARAMETERS_MAX,
    integer_max: int = INTEGER_MAX,
) -> Command:
    """A statement and its parameters, as one command.

    Args:
        text: the statement.
        params: its parameters.
        parameters_max: how many there may be.
        integer_max: the greatest integer that comes back as it went in.

    Raises:
        InvalidArgument: it is no statement, several, has other placeholders or another number of
            them, or a value is of no type that SQLite has; NOT_APPLIED.
    """
    if not isinstance(text, str):
        raise InvalidArgument(
            f"a statement is text, not {type(text).__name__}", hint="give one command as text"
        )
    values = _values(params, parameters_max, integer_max)
    tokens = _only(tokens_of(text))
    places = {token.place for token in tokens if token.kind == "place"}
    if places != set(range(1, len(values) + 1)):
        raise InvalidArgument(
            f"{len(values)} parameters were given, and the statement names {_shown(places)}",
            hint="give as many as it names, each of $1, $2, … in it",
        )
    return Command(tokens, values)


def checked_statements(statements: object) -> Sequence[Statement]:
    """Several statements.

    Raises:
        InvalidArgument: they are no sequence of `Statement`s; NOT_APPLIED.
    """
    if not isinstance(statements, list | tuple):
        raise InvalidArgument(
            f"statements are a list, not {type(statements).__name__}",
            hint="give a list of Statement(text, params)",
        )
    for each in cast("Sequence[object]", statements):
        if not isinstance(each, Statement):
            raise InvalidArgument(
                f"{type(each).__name__} is no Statement",
                hint="give a list of Statement(text, params)",
            )
    return cast("Sequence[Statement]", statements)


def checked_key(key: object) -> str:
    """An idempotency key, or "" for none.

    Raises:
        InvalidArgument: it is no text that can be stored; NOT_APPLIED.
    """
    if not isinstance(key, str):
        raise InvalidArgument(
            f"a key is text, not {type(key).__name__}", hint='give text, or "" for no key'
        )
    need_utf8(key, "a key")
    return key


def _only(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens of the one command, up to the semicolon that ends it."""
    places = [at for at, token in enumerate(tokens) if token.kind != "blank"]
    said = [tokens[at].text.lower() for at in places]
    if all(each == ";" for each in said):
        raise InvalidArgument("there is no command in the statement", hint="give one command")
    # A trigger holds commands: it ends where END follows a semicolon, as
    # https://www.sqlite.org/c3ref/complete.html has it.
    holds = said[0] == "create" and "trigger" in said[1:3]
    ends = (
        at
        for at, each in enumerate(said)
        if each == ";" and (not holds or said[at - 2 : at] == [";", "end"])
    )
    end = next(ends, len(said))
    if any(each != ";" for each in said[end:]):
        raise InvalidArgument(
            "there are several commands in one statement",
            hint="give each to batch, or to query_batch if they only read",
        )
    return tokens if end == len(said) else tokens[: places[end]]


def _values(params: object, parameters_max: int, integer_max: int) -> list[_Plain]:
    if not isinstance(params, list | tuple):
        raise InvalidArgument(
            f"parameters are a list or a tuple, not {type(params).__name__}",
            hint="give one value for each of $1, $2, …",
        )
    given = cast("Sequence[Any]", params)
    if len(given) > parameters_max:
        raise InvalidArgument(
            f"{len(given)} parameters are more than {parameters_max}",
            hint="split the statement, or give many values as one text of JSON to json_each",
        )
    return [_value(value, number, integer_max) for number, value in enumerate(given, 1)]


def _value(value: SqlValue, number: int, integer_max: int) -> _Plain:
    """What SQLite stores for it, where that comes back as it went in."""
    match value:
        case None | bytes():
            return value
        case bool():
            return int(value)
        case int() if -integer_max - (integer_max == INTEGER_MAX) <= value <= integer_max:
            return value
        case int():
            raise InvalidArgument(
                f"${number} is an integer beyond {integer_max}", hint="pass it as text"
            )
        case float() if value == value:
            return value
        case float():
            raise InvalidArgument(
                f"${number} is no number, which SQLite would store as NULL", hint="pass None"
            )
        case str():
            need_utf8(value, f"${number}")
            return value
        case _:
            raise InvalidArgument(
                f"SQLite has no type for ${number}, which is {type(value).__name__}",
                hint="pass it as text, bytes or a number",
            )


def _shown(places: set[int]) -> str:
    return ", ".join(f"${place}" for place in sorted(places)) or "none"
