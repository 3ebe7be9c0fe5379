"""ListObjectsV2, ListObjects and ListMultipartUploads: order, prefixes, delimiters, pages."""

import base64
import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flows_registry.lab.references.exchange import Response
from flows_registry.lab.references.s3.call import Call
from flows_registry.lab.references.s3.documents import Element, answer, iso_date, key_encoder
from flows_registry.lab.references.s3.refusals import Refusal
from flows_registry.lab.references.s3.store import Bucket, StoredObject, Upload, normalized

__all__ = ["list_objects", "list_objects_v2", "list_uploads", "number_of"]

KEYS_MAX: Final = 1000
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""
_OWNER: Final[Element] = ("Owner", (("ID", "owner"), ("DisplayName", "owner")))


@dataclass(frozen=True, slots=True)
class _Page:
    """What one answer of a listing shows.

    Attributes:
        last: the last key or common prefix of the page; the next page begins after it.
        truncated: whether there is a next page.
    """

    keys: Sequence[str]
    prefixes: Sequence[str]
    last: str
    truncated: bool


def _page(
    order: Sequence[str], prefix: str, delimiter: str, after: str, key_count_max: int
) -> _Page:
    """A page of the keys after `after`, grouped by delimiter.

    Where `after` is a common prefix, everything under it has been shown already.
    """
    keys: list[str] = []
    prefixes: list[str] = []
    last = after
    skipping = after if delimiter and after.endswith(delimiter) and after > prefix else ""
    for name in order[bisect_left(order, max(prefix, after)) :]:
        if not name.startswith(prefix):
            break
        if name <= after or (skipping and name.startswith(skipping)):
            continue
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        group = name[: cut + len(delimiter)] if cut >= 0 else ""
        if group and prefixes and prefixes[-1] == group:
            continue
        if len(keys) + len(prefixes) == key_count_max:
            return _Page(keys, prefixes, last, truncated=key_count_max > 0)
        (prefixes if group else keys).append(group or name)
        last = group or name
    return _Page(keys, prefixes, last, truncated=False)


def number_of(query: Mapping[str, str], name: str, maximum: int = KEYS_MAX) -> int:
    """A count from the query, at most `maximum`.

    Raises:
        Refusal: InvalidMaxKeys or InvalidArgument when it is no number from 0.
    """
    text = query.get(name)
    if text is None or text == "":
        return maximum
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        if name == "max-keys":
            raise Refusal("InvalidMaxKeys")
        raise Refusal("InvalidArgument", f"{name} must be an integer from 0 to 2147483647")
    return min(int(text), maximum)


def list_objects_v2(call: Call) -> Response:
    """ListObjectsV2."""
    query, encode = call.query, key_encoder(call.query.get("encoding-type"))
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    key_count_max = number_of(query, "max-keys")
    token, start_after = query.get("continuation-token"), query.get("start-after", "")
    after = _opened(token) if token is not None else normalized(start_after)
    page = _page(call.bucket.order, normalized(prefix), delimiter, after, key_count_max)
    children: list[Element] = [
        ("Name", call.bucket.name),
        ("Prefix", encode(prefix)),
        ("MaxKeys", key_count_max),
        ("KeyCount", len(page.keys) + len(page.prefixes)),
        ("IsTruncated", page.truncated),
    ]
    if delimiter:
        children.append(("Delimiter", encode(delimiter)))
    if start_after:
        children.append(("StartAfter", encode(start_after)))
    if token is not None:
        children.append(("ContinuationToken", token))
    if page.truncated:
        children.append(("NextContinuationToken", _sealed(page.last)))
    owner = query.get("fetch-owner") == "true"
    children.extend(_contents(call.bucket, page, encode, owner=owner))
    children.extend(_encoding(query))
    return answer("ListBucketResult", children)


def list_objects(call: Call) -> Response:
    """ListObjects, the first version."""
    query, encode = call.query, key_encoder(call.query.get("encoding-type"))
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    marker, key_count_max = query.get("marker", ""), number_of(query, "max-keys")
    page = _page(
        call.bucket.order, normalized(prefix), delimiter, normalized(marker), key_count_max
    )
    children: list[Element] = [
        ("Name", call.bucket.name),
        ("Prefix", encode(prefix)),
        ("Marker", encode(marker)),
        ("MaxKeys", key_count_max),
        ("IsTruncated", page.truncated),
    ]
    if delimiter:
        children.append(("Delimiter", encode(delimiter)))
    # Without a delimiter the caller goes on from the last key it was given.
    if page.truncated and delimiter:
        children.append(("NextMarker", encode(page.last)))
    children.extend(_contents(call.bucket, page, encode, owner=True))
    children.extend(_encoding(query))
    return answer("ListBucketResult", children)


