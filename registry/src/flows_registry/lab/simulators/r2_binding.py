"""blob/1 over a Workers R2 binding: what the vendor's runtime says a provider must answer."""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping

from core_caps.capabilities.blob_store import (
    Blob,
    BlobPage,
    ByteRange,
    HttpMetadata,
    ObjectInfo,
)
from core_caps.contract.suite import Call, Stream, StreamBroken
from core_caps.errors import (
    InvalidArgument,
    ObjectAbsent,
    PreconditionFailed,
    ProtocolViolation,
    Unavailable,
)

from flows_registry.lab.simulators.adapter import Binding, BindingAdapter, Steps
from flows_registry.lab.simulators.bridge import BridgeError, R2Object, SourceStream
from flows_registry.lab.simulators.r2_boundaries import R2_BOUNDARIES

__all__ = ["R2_BINDING"]

_HTTP_FIELDS = {
    "contentType": "content_type",
    "contentLanguage": "content_language",
    "contentDisposition": "content_disposition",
    "contentEncoding": "content_encoding",
    "cacheControl": "cache_control",
}
_CODE = re.compile(r"\((\d+)\)$")
_REFUSED = {
    100100: "object too large",
    10011: "part too small",
    10012: "metadata too large",
    10020: "object name",
    10022: "list limit",
    10025: "part",
    10029: "argument",
    10037: "digest",
    10039: "range",
}
"""Codes that say that an argument is refused. https://developers.cloudflare.com/r2/api/error-codes/"""

