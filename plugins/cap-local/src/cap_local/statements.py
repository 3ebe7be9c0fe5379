"""Statements as SQLite is to see them: `$1` in the place of a parameter, and nowhere else.

SQLite has four kinds of placeholders of its own. They are refused, so that what runs here runs on
other databases, too; what is quoted or commented is left alone.
Tokens: https://www.sqlite.org/lang_expr.html and tokenize.c of its source.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from core_caps.capabilities.sql import SqlValue, Statement
from core_caps.errors import InvalidArgument

__all__ = ["Bound", "bound", "checked_key", "checked_statements"]

PARAMETERS_MAX = 32_766
"""https://www.sqlite.org/limits.html#max_variable_number"""

_TOKEN = re.compile(
    r"""
      (?P<blank>    \s+ | --[^\n]* | /\*(?:.*?\*/|.*\Z) )
    | (?P<quoted>   '(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] )
    | (?P<word>     [^\W\d][\w$]* | \d[\w$.]* )
    | (?P<number>   \$(?P<place>[1-9]\d*)(?![\w$]) )
    | (?P<foreign>  \?\d* | [$:@\#][\w$]+ )
    | (?P<end>      ; )
    | (?P<other>    . )
    """,
    re.VERBOSE | re.DOTALL,
)

_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**63 - 1


class Bound(NamedTuple):
    """A statement with SQLite's numbered placeholders, and their values."""

    text: str
    values: Mapping[str, object]


def bound(text: object, params: object) -> Bound:
    """A statement and its parameters as SQLite takes them.

    Raises:
        InvalidArgument: it is no statement, has other placeholders or another number of them, or
            a value is of no type that SQLite has; NOT_APPLIED.
    """
    if not isinstance(text, str):
        raise InvalidArgument(f"a statement is text, not {type(text).__name__}")
    _need_utf8(text, "a statement")
    values = _values(params)
    parts: list[str] = []
    places: set[int] = set()
    says_something = False
    for token in _TOKEN.finditer(text):
        kind, found = token.lastgroup, token.group()
        if kind == "foreign":
            raise InvalidArgument(
                f"{found} is no parameter here", hint="number parameters: $1, $2, …"
            )
        if token["place"]:
            places.add(int(token["place"]))
            found = "?" + token["place"]
        says_something = says_something or not (token["blank"] or token["end"])
        parts.append(found)
    if not says_something:
        raise InvalidArgument("there is no command in the statement")
    if places != set(range(1, len(values) + 1)):
        raise InvalidArgument(
            f"{len(values)} parameters were given, and the statement names {_shown(places)}",
            hint="give as many as it names, each of $1, $2, … in it",
        )
    return Bound("".join(parts), {str(number): value for number, value in enumerate(values, 1)})


def checked_statements(statements: object) -> list[Bound]:
    """Several statements as SQLite takes them.

    Raises:
        InvalidArgument: they are no sequence of `Statement`s, or as for `bound`; NOT_APPLIED.
    """
    if not isinstance(statements, list | tuple):
        raise InvalidArgument(f"statements are a list, not {type(statements).__name__}")
    given = cast("Sequence[object]", statements)
    for each in given:
        if not isinstance(each, Statement):
            raise InvalidArgument(f"{type(each).__name__} is no Statement")
    return [bound(each.text, each.params) for each in cast("Sequence[Statement]", given)]


def checked_key(key: object) -> str:
    """An idempotency key, or "" for none.

    Raises:
        InvalidArgument: it is no text that can be stored; NOT_APPLIED.
    """
    if not isinstance(key, str):
        raise InvalidArgument(f"a key is text, not {type(key).__name__}")
    _need_utf8(key, "a key")
    return key


def _values(params: object) -> list[object]:
    if not isinstance(params, list | tuple):
        raise InvalidArgument(f"parameters are a list or a tuple, not {type(params).__name__}")
    given = cast("Sequence[Any]", params)
    if len(given) > PARAMETERS_MAX:
        raise InvalidArgument(f"{len(given)} parameters are more than {PARAMETERS_MAX}")
    return [_value(value, number) for number, value in enumerate(given, 1)]


def _value(value: SqlValue, number: int) -> object:
    """What SQLite stores for it, where that comes back as it went in."""
    match value:
        case None | bytes():
            return value
        case bool():
            return int(value)
        case int() if _INTEGER_MIN <= value <= _INTEGER_MAX:
            return value
        case int():
            raise InvalidArgument(f"${number} is an integer of more than 64 bits")
        case float() if value == value:
            return value
        case float():
            raise InvalidArgument(f"${number} is no number, which SQLite would store as NULL")
        case str():
            _need_utf8(value, f"${number}")
            return value
        case _:
            raise InvalidArgument(
                f"SQLite has no type for ${number}, which is {type(value).__name__}",
                hint="pass it as text, bytes or a number",
            )


def _need_utf8(text: str, what: str) -> None:
    if "\0" in text:
        raise InvalidArgument(f"{what} has a NUL inside, which no database keeps")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{what} has no UTF-8 form") from error


def _shown(places: set[int]) -> str:
    return ", ".join(f"${place}" for place in sorted(places)) or "none"