def _contents(
    bucket: Bucket, page: _Page, encode: Callable[[str], str], *, owner: bool
) -> Iterator[Element]:
    for name in page.keys:
        stored = bucket.objects[name]
        yield "Contents", _content(stored, encode, owner=owner)
    for prefix in page.prefixes:
        yield "CommonPrefixes", (("Prefix", encode(prefix)),)


def _content(
    stored: StoredObject, encode: Callable[[str], str], *, owner: bool
) -> Iterable[Element]:
    fields: list[Element] = [
        ("Key", encode(stored.key)),
        ("Size", len(stored.data)),
        ("LastModified", iso_date(stored.modified)),
        ("ETag", f'"{stored.etag}"'),
        ("StorageClass", stored.described.storage_class),
    ]
    if owner:
        fields.append(_OWNER)
    return fields


def _encoding(query: Mapping[str, str]) -> list[Element]:
    return [("EncodingType", "url")] if "encoding-type" in query else []


def _sealed(key: str) -> str:
    """A token that says where to go on, sealed so that a made-up one is known as such."""
    raw = key.encode()
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()[:6] + raw).decode()


def _opened(token: str) -> str:
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
        if hashlib.sha256(raw[6:]).digest()[:6] == raw[:6]:
            return raw[6:].decode()
    except ValueError:
        pass
    raise Refusal("InvalidArgument", "The continuation token provided is incorrect")


def list_uploads(call: Call) -> Response:
    """ListMultipartUploads, in order of key and then of start.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
    """
    query, encode = call.query, key_encoder(call.query.get("encoding-type"))
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    key_marker, id_marker = query.get("key-marker", ""), query.get("upload-id-marker", "")
    count_max = number_of(query, "max-uploads")
    shown: list[Upload] = []
    prefixes: list[str] = []
    truncated = False
    # Ids of one key are hashes: the order among them is fixed, not meaningful.
    for upload in sorted(
        call.bucket.uploads.values(), key=lambda each: (each.key, each.identifier)
    ):
        place = (upload.key, upload.identifier)
        passed = place <= (key_marker, id_marker) if id_marker else upload.key <= key_marker
        if not upload.key.startswith(prefix) or (key_marker and passed):
            continue
        cut = upload.key.find(delimiter, len(prefix)) if delimiter else -1
        group = upload.key[: cut + len(delimiter)] if cut >= 0 else ""
        if group and (group in prefixes or key_marker.startswith(group)):
            continue
        if len(shown) + len(prefixes) == count_max:
            truncated = count_max > 0
            break
        if group:
            prefixes.append(group)
        else:
            shown.append(upload)
    return answer(
        "ListMultipartUploadsResult",
        _uploads_shown(call, shown, prefixes, encode, truncated=truncated),
    )


def _uploads_shown(
    call: Call,
    uploads: Sequence[Upload],
    prefixes: Sequence[str],
    encode: Callable[[str], str],
    *,
    truncated: bool,
) -> Iterator[Element]:
    query = call.query
    yield "Bucket", call.bucket.name
    for name in ("Prefix", "Delimiter", "KeyMarker", "UploadIdMarker"):
        given = query.get({"KeyMarker": "key-marker", "UploadIdMarker": "upload-id-marker"}.get(
            name, name.lower()))  # fmt: skip
        if given:
            yield name, encode(given) if name != "UploadIdMarker" else given
    yield "MaxUploads", number_of(query, "max-uploads")
    yield "IsTruncated", truncated
    if truncated:
        last = uploads[-1] if uploads else None
        beyond = prefixes[-1] if prefixes and (last is None or prefixes[-1] > last.key) else None
        yield "NextKeyMarker", encode(beyond or (last.key if last else ""))
        if beyond is None and last is not None:
            yield "NextUploadIdMarker", last.identifier
    for upload in uploads:
        fields = (
            ("Key", encode(upload.key)),
            ("UploadId", upload.identifier),
            ("Initiated", iso_date(upload.started)),
            ("StorageClass", upload.described.storage_class),
        )
        yield "Upload", fields
    for prefix in prefixes:
        yield "CommonPrefixes", (("Prefix", encode(prefix)),)
    yield from _encoding(query)
