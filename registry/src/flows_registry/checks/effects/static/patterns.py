"""Patterns of `match`: whether they fit, and what their names then are."""

import ast

from flows_registry.checks.effects.static.attributes import load
from flows_registry.checks.effects.static.constants import constant, plain
from flows_registry.checks.effects.static.expressions import evaluate
from flows_registry.checks.effects.static.frame import Frame
from flows_registry.checks.effects.static.values import HOLE, Obj, Value

__all__ = ["fits"]


def fits(frame: Frame, pattern: ast.pattern, subject: Value, parts: Value) -> bool | None:
    """Whether a pattern certainly matches or certainly does not; binds its names."""
    match pattern:
        case ast.MatchAs(pattern=None, name=name):
            if name:
                frame.bind(name, subject)
            return True
        case ast.MatchAs(pattern=ast.pattern() as inner, name=str(name)):
            frame.bind(name, subject)
            return fits(frame, inner, subject, parts)
        case ast.MatchValue(value=value):
            return _equals(subject, evaluate(frame, value))
        case ast.MatchSingleton(value=value):
            return _equals(subject, frozenset({constant(value)}))
        case ast.MatchOr(patterns=patterns):
            answers = [fits(frame, inner, subject, parts) for inner in patterns]
            if True in answers:
                return True
            return None if None in answers else False
        case _:
            _bind_names(frame, pattern, parts)
            return None


def _equals(subject: Value, wanted: Value) -> bool | None:
    left = {plain(atom) for atom in subject}
    right = {plain(atom) for atom in wanted}
    if HOLE in left or HOLE in right or not left or not right:
        return None
    if left.isdisjoint(right):
        return False
    return True if len(left) == len(right) == 1 else None


def _bind_names(frame: Frame, pattern: ast.pattern, parts: Value) -> None:
    """Every name in a structured pattern may be any part of the subject."""
    held = parts
    for atom in parts:
        if isinstance(atom, Obj):
            held |= frame.machine.contents(atom)
    for inner in ast.walk(pattern):
        match inner:
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                frame.bind(name, held)
            case ast.MatchMapping(rest=str(name)):
                frame.bind(name, held)
            case ast.MatchValue(value=value):
                evaluate(frame, value)
            case ast.MatchClass(kwd_attrs=names):
                for name in names:  # a property may run
                    held |= load(frame.machine, parts, name, inner.cls)
            case _:
                pass
