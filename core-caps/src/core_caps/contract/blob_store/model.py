"""What a perfect service would answer: histories, a sequential model, and what may be compared."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from core_caps.capabilities.blob_store import Blob, BlobPage, ByteRange, HttpMetadata, ObjectInfo
from core_caps.contract.suite import Call, Result, Stream
from core_caps.errors import (
    InvalidArgument,
    ObjectAbsent,
    PreconditionFailed,
    ProtocolViolation,
)

__all__ = ["BlobModel", "comparable", "generate", "read_back"]

_KEYS = ("a", "a/b", "é%2F", "b")
_CONTENTS = (b"", b"v", b"value", bytes(range(256)), b"x" * 5000)
_PINNED = {f"sha256:{hashlib.sha256(content).hexdigest()}": content for content in (b"pinned", b"")}
_METADATA: tuple[Mapping[str, str] | None, ...] = (None, {}, {"a": "1"}, {"text": "é \U0001f511"})
_HTTP = (None, HttpMetadata(content_type="text/plain"), HttpMetadata(cache_control="no-store"))
_RANGES = (ByteRange(0, 1), ByteRange(1, 3), ByteRange(2), ByteRange(None, 2), ByteRange(-1))
_NEVER = "0123456789abcdef0123456789abcdef"


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over four keys and two digests, with conditions, ranges and refused calls.

    What presign mints is another's to use: no history has it.
    """
    makers = {
        "put": _put,
        "get": _get,
        "head": _keyed,
        "open": _keyed,
        "list": _list,
        "delete": _keyed,
        "copy": _copy,
        "get_by_hash": _get_by_hash,
    }
    weights = {"put": 6, "get": 4, "delete": 2, "list": 2}
    names = [name for name in makers if name in operations]
    if not names:
        return []
    calls: list[Call] = []
    for name in source.choices(names, [weights.get(name, 1) for name in names], k=length):
        calls.append(makers[name](source, name, calls))
    return calls


class _Held(NamedTuple):
    content: bytes
    http: HttpMetadata
    metadata: Mapping[str, str]

    def info(self, key: str) -> ObjectInfo:
        etag = hashlib.md5(self.content, usedforsecurity=False).hexdigest()
        return ObjectInfo(key, len(self.content), etag, None, self.http, self.metadata)


