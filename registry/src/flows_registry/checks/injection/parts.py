"""The parts of an answer: what several requests bring together may be of several moments."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import cast

from flows_registry.checks.injection.histories import Answer

__all__ = ["parts_of"]

Alike = Callable[[Answer, Answer], bool]


def parts_of(given: Answer) -> Sequence[Alike]:
    """For each part of an answer whether another answer has it: of a mapping its items, of a
    sequence its elements; nothing has none."""
    kind, what = given
    if kind == "error":
        return ()
    if isinstance(what, Mapping):
        return [partial(_has_item, key) for key in cast("Mapping[object, object]", what)]
    if isinstance(what, list | tuple):
        return [partial(_has_element, each) for each in cast("Sequence[object]", what)]
    return ()


def _has_item(key: object, want: Answer, given: Answer) -> bool:
    wanted, what = want[1], given[1]
    if not isinstance(wanted, Mapping) or not isinstance(what, Mapping):
        return False
    one, other = cast("Mapping[object, object]", wanted), cast("Mapping[object, object]", what)
    return key in one and one[key] == other.get(key)


def _has_element(element: object, want: Answer, given: Answer) -> bool:
    wanted = want[1]
    return isinstance(wanted, list | tuple) and element in cast("Sequence[object]", wanted)