_PRECONDITION_FAILED = 10031
_MD5 = re.compile(r"[0-9a-f]{32}")
_PARTS = re.compile(r"[0-9a-f]{32}-\d+")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def _get(
    binding: Binding,
    key: str,
    *,
    range: ByteRange | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Steps:
    options: dict[str, object] = {}
    _check(key)
    if range is not None:
        options["range"] = _range(range)
    if condition := _condition(if_match, if_none_match):
        options["onlyIf"] = condition
    found: R2Object | None = yield binding.call("get", key, options)
    if found is None:
        return None
    if found.body is None:
        raise PreconditionFailed(f"the condition on {key!r} does not hold")
    return Blob(found.body, _info(found))


def _open(binding: Binding, key: str, *, if_match: str | None = None) -> Steps:
    found = yield from _get(binding, key, if_match=if_match)
    if not isinstance(found, Blob):
        raise ObjectAbsent(f"there is no object {key!r}")
    return found.data


def _head(binding: Binding, key: str) -> Steps:
    found: R2Object | None = yield binding.call("head", _check(key))
    return None if found is None else _info(found)


def _list(
    binding: Binding,
    *,
    prefix: str = "",
    delimiter: str | None = None,
    limit: int = 1000,
    cursor: str | None = None,
) -> Steps:
    inside = None if cursor is None else binding.unseal(cursor)
    named = {"prefix": prefix or None, "delimiter": delimiter, "cursor": inside}
    given = {name: value for name, value in named.items() if value is not None}
    page = yield binding.call("list", {"limit": limit, **given})
    return BlobPage(
        objects=tuple(_info(item) for item in page["objects"]),
        prefixes=tuple(page["delimitedPrefixes"]),
        cursor=binding.seal(page["cursor"]) if page["truncated"] else None,
    )


def _get_by_hash(binding: Binding, digest: str) -> Steps:
    if not _DIGEST.fullmatch(digest):
        raise InvalidArgument(f"{digest!r} is not sha256: and 64 hexadecimal digits")
    found: R2Object | None = yield binding.call("get", digest, {})
    if found is None or found.body is None:
        return None
    if f"sha256:{hashlib.sha256(found.body).hexdigest()}" != digest:
        raise ProtocolViolation(f"the object under {digest} has another digest")
    return found.body


def _put(
    binding: Binding,
    key: str,
    data: bytes | Stream,
    *,
    size_bytes: int | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    http: HttpMetadata | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Steps:
    options: dict[str, object] = {}
    _check(key)
    if condition := _condition(if_match, if_none_match):
        options["onlyIf"] = condition
    if http is not None:
        options["httpMetadata"] = _http_fields(http)
    if metadata is not None:
        options["customMetadata"] = metadata
    source = _source(data, size_bytes) if isinstance(data, Stream) else data
    if isinstance(source, bytes) and size_bytes not in (None, len(source)):
        raise InvalidArgument(f"size_bytes is {size_bytes}, the data has {len(source)}")
    stored: R2Object | None = yield binding.call("put", key, source, options)
    if stored is None:
        raise PreconditionFailed(f"the condition on {key!r} does not hold")
    return _info(stored)


def _source(stream: Stream, size_bytes: int | None) -> SourceStream:
    """The stream with a known length, which is the only kind that the binding stores.

    A stream that breaks is promised one byte more, so that it ends before its length.
    https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
    """
    if stream.breaks_after is not None:
        chunks = stream.chunks[: stream.breaks_after]
        return SourceStream(chunks, sum(map(len, chunks)) + 1, breaks=True)
    length = sum(map(len, stream.chunks))
    return SourceStream(stream.chunks, length if size_bytes is None else size_bytes)


def _delete(binding: Binding, key: str) -> Steps:
    yield binding.call("delete", _check(key))
    return None


def _copy(binding: Binding, source: str, target: str) -> Steps:
    _check(target)
    found: R2Object | None = yield binding.call("get", _check(source), {})
    if found is None or found.body is None:
        return None
    options = {
        "httpMetadata": _native_fields(found.http_metadata),
        "customMetadata": found.custom_metadata,
    }
    stored: R2Object = yield binding.call("put", target, found.body, options)
    return _info(stored)


def _check(key: str) -> str:
    if not key:  # the binding stores it; over S3 it cannot be named, and the contract refuses it
        raise InvalidArgument("a key is not empty")
    return key


def _range(wanted: ByteRange) -> dict[str, object]:
    if wanted.offset is None:
        return {"suffix": wanted.length}
    if wanted.length is None:
        return {"offset": wanted.offset}
    return {"offset": wanted.offset, "length": wanted.length}


def _condition(if_match: str | None, if_none_match: str | None) -> dict[str, object]:
    condition: dict[str, object] = {}
    if if_match is not None:
        condition["etagMatches"] = if_match
    if if_none_match is not None:
        condition["etagDoesNotMatch"] = if_none_match
    return condition


def _http_fields(http: HttpMetadata) -> dict[str, object]:
    fields: dict[str, object] = {
        theirs: value
        for theirs, ours in _HTTP_FIELDS.items()
        if (value := getattr(http, ours)) is not None
    }
    if http.expires_at is not None:
        fields["cacheExpiry"] = dt.datetime.fromtimestamp(http.expires_at, dt.UTC)
    return fields


def _native_fields(fields: Mapping[str, object]) -> dict[str, object]:
    kept = {name: value for name, value in fields.items() if value is not None}
    expiry = kept.get("cacheExpiry")
    if isinstance(expiry, int | float):
        kept["cacheExpiry"] = dt.datetime.fromtimestamp(expiry, dt.UTC)
    return kept


def _info(found: R2Object) -> ObjectInfo:
    fields = {ours: found.http_metadata.get(theirs) for theirs, ours in _HTTP_FIELDS.items()}
    expiry = found.http_metadata.get("cacheExpiry")
    return ObjectInfo(
        key=found.key,
        size_bytes=found.size,
        etag=found.etag,
        uploaded_at=found.uploaded,
        http=HttpMetadata(
            **{name: value for name, value in fields.items() if isinstance(value, str)},
            expires_at=int(expiry) if isinstance(expiry, int | float) else None,
        ),
        metadata=dict(found.custom_metadata),
    )


def _etag_kind(call: Call, value: object) -> object:
    """Whether the etag of a stored object says that it was sent in parts, or None.

    The etag of an object sent at once is its MD5; one sent in parts has "-" and their number.
    https://developers.cloudflare.com/r2/objects/upload-objects/
    """
    if call.operation != "put" or not isinstance(value, ObjectInfo):
        return None
    if _MD5.fullmatch(value.etag):
        return "md5"
    return "parts" if _PARTS.fullmatch(value.etag) else None


def _bytes_etag_kind(call: Call, value: object) -> object:
    """The same, where the caller gave bytes: a stream may be sent in parts by a provider, and is
    sent at once by the binding."""
    streamed = any(isinstance(item, Stream) for item in (*call.args, *call.kwargs.values()))
    return None if streamed else _etag_kind(call, value)


def _error(error: BridgeError) -> Exception:
    """The error that a faithful provider raises where the binding throws."""
    if "the source of the stream failed" in error.message:
        return StreamBroken(error.message)
    if error.name in {"TypeError", "RangeError"}:
        return InvalidArgument(error.message)
    match = _CODE.search(error.message)
    code = None if match is None else int(match[1])
    if code in _REFUSED:
        return InvalidArgument(error.message)
    if code == _PRECONDITION_FAILED:
        return PreconditionFailed(error.message)
    return Unavailable(error.message)


R2_BINDING = BindingAdapter(
    contract="blob/1",
    surface="Workers R2 binding",
    pool="r2",
    operations={
        "get": _get,
        "open": _open,
        "head": _head,
        "list": _list,
        "get_by_hash": _get_by_hash,
        "put": _put,
        "delete": _delete,
        "copy": _copy,
    },
    error=_error,
    boundaries=R2_BOUNDARIES,
    traits=_bytes_etag_kind,
    plugin_traits=_etag_kind,
)