class BlobModel:
    """A dictionary that refuses what the protocol refuses.

    Its etags are the contents' MD5, as most stores' are; arguments that stand for an earlier
    result are taken from its own results.
    """

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._results: list[object] = []

    def apply(self, call: Call) -> object:
        """The comparable result of a call.

        Raises:
            ProviderError: the protocol refuses it; nothing changed.
        """
        place = len(self._results)
        self._results.append(None)
        named = {name: self._given(value) for name, value in call.kwargs.items()}
        answer = getattr(self, f"_{call.operation}")(*map(self._given, call.args), **named)
        self._results[place] = answer
        return comparable(call, answer)

    def state(self) -> object:
        """The held objects by key: content and both kinds of metadata."""
        return {key: tuple(held) for key, held in sorted(self._held.items())}

    def _given(self, value: object) -> Any:
        if isinstance(value, Result):
            return value.of(self._results)
        if isinstance(value, Stream):
            return b"".join(value.chunks)
        return value

    def _get(
        self,
        key: str,
        *,
        range: ByteRange | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Blob | None:
        if range is not None and (range.offset or 0) < 0:
            raise InvalidArgument("a negative offset")
        held = self._held.get(_checked(key))
        if held is None:
            return None
        self._require(key, if_match, if_none_match)
        return Blob(_part(held.content, range), held.info(key))

    def _open(self, key: str) -> bytes:
        held = self._held.get(_checked(key))
        if held is None:
            raise ObjectAbsent(key)
        return held.content

    def _head(self, key: str) -> ObjectInfo | None:
        held = self._held.get(_checked(key))
        return None if held is None else held.info(key)

    def _list(
        self,
        *,
        prefix: str = "",
        delimiter: str | None = None,
        limit: int = 1000,
        cursor: str | None = None,
    ) -> BlobPage:
        if limit < 1 or cursor is not None:
            raise InvalidArgument("the limit or cursor is refused")
        lines: dict[str, ObjectInfo | None] = {}
        for key in sorted((key for key in self._held if key.startswith(prefix)), key=str.encode):
            head, found, _ = key[len(prefix) :].partition(delimiter or "\x00")
            folded = delimiter is not None and found
            lines[prefix + head + found if folded else key] = (
                None if folded else self._held[key].info(key)
            )
        shown = list(lines.items())[:limit]
        return BlobPage(
            tuple(info for _, info in shown if info is not None),
            tuple(name for name, info in shown if info is None),
            "more" if len(lines) > limit else None,
        )

    def _get_by_hash(self, digest: str) -> bytes | None:
        if not digest.startswith("sha256:"):
            raise InvalidArgument("no digest")
        held = self._held.get(digest)
        if held is None:
            return None
        if f"sha256:{hashlib.sha256(held.content).hexdigest()}" != digest:
            raise ProtocolViolation("the content is not what its name says")
        return held.content

    def _put(
        self,
        key: str,
        data: bytes,
        *,
        size_bytes: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        http: HttpMetadata | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        _checked(key)
        if size_bytes is not None and size_bytes != len(data):
            raise InvalidArgument("another size")
        self._require(key, if_match, if_none_match)
        self._held[key] = _Held(data, http or HttpMetadata(), dict(metadata or {}))
        return self._held[key].info(key)

    def _delete(self, key: str) -> None:
        self._held.pop(_checked(key), None)

    def _copy(self, source: str, target: str) -> ObjectInfo | None:
        held = self._held.get(_checked(source))
        if held is None:
            return None
        self._held[_checked(target)] = held
        return held.info(target)

    def _presign(self, key: str, **_: object) -> str:
        return _checked(key)

    def _require(self, key: str, if_match: str | None, if_none_match: str | None) -> None:
        held = self._held.get(key)
        etag = None if held is None else held.info(key).etag
        if if_match is not None and (etag is None or if_match not in ("*", etag)):
            raise PreconditionFailed("if_match")
        if if_none_match is not None and etag is not None and if_none_match in ("*", etag):
            raise PreconditionFailed("if_none_match")


def comparable(call: Call, result: object) -> object:
    """A result without etags, times, cursors and signatures; that there is one stays.

    A store may say application/octet-stream where no type was given: the two mean the same.
    """
    match result:
        case Blob(data=data, info=info):
            return {"data": data, "info": comparable(call, info)}
        case ObjectInfo():
            http = result.http
            if http.content_type == "application/octet-stream":
                http = replace(http, content_type=None)
            return {
                "key": result.key,
                "size_bytes": result.size_bytes,
                "has_etag": bool(result.etag),
                "http": http,
                "metadata": dict(result.metadata),
            }
        case BlobPage():
            return {
                "objects": [(info.key, info.size_bytes) for info in result.objects],
                "prefixes": list(result.prefixes),
                "more": result.cursor is not None,
            }
        case list() | tuple() if call.operation == "open":
            return b"".join(cast("Sequence[bytes]", result))
        case str() if call.operation == "presign":
            return "a URL"
        case _:
            return result


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Every key that the calls name, and the listing of them all."""
    keys: dict[str, None] = {}
    for call in calls:
        named = (call.kwargs.get(name) for name in ("key", "source", "target", "digest"))
        for argument in (*call.args[: 2 if call.operation == "copy" else 1], *named):
            if isinstance(argument, str) and argument:
                keys[argument] = None
    return [*(Call("get", (key,)) for key in keys), Call("list")]


def _keyed(source: random.Random, operation: str, _: Sequence[Call]) -> Call:
    return Call(operation, ("" if source.random() < 0.02 else source.choice(_KEYS),))


def _get(source: random.Random, operation: str, before: Sequence[Call]) -> Call:
    named: dict[str, object] = {}
    if source.random() < 0.3:
        named["range"] = source.choice(_RANGES)
    if source.random() < 0.3:
        condition = source.choice(("if_match", "if_none_match"))
        named[condition] = _etag(source, before)
    return Call(operation, (source.choice(_KEYS),), named)


def _put(source: random.Random, operation: str, before: Sequence[Call]) -> Call:
    if source.random() < 0.15:
        return Call(operation, source.choice(tuple(_PINNED.items())))
    named: dict[str, object] = {}
    content = source.choice(_CONTENTS)
    data: object = content
    if source.random() < 0.3:
        half = len(content) // 2
        data = Stream((content[:half], b"", content[half:]))
        if source.random() < 0.5:
            named["size_bytes"] = len(content) + source.choice((0, 0, 1))
    condition = source.random()
    if condition < 0.2:
        named["if_none_match"] = "*"
    elif condition < 0.4:
        named["if_match"] = _etag(source, before)
    for name, choices in (("metadata", _METADATA), ("http", _HTTP)):
        chosen = source.choice(choices)
        if chosen is not None:
            named[name] = chosen
    return Call(operation, (source.choice(_KEYS), data), named)


def _etag(source: random.Random, before: Sequence[Call]) -> object:
    """The etag of an earlier put that nothing could refuse, or one that never was."""
    certain = [
        step
        for step, call in enumerate(before)
        if call.operation == "put"
        and not {"if_match", "if_none_match", "size_bytes"} & call.kwargs.keys()
    ]
    if certain and source.random() < 0.8:
        return Result(source.choice(certain[-3:]), "etag")
    return _NEVER


def _list(source: random.Random, operation: str, _: Sequence[Call]) -> Call:
    named: dict[str, object] = {}
    if source.random() < 0.5:
        named["prefix"] = source.choice(("", "a", "a/", "é", "sha256:", "zz"))
    if source.random() < 0.4:
        named["delimiter"] = source.choice(("/", ":"))
    if source.random() < 0.4:
        named["limit"] = source.choice((0, 1, 2, 1000))
    return Call(operation, (), named)


def _copy(source: random.Random, operation: str, _: Sequence[Call]) -> Call:
    return Call(operation, (source.choice(_KEYS), source.choice(_KEYS)))


def _get_by_hash(source: random.Random, operation: str, _: Sequence[Call]) -> Call:
    digest = "md5:0" if source.random() < 0.1 else source.choice(tuple(_PINNED))
    return Call(operation, (digest,))


def _part(content: bytes, wanted: ByteRange | None) -> bytes:
    if wanted is None or (wanted.offset == 0 and wanted.length is None):
        return content
    if wanted.offset is None:
        if not content:
            raise InvalidArgument("an empty object has no last bytes")
        return content[-(wanted.length or 0) :]
    if wanted.offset >= len(content):
        raise InvalidArgument("the range lies outside")
    end = len(content) if wanted.length is None else wanted.offset + wanted.length
    return content[wanted.offset : end]


def _checked(key: str) -> str:
    if not key:
        raise InvalidArgument("a key is not empty")
    return key
