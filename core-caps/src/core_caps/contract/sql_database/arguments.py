"""Promises about arguments of another type: each is refused, and nothing is written.

A table of calls: what a type checker would refuse is met at run time too.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from core_caps.capabilities.sql import Sql, Statement
from core_caps.contract.reading import all_refused
from core_caps.contract.suite import Call, World, promise

__all__ = ["CASES", "wrong_calls"]

_NO_TEXT: tuple[Any, ...] = (None, 5, 1.5, True, b"SELECT 1", ("SELECT 1",), Statement("SELECT 1"))
_NO_PARAMS: tuple[Any, ...] = (None, 5, True, "a", b"a", {"a": 1}, {"a"}, iter(()), object())
_NO_STATEMENTS: tuple[Any, ...] = (
    None,
    5,
    "SELECT 1",
    b"SELECT 1",
    {"SELECT 1": ()},
    Statement("SELECT 1"),
    ["SELECT 1"],
    [("SELECT 1", ())],
    [None],
    [Statement("SELECT 1"), 5],
)
_NO_ISOLATION: tuple[Any, ...] = (5, True, "", "Serializable", b"serializable", ["serializable"])
_NO_KEY: tuple[Any, ...] = (None, 5, True, b"key", ["key"], ("key",))

_ONE = [Statement("SELECT 1")]

_Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def wrong_calls() -> Iterator[Call]:
    """Calls that no provider takes."""
    alone: list[_Arguments] = [((bad,), {}) for bad in _NO_TEXT]
    alone += [(("SELECT 1", bad), {}) for bad in _NO_PARAMS]
    together: list[_Arguments] = [((bad,), {}) for bad in _NO_STATEMENTS]
    together += [(([Statement(bad)],), {}) for bad in _NO_TEXT]
    together += [(([Statement("SELECT 1", bad)],), {}) for bad in _NO_PARAMS]
    together += [((_ONE,), {"isolation": bad}) for bad in _NO_ISOLATION]
    yield from _each(("query", "execute"), alone)
    yield from _each(("query_batch", "batch"), together)
    yield from _each(("execute",), [(("SELECT 1",), {"key": bad}) for bad in _NO_KEY])
    yield from _each(("batch",), [((_ONE,), {"key": bad}) for bad in _NO_KEY])


def _each(operations: Iterable[str], given: Iterable[_Arguments]) -> Iterator[Call]:
    for args, named in given:
        for operation in operations:
            yield Call(operation, args, named)


@promise(courtesy=True)
async def an_argument_of_another_type_is_refused(sql: Sql, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, whichever operation and argument."""
    await all_refused(sql, world, wrong_calls())


CASES = (an_argument_of_another_type_is_refused,)
