"""What an honest cache may answer: histories, and a model that follows what was forgotten."""

import random
from collections.abc import Sequence
from typing import cast

from core_caps.contract.suite import Call
from core_caps.errors import InvalidArgument

__all__ = ["CacheModel", "generate", "read_back"]

_KEYS = ("a", "a/b", "é%2F", "b")
_VALUES = (b"", b"v", b"value", bytes(range(256)), b"x" * 5000)
_TTLS = (3600, 86_400.5)
"""Longer than a history takes."""


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over four keys, with empty, binary and long values and a few refused calls."""
    weights = {"get": 4, "put": 5, "delete": 2}
    names = [name for name in weights if name in operations]
    chosen = source.choices(names, [weights[name] for name in names], k=length)
    return [_put(source) if name == "put" else Call(name, (_key(source),)) for name in chosen]


class CacheModel:
    """For each key the values that it may still have; that it has none is always possible."""

    def __init__(self) -> None:
        self._held: dict[str, frozenset[bytes]] = {}

    def apply(self, call: Call) -> object:
        """An answer that an honest cache gives.

        Raises:
            InvalidArgument: the protocol refuses the call; nothing changed.
        """
        if _is_refused(call):
            raise InvalidArgument(f"{call.operation} is refused")
        answer = None
        if call.operation == "get":
            held = self._held.get(_key_of(call), frozenset())
            answer = next(iter(held)) if len(held) == 1 else None
        self.accepts(call, answer)
        return answer

    def accepts(self, call: Call, answer: object, error: str = "") -> bool:
        """Whether an honest cache may answer so."""
        if _is_refused(call):
            return error == InvalidArgument.__name__
        key = _key_of(call)
        if call.operation == "get":
            known = isinstance(answer, bytes) and answer in self._held.get(key, frozenset())
            return not error and (answer is None or known)
        if answer is not None or error:
            return False
        self._held[key] = _after(call)
        return True

    def lost(self, call: Call, applied: bool | None) -> None:
        """A call whose answer was lost: where nobody knows, the key may have either value."""
        if applied is not False and call.operation != "get" and not _is_refused(call):
            key = _key_of(call)
            before = frozenset[bytes]() if applied else self._held.get(key, frozenset())
            self._held[key] = before | _after(call)

    def state(self) -> object:
        """What each key may still have."""
        return {key: sorted(values) for key, values in sorted(self._held.items())}


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Every key that the calls name."""
    keys = dict.fromkeys(_key_of(call) for call in calls)
    return [Call("get", (key,)) for key in keys if key]


def _after(call: Call) -> frozenset[bytes]:
    """What a key may have once the call was applied."""
    return frozenset({cast("bytes", call.args[1])}) if call.operation == "put" else frozenset()


def _key_of(call: Call) -> str:
    return cast("str", call.args[0] if call.args else call.kwargs.get("key", ""))


def _is_refused(call: Call) -> bool:
    return not _key_of(call) or cast("float", call.kwargs.get("ttl_seconds", 1)) <= 0


def _key(source: random.Random) -> str:
    return "" if source.random() < 0.02 else source.choice(_KEYS)


def _put(source: random.Random) -> Call:
    seconds = 0 if source.random() < 0.03 else source.choice(_TTLS)
    return Call("put", (_key(source), source.choice(_VALUES)), {"ttl_seconds": seconds})
