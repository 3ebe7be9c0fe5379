"""Statements as they are sent: every parameter as text of a documented kind, or a number.

The API's parameters are texts (https://developers.cloudflare.com/api/resources/d1/), and a number
of JSON is a double there, so a whole number goes as text that the statement casts, bytes as hex
that it decodes, and NULL stands in the statement itself. What comes back has the type that went in.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from core_caps.capabilities.sql import Isolation
from core_caps.errors import InvalidArgument
from core_caps.sqlite.commands import Command, checked_statements, command
from core_caps.sqlite.reads import need_read
from core_caps.sqlite.verbs import refuse_control

from cap_cloudflare_d1 import limits
from cap_cloudflare_d1.functions import FUNCTIONS

__all__ = ["KEYS", "Wire", "all_reading", "all_writing", "keyed", "reading", "writing"]

KEYS = "_flows_keys"
"""The table of idempotency keys. It lies beside what was written under them, so that one batch
holds both: a key that is taken breaks its constraint, and with it the whole batch. No row is ever
removed here: a key that is forgotten is a write that may happen twice."""

_CREATE_KEYS = (
    "CREATE TABLE IF NOT EXISTS _flows_keys (key TEXT PRIMARY KEY, used_at REAL NOT NULL) "
    "STRICT, WITHOUT ROWID"
)
_TAKE_KEY = "INSERT INTO _flows_keys (key, used_at) VALUES (?1, ?2)"

_ISOLATIONS: tuple[object, ...] = (None, *get_args(Isolation))
"""D1's batches are serialisable, which is as good as each of them."""


class Wire(NamedTuple):
    """A statement and its parameters as they are sent."""

    sql: str
    params: Sequence[str | float]

    def shown(self) -> Mapping[str, object]:
        """It as the API's JSON."""
        return {"sql": self.sql, "params": self.params}


def reading(text: object, params: object) -> Wire:
    """A statement that is proven to only read.

    Raises:
        InvalidArgument: it is not, or breaks a limit; NOT_APPLIED.
    """
    given = _checked(text, params)
    need_read(given, FUNCTIONS)
    return _wire(given)


def writing(text: object, params: object) -> Wire:
    """A statement that may write.

    Raises:
        InvalidArgument: it is none that D1 runs, or breaks a limit; NOT_APPLIED.
    """
    given = _checked(text, params)
    refuse_control(given)
    return _wire(given)


def all_reading(statements: object, isolation: object) -> list[Wire]:
    """Statements that are proven to only read.

    Raises:
        InvalidArgument: there is no such isolation, or as for `reading`, of the first that is
            wrong; NOT_APPLIED.
    """
    _check_isolation(isolation)
    return [reading(each.text, each.params) for each in checked_statements(statements)]


def all_writing(statements: object, isolation: object) -> list[Wire]:
    """Statements that may write.

    Raises:
        InvalidArgument: there is no such isolation, or as for `writing`, of the first that is
            wrong; NOT_APPLIED.
    """
    _check_isolation(isolation)
    return [writing(each.text, each.params) for each in checked_statements(statements)]


def keyed(key: str, now: float) -> list[Wire]:
    """What stands in front of statements that are applied once under a key."""
    return [Wire(_CREATE_KEYS, ()), Wire(_TAKE_KEY, (key, now))]


def _check_isolation(isolation: object) -> None:
    if isolation not in _ISOLATIONS:
        names = ", ".join(map(str, _ISOLATIONS[1:]))
        raise InvalidArgument(f"there is no isolation {isolation!r}", hint=f"use one of: {names}")


def _checked(text: object, params: object) -> Command:
    given = command(
        text, params, parameters_max=limits.PARAMETERS_MAX, integer_max=limits.INTEGER_MAX
    )
    for token in given.tokens:
        # Where SQLite misses a name, it takes a string for one.
        named = token.text[1:-1].lower() if token.kind == "string" else token.name
        if named == KEYS:
            raise InvalidArgument(
                f"the table {KEYS} is not for statements", hint="give execute or batch a key"
            )
    return given


def _wire(given: Command) -> Wire:
    places: list[str] = []
    params: list[str | float] = []
    for number, value in enumerate(given.values, 1):
        form, sent = _sent(value, number)
        if sent is not None:
            params.append(sent)
        places.append(form.replace("?", f"?{len(params)}"))
    sql = given.written(lambda number: places[number - 1])
    size_bytes = len(sql.encode())
    if size_bytes > limits.STATEMENT_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the statement has {size_bytes} bytes; the limit is {limits.STATEMENT_SIZE_BYTES_MAX}",
            hint="give long values as parameters",
        )
    return Wire(sql, params)


def _sent(value: object, number: int) -> tuple[str, str | float | None]:
    """What stands in the statement for a value, and what is sent for it.

    The plus takes away the affinity that a cast has and a parameter has not:
    https://www.sqlite.org/datatype3.html#affinity_of_expressions
    """
    match value:
        case None:
            return "NULL", None
        case int():
            return "(+CAST(? AS INTEGER))", str(value)
        case float():
            if not math.isfinite(value):
                raise InvalidArgument(
                    f"${number} is no finite number, which JSON has not", hint="pass it as text"
                )
            return "?", value
        case bytes():
            _check_size(len(value), limits.BYTES_SIZE_MAX, number)
            return "unhex(?)", value.hex()
        case _:
            text = str(value)
            _check_size(len(text.encode()), limits.VALUE_SIZE_BYTES_MAX, number)
            return "?", text


def _check_size(size_bytes: int, most: int, number: int) -> None:
    if size_bytes > most:
        raise InvalidArgument(
            f"${number} has {size_bytes} bytes; the limit is {most}",
            hint="keep what is long in a BlobStore, and its key here",
        )
