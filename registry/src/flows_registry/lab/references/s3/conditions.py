"""Conditional requests and byte ranges, as HTTP defines them and S3 and R2 apply them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flows_registry.lab.references.exchange import Request
from flows_registry.lab.references.s3.documents import seconds_of, unquoted
from flows_registry.lab.references.s3.refusals import Refusal
from flows_registry.lab.references.s3.store import StoredObject

__all__ = ["Conditions", "byte_range", "require_read", "require_source", "require_write"]

_RANGE = re.compile(r"bytes\s*=\s*([0-9]*)\s*-\s*([0-9]*)\s*\Z")
COPY_SOURCE: Final = "x-amz-copy-source-if-"
COPY_DESTINATION: Final = "cf-copy-destination-if-"


@dataclass(frozen=True, slots=True)
class Conditions:
    """The four conditions as sent; a date that is none is ignored, as HTTP asks."""

    match: str | None
    none_match: str | None
    modified_since: float | None
    unmodified_since: float | None

    @classmethod
    def of(cls, request: Request, prefix: str = "if-") -> "Conditions":
        """The conditions under headers of that prefix."""

        def date(name: str) -> float | None:
            value = request.header(prefix + name)
            return None if value is None else seconds_of(value)

        return cls(
            request.header(prefix + "match"),
            request.header(prefix + "none-match"),
            date("modified-since"),
            date("unmodified-since"),
        )

    def wanted(self, stored: StoredObject) -> bool:
        """Whether If-Match holds; without one, whether If-Unmodified-Since does (RFC 9110)."""
        if self.match is not None:
            return _matches(self.match, stored.etag, strong=True)
        return self.unmodified_since is None or int(stored.modified) <= self.unmodified_since

    def fresh(self, stored: StoredObject) -> bool:
        """Whether If-None-Match holds; without one, whether If-Modified-Since does."""
        if self.none_match is not None:
            return not _matches(self.none_match, stored.etag, strong=False)
        return self.modified_since is None or int(stored.modified) > self.modified_since


def require_read(
    request: Request, stored: StoredObject, headers: Callable[[], dict[str, str]]
) -> None:
    """For GET and HEAD.

    Raises:
        Refusal: PreconditionFailed (412), or NotModified (304) with the object's headers.
    """
    conditions = Conditions.of(request)
    if not conditions.wanted(stored):
        raise Refusal("PreconditionFailed")
    if not conditions.fresh(stored):
        kept = ("etag", "last-modified", "cache-control", "expires")
        raise Refusal(
            "NotModified",
            headers=tuple((name, value) for name, value in headers().items() if name in kept),
        )


def require_write(request: Request, stored: StoredObject | None, prefix: str = "if-") -> None:
    """For PutObject, CompleteMultipartUpload and a copy's destination.

    Source: https://developers.cloudflare.com/r2/api/s3/extensions/#conditional-operations-in-putobject

    Raises:
        Refusal: PreconditionFailed, also where If-Match meets no object.
    """
    conditions = Conditions.of(request, prefix)
    if stored is None:
        held = conditions.match is None and conditions.modified_since is None
    else:
        held = conditions.wanted(stored) and conditions.fresh(stored)
    if not held:
        raise Refusal("PreconditionFailed")


def require_source(request: Request, stored: StoredObject) -> None:
    """For a copy's source: every failed condition is a 412.

    Raises:
        Refusal: PreconditionFailed.
    """
    conditions = Conditions.of(request, COPY_SOURCE)
    if not (conditions.wanted(stored) and conditions.fresh(stored)):
        raise Refusal("PreconditionFailed")


def _matches(header: str, etag: str, *, strong: bool) -> bool:
    for listed in header.split(","):
        candidate = listed.strip()
        if candidate == "*":
            return True
        if candidate.startswith("W/"):
            if strong:
                continue
            candidate = candidate[2:]
        if unquoted(candidate) == etag:
            return True
    return False


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last, or None for the whole.

    A header that is no single range of bytes is ignored, as HTTP asks.

    Raises:
        Refusal: InvalidRange when no byte of the object is in the range.
    """
    found = _RANGE.match(header) if header is not None else None
    if found is None or not (found[1] or found[2]):
        return None
    if found[1]:
        start = int(found[1])
        if found[2] and int(found[2]) < start:
            return None
        end = min(int(found[2]) + 1, size) if found[2] else size
    else:
        start, end = max(size - int(found[2]), 0), size
    if start >= end:
        raise Refusal("InvalidRange", headers=(("content-range", f"bytes */{size}"),))
    return start, end
