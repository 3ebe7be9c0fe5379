"""What a transport sends, what it brings back, and the three ways in which it fails."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BODY_BYTES_MAX", "Answer", "Broken", "Lost", "NotConnected", "Request", "WireError"]

BODY_BYTES_MAX = 32 * 1024 * 1024


class WireError(Exception):
    """An exchange failed; the text is safe to show."""


class NotConnected(WireError):
    """No connection was made, so nothing was sent."""


class Lost(WireError):
    """The connection ended; the request may have been sent."""


class Broken(WireError):
    """An answer came that is no HTTP, or ended before it was complete."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `target` is the path with its query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; header names are in small letters, `damage` says why the body is unusable."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    damage: str = ""
