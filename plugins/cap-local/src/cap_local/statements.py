"""Statements as SQLite is to see them: `$1` in the place of a parameter, and nowhere else.

SQLite has four kinds of placeholders of its own. They are refused, so that what runs here runs on
other databases, too; what is quoted or commented is left alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

from core_caps.sqlite.commands import checked_statements, command
from core_caps.sqlite.reads import need_read
from core_caps.sqlite.verbs import refuse_control

__all__ = ["Bound", "all_bound", "bound"]


class Bound(NamedTuple):
    """A statement with SQLite's numbered placeholders, and their values."""

    text: str
    values: Mapping[str, object]


def bound(text: object, params: object, *, reads: bool = False) -> Bound:
    """A statement and its parameters as SQLite takes them.

    Raises:
        InvalidArgument: it is no statement, several, or one about transactions or files, does not
            read where it is to, has other placeholders or another number of them, or a value is
            of no type that SQLite has; NOT_APPLIED.
    """
    given = command(text, params)
    if reads:
        need_read(given, None)
    else:
        refuse_control(given)
    values = {str(number): value for number, value in enumerate(given.values, 1)}
    return Bound(given.written("?{}".format), values)


def all_bound(statements: object, *, reads: bool = False) -> list[Bound]:
    """Several statements as SQLite takes them.

    Raises:
        InvalidArgument: they are no sequence of `Statement`s, or as for `bound`; NOT_APPLIED.
    """
    return [bound(each.text, each.params, reads=reads) for each in checked_statements(statements)]
