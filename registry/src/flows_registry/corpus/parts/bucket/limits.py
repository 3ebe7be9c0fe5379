"""What the service takes. https://developers.cloudflare.com/r2/platform/limits/"""

import re
from collections.abc import Mapping
from typing import Any

from core_caps.capabilities.arguments import checked_text
from core_caps.capabilities.blob_store import ByteRange, HttpMetadata
from core_caps.errors import InvalidArgument, PreconditionFailed

__all__ = ["conditions", "data_of", "digest_of", "etag_of", "http_of", "key_of", "listing_of", "metadata_of", "need", "range_of", "signing_of", "size_of"]

KEY_SIZE_BYTES_MAX = 1024
METADATA_SIZE_BYTES_MAX = 8192
LIST_LIMIT_MAX = 1000
PRESIGN_SECONDS_MAX = 604_800
HEADERS = ("content_type", "content_language", "content_disposition", "content_encoding", "cache_control")


def need(holds: bool, what: str) -> None:
    """Refuse the call unless it holds."""
    if not holds:
        raise InvalidArgument(what)


def key_of(key: Any) -> str:
    """The key, if the service takes it."""
    size_bytes = len(checked_text(key, "a key").encode())
    need(0 < size_bytes <= KEY_SIZE_BYTES_MAX, f"a key of {size_bytes} bytes")
    need(not {".", ".."} & set(key.split("/")), "a URL does not carry the key unchanged")
    return key


def listing_of(prefix: Any, delimiter: Any, limit: Any) -> None:
    """Refuse what cannot be listed."""
    need(len(checked_text(prefix, "a prefix").encode()) <= KEY_SIZE_BYTES_MAX, "too long a prefix")
    need(delimiter is None or checked_text(delimiter, "a delimiter") != "", "an empty delimiter")
    need(type(limit) is int and 1 <= limit <= LIST_LIMIT_MAX, f"a page of {limit!r}")


def range_of(wanted: Any) -> str | None:
    """The header that asks for the range; None is the whole."""
    if wanted is None:
        return None
    need(isinstance(wanted, ByteRange), "a range is a ByteRange")
    offset, length = wanted.offset, wanted.length
    need(all(part is None or type(part) is int for part in (offset, length)), "a range in bytes")
    need(length is None or length > 0, "a range of no bytes")
    if offset is None:
        need(length is not None, "a range that says nothing")
        return f"bytes=-{length}"
    need(offset >= 0, "a range before the first byte")
    if length is None:
        return f"bytes={offset}-" if offset else None
    return f"bytes={offset}-{offset + length - 1}"


def etag_of(*etags: Any) -> None:
    """Refuse what cannot be sent as an etag."""
    for etag in etags:
        found = isinstance(etag, str) and re.fullmatch(r"[\x21\x23-\x7e]+", etag)
        need(etag is None or bool(found), f"{etag!r} is no etag")


def digest_of(digest: Any) -> str:
    """The key of a digest: the same text."""
    found = isinstance(digest, str) and re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
    need(bool(found), f"{digest!r} is no digest")
    return digest


def http_of(http: Any) -> None:
    """Refuse what cannot be headers."""
    if http is None:
        return
    need(isinstance(http, HttpMetadata), "http is HttpMetadata")
    for name in HEADERS:
        text = getattr(http, name)
        fine = isinstance(text, str) and text.isascii() and text.isprintable()
        need(text is None or (fine and text == text.strip() != ""), f"{name} is no header")
    due = http.expires_at
    need(due is None or (type(due) is int and 0 <= due <= 253_402_300_799), "no time of HTTP")


def metadata_of(metadata: Any) -> None:
    """Refuse custom metadata that would not come back as it was stored."""
    if metadata is None:
        return
    need(isinstance(metadata, Mapping), "metadata is a mapping")
    size_bytes = 0
    for name, text in metadata.items():
        size_bytes += len(checked_text(name, "a name").encode()) + len(checked_text(text, "metadata").encode())
        need(bool(re.fullmatch(r"[a-z0-9!#$%&'*+.^_`|~-]+", name)), f"the name {name!r}")
        need(text.isprintable() and text == text.strip() and "=?" not in text, f"the text of {name!r}")
    need(size_bytes <= METADATA_SIZE_BYTES_MAX, f"metadata of {size_bytes} bytes")


def data_of(data: Any) -> Any:
    """A part of the content; a stream gives several."""
    need(isinstance(data, bytes | bytearray | memoryview), f"content is bytes, not {type(data).__name__}")
    return data


def size_of(stated: Any, size_bytes: int, *, complete: bool) -> None:
    """Refuse content that has not the stated size."""
    if stated is not None:
        need(type(stated) is int and stated >= 0, f"a size of {stated!r}")
        need(size_bytes == stated if complete else size_bytes <= stated, f"{size_bytes} bytes, not {stated}")


def signing_of(method: Any, seconds: Any) -> None:
    """Refuse what cannot be signed."""
    need(isinstance(method, str) and method in ("GET", "PUT"), f"{method!r} cannot be signed")
    need(type(seconds) is int and 1 <= seconds <= PRESIGN_SECONDS_MAX, f"a life of {seconds!r} s")


def conditions(etag: str | None, if_match: str | None, if_none_match: str | None) -> None:
    """Refuse a call whose conditions the object does not meet."""
    if if_match is not None and (etag is None or if_match not in ("*", etag)):
        raise PreconditionFailed("the etag is another one")
    if if_none_match is not None and etag is not None and if_none_match in ("*", etag):
        raise PreconditionFailed("the etag is this one")
