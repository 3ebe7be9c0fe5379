"""What a perfect service would answer: histories, a sequential model, and what may be compared."""

import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from core_caps.capabilities.key_value import Entry, Page
from core_caps.contract.suite import Call
from core_caps.errors import InvalidArgument

__all__ = ["KvModel", "comparable", "generate", "read_back"]

_KEYS = ("a", "a/b", "é%2F", "b")
_VALUES = (b"", b"v", b"value", bytes(range(256)), b"x" * 5000)
_METADATA: tuple[Mapping[str, object] | None, ...] = (
    None,
    {},
    {"a": 1},
    {"text": "é\U0001f511", "list": [None, True, 0.5]},
)
_FAR = 4_102_444_800
_TTLS = (60, 61, 3600, 86_400)


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over four keys, with empty, binary and long values and a few refused calls."""
    makers = {
        "get": _read,
        "get_with_metadata": _read,
        "get_many": _read_many,
        "list": _list,
        "put": _put,
        "put_many": _put_many,
        "delete": _read,
        "delete_many": _read_many,
    }
    weights = {"put": 5, "get": 3, "delete": 2, "list": 2}
    names = [name for name in makers if name in operations]
    chosen = source.choices(names, [weights.get(name, 1) for name in names], k=length)
    return [makers[name](source, name) for name in chosen]


class _Held(NamedTuple):
    value: bytes
    metadata: Mapping[str, object] | None
    expires: bool


class KvModel:
    """A dictionary that refuses what the protocol refuses. No time passes in it."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    def apply(self, call: Call) -> object:
        """The comparable result of a call.

        Raises:
            InvalidArgument: the protocol refuses it; nothing changed.
        """
        answer = getattr(self, f"_{call.operation}")(*call.args, **call.kwargs)
        return comparable(call, answer)

    def state(self) -> object:
        """The held entries by key: value, metadata, whether they expire."""
        return {key: tuple(held) for key, held in sorted(self._held.items())}

    def _get(self, key: str) -> bytes | None:
        held = self._held.get(_checked(key))
        return None if held is None else held.value

    def _get_with_metadata(self, key: str) -> Entry | None:
        held = self._held.get(_checked(key))
        return None if held is None else Entry(held.value, held.metadata)

    def _get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        return {key: self._get(key) for key in keys}

    def _list(self, *, prefix: str = "", limit: int = 1000, cursor: None = None) -> object:
        if limit < 1:
            raise InvalidArgument(f"limit is {limit}")
        keys = sorted((key for key in self._held if key.startswith(prefix)), key=str.encode)
        return [(key, self._held[key].expires, self._held[key].metadata) for key in keys[:limit]]

    def _put(
        self,
        key: str,
        value: bytes,
        *,
        ttl_seconds: int | None = None,
        expires_at: int | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        expires = ttl_seconds is not None or expires_at is not None
        if ttl_seconds is not None and (expires_at is not None or ttl_seconds < 1):
            raise InvalidArgument("the expiry is refused")
        self._held[_checked(key)] = _Held(value, metadata, expires)

    def _put_many(self, entries: Mapping[str, bytes]) -> None:
        for key in entries:
            _checked(key)
        for key, value in entries.items():
            self._put(key, value)

    def _delete(self, key: str) -> None:
        self._held.pop(_checked(key), None)

    def _delete_many(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._delete(key)


def comparable(call: Call, result: object) -> object:
    """A result without cursors and the times of expiry; that a key expires stays."""
    match result:
        case Entry(value=value, metadata=metadata):
            return {"value": value, "metadata": metadata}
        case Page(entries=entries):
            return [(entry.key, entry.expires_at is not None, entry.metadata) for entry in entries]
        case Mapping():
            return dict(cast("Mapping[str, object]", result))
        case _:
            return result


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Every key that the calls name, and the listing of them all."""
    keys: dict[str, None] = {}
    for call in calls:
        for argument in (*call.args[:1], *(call.kwargs.get(n) for n in ("key", "keys", "entries"))):
            names = [argument] if isinstance(argument, str) else cast("Any", argument or ())
            keys.update((name, None) for name in names if isinstance(name, str) and name)
    return [*(Call("get_with_metadata", (key,)) for key in keys), Call("list")]


def _read(source: random.Random, operation: str) -> Call:
    return Call(operation, ("" if source.random() < 0.02 else source.choice(_KEYS),))


def _read_many(source: random.Random, operation: str) -> Call:
    return Call(operation, (source.sample(_KEYS, source.randint(0, len(_KEYS))),))


def _list(source: random.Random, operation: str) -> Call:
    named: dict[str, object] = {}
    if source.random() < 0.5:
        named["prefix"] = source.choice(("", "a", "a/", "é", "zz"))
    if source.random() < 0.5:
        named["limit"] = source.choice((0, 1, 2, 1000))
    return Call(operation, (), named)


def _put(source: random.Random, operation: str) -> Call:
    named: dict[str, object] = {}
    metadata = source.choice(_METADATA)
    if metadata is not None:
        named["metadata"] = metadata
    expiry = source.random()
    if expiry < 0.25:
        named["ttl_seconds"] = source.choice(_TTLS)
    elif expiry < 0.4:
        named["expires_at"] = _FAR + source.randrange(1000)
    elif expiry < 0.45:
        named.update(source.choice(({"ttl_seconds": 0}, {"ttl_seconds": 60, "expires_at": _FAR})))
    key = "" if source.random() < 0.02 else source.choice(_KEYS)
    return Call(operation, (key, source.choice(_VALUES)), named)


def _put_many(source: random.Random, operation: str) -> Call:
    keys = source.sample(_KEYS, source.randint(0, len(_KEYS)))
    return Call(operation, ({key: source.choice(_VALUES) for key in keys},))


def _checked(key: str) -> str:
    if not key:
        raise InvalidArgument("a key is not empty")
    return key
