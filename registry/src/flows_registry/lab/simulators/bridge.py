"""Calls on Workers bindings as data, and their values as JSON; the twin of `bridge.mjs`."""

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

__all__ = ["BridgeCall", "BridgeError", "R2Object", "SourceStream", "decode_answer", "encode"]


@dataclass(frozen=True, slots=True)
class SourceStream:
    """A stream argument: its chunks, its promised length, and whether it fails at its end."""

    chunks: tuple[bytes, ...]
    length: int
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class BridgeCall:
    """One call on a Workers binding.

    Attributes:
        binding: its name in the Worker's `env`.
        method: the method, `"put"`; `"$purge"` removes every key, or every table.
        args: None, booleans, numbers, text, bytes, moments, lists, text-keyed maps, SourceStreams.
    """

    binding: str
    method: str
    args: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class BridgeError:
    """What the binding threw."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class R2Object:
    """An R2 object as the binding gives it.

    Attributes:
        key: its key.
        size: the whole object's size in bytes.
        etag: without quotes.
        uploaded: seconds since 1970.
        http_metadata: by the vendor's names; `cacheExpiry` in seconds since 1970.
        custom_metadata: the custom metadata.
        body: the bytes that were read, or None where the answer has no body.
    """

    key: str
    size: int
    etag: str
    uploaded: float | None
    http_metadata: Mapping[str, object]
    custom_metadata: Mapping[str, str]
    body: bytes | None


def encode(value: object) -> Any:
    """The JSON form of an argument."""
    match value:
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case dt.datetime():
            return {"$date": round(value.timestamp() * 1000)}
        case SourceStream():
            chunks = [base64.b64encode(chunk).decode() for chunk in value.chunks]
            return {"$stream": chunks, "length": value.length, "breaks": value.breaks}
        case Mapping():
            entries = cast("Mapping[str, object]", value).items()
            return {"$map": [[key, encode(item)] for key, item in entries]}
        case list() | tuple():
            return [encode(item) for item in cast("Sequence[object]", value)]
        case _:
            return value


def decode_answer(answer: dict[str, Any]) -> object:
    """A value, or the BridgeError that the binding threw."""
    if "error" in answer:
        return BridgeError(answer["error"]["name"], answer["error"]["message"])
    return _decode(answer["ok"])


def _decode(value: Any) -> Any:
    match value:
        case list():
            return [_decode(item) for item in cast("list[Any]", value)]
        case {"$bytes": str(text)}:
            return base64.b64decode(text)
        case {"$date": milliseconds}:
            return float(milliseconds) / 1000
        case {"$map": entries}:
            return {key: _decode(item) for key, item in cast("list[Any]", entries)}
        case {"$object": fields}:
            return _decode_object(cast("dict[str, Any]", fields))
        case dict():
            return {key: _decode(item) for key, item in cast("dict[str, Any]", value).items()}
        case _:
            return value


def _decode_object(fields: dict[str, Any]) -> R2Object:
    uploaded = fields["uploaded"]
    return R2Object(
        key=fields["key"],
        size=fields["size"],
        etag=fields["etag"],
        uploaded=None if uploaded is None else uploaded / 1000,
        http_metadata=_decode(fields["httpMetadata"]),
        custom_metadata=_decode(fields["customMetadata"]),
        body=_decode(fields["body"]),
    )
