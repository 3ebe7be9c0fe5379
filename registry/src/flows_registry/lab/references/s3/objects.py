"""The operations on one object, and the deletion of many."""

import hashlib
from dataclasses import replace
from typing import Final
from urllib.parse import unquote_to_bytes

from flows_registry.lab.references.exchange import Request, Response
from flows_registry.lab.references.s3.call import Call
from flows_registry.lab.references.s3.checksums import verify_declared, verify_md5
from flows_registry.lab.references.s3.conditions import (
    COPY_DESTINATION,
    byte_range,
    require_read,
    require_source,
    require_write,
)
from flows_registry.lab.references.s3.documents import (
    Element,
    answer,
    iso_date,
    parse_document,
    text_of,
)
from flows_registry.lab.references.s3.headers import (
    described_by,
    headers_of,
    overridden,
)
from flows_registry.lab.references.s3.refusals import Refusal
from flows_registry.lab.references.s3.store import Described, StoredObject

__all__ = [
    "checked_key",
    "copy_object",
    "copy_source",
    "delete_object",
    "delete_objects",
    "get_object",
    "put_object",
]

KEY_SIZE_BYTES_MAX: Final = 1024
"""Source: https://developers.cloudflare.com/r2/platform/limits/"""
DELETE_KEYS_MAX: Final = 1000
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""


def checked_key(raw: bytes) -> str:
    """The key of these bytes.

    Raises:
        Refusal: InvalidObjectName when it is no UTF-8 or too long.
    """
    try:
        key = raw.decode()
    except UnicodeDecodeError:
        raise Refusal("InvalidObjectName") from None
    if not key or len(raw) > KEY_SIZE_BYTES_MAX:
        raise Refusal("InvalidObjectName")
    return key


def put_object(call: Call) -> Response:
    """Store the body, whole or not at all."""
    payload = call.payload()
    described = described_by(call.request)
    stored = StoredObject.of(
        call.key, payload.data, described, modified=call.now, sums=payload.sums
    )
    verify_md5(call.request.header("content-md5"), bytes.fromhex(stored.etag))
    verify_declared(payload.sums, payload.data)
    require_write(call.request, call.bucket.get(call.key))
    call.bucket.put(stored)
    headers = {"etag": f'"{stored.etag}"', **_sums_of(stored)}
    return Response(200, tuple(headers.items()))


def get_object(call: Call) -> Response:
    """The object, or a range or a part of it; HEAD is the same without a range."""
    stored = call.bucket.get(call.key)
    if stored is None:
        raise Refusal("NoSuchKey")
    require_read(call.request, stored, lambda: headers_of(stored))
    headers = overridden(headers_of(stored), call.query)
    part = call.query.get("partNumber")
    if part is not None:
        start, end = _part_range(stored, part)
        headers["x-amz-mp-parts-count"] = str(len(stored.part_sizes) or 1)
    else:
        wanted = call.request.header("range") if call.request.method == "GET" else None
        whole = byte_range(wanted, len(stored.data))
        if whole is None:
            if call.request.header("x-amz-checksum-mode") == "ENABLED":
                headers.update(_sums_of(stored))
            return Response(200, tuple(headers.items()), stored.data)
        start, end = whole
    headers["content-range"] = f"bytes {start}-{end - 1}/{len(stored.data)}"
    return Response(206, tuple(headers.items()), stored.data[start:end])


def _part_range(stored: StoredObject, number: str) -> tuple[int, int]:
    sizes = stored.part_sizes or (len(stored.data),)
    if not (number.isascii() and number.isdigit()) or not 1 <= int(number) <= len(sizes):
        raise Refusal("InvalidRange")
    start = sum(sizes[: int(number) - 1])
    return start, start + sizes[int(number) - 1]


def delete_object(call: Call) -> Response:
    """Remove the object; an absent one is success."""
    call.bucket.delete(call.key)
    return Response(204)


def delete_objects(call: Call) -> Response:
    """Remove many objects.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
    """
    payload = call.payload()
    digest = hashlib.md5(payload.data, usedforsecurity=False).digest()
    verify_md5(call.request.header("content-md5"), digest)
    verify_declared(payload.sums, payload.data)
    document = parse_document(payload.data, "Delete")
    keys = [text_of(element, "Key") for element in document.findall("Object")]
    if not 1 <= len(keys) <= DELETE_KEYS_MAX or None in keys:
        raise Refusal("MalformedXML")
    quiet = text_of(document, "Quiet") == "true"
    results: list[Element] = []
    for key in keys:
        assert key is not None
        try:
            call.bucket.delete(checked_key(key.encode("utf-8", "surrogatepass")))
        except Refusal as refusal:
            error = (("Key", key), ("Code", refusal.code), ("Message", refusal.message))
            results.append(("Error", error))
        else:
            if not quiet:
                results.append(("Deleted", (("Key", key),)))
    return answer("DeleteResult", results)


def copy_source(call: Call) -> StoredObject:
    """The object that `x-amz-copy-source` names, its conditions met.

    Raises:
        Refusal: InvalidArgument, NoSuchBucket, NoSuchKey, NotImplemented, PreconditionFailed.
    """
    header = call.request.header("x-amz-copy-source") or ""
    path, _, version = header.partition("?versionId=")
    if version:
        raise Refusal("NotImplemented", "object versions are not implemented")
    name, slash, key = unquote_to_bytes(path).removeprefix(b"/").partition(b"/")
    if not slash or not key:
        raise Refusal("InvalidArgument", "x-amz-copy-source must be bucket/key")
    stored = call.bucket_named(name.decode("utf-8", "replace")).get(checked_key(key))
    if stored is None:
        raise Refusal("NoSuchKey")
    require_source(call.request, stored)
    return stored


def copy_object(call: Call) -> Response:
    """Copy an object on the service's side.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html, and
    https://developers.cloudflare.com/r2/api/s3/extensions/#copyobject for MERGE.
    """
    call.payload()
    source = copy_source(call)
    described = _directed(call.request, source.described)
    require_write(call.request, call.bucket.get(call.key), COPY_DESTINATION)
    etag = source.etag
    copied = replace(source, key=call.key, described=described, modified=call.now, etag=etag)
    call.bucket.put(copied)
    children = (("ETag", f'"{etag}"'), ("LastModified", iso_date(call.now)))
    return answer("CopyObjectResult", children)


def _directed(request: Request, source: Described) -> Described:
    directive = request.header("x-amz-metadata-directive") or "COPY"
    given = described_by(request)
    match directive:
        case "COPY":
            described = source
        case "REPLACE":
            described = given
        case "MERGE":
            described = Described(
                {**source.http, **given.http}, {**source.metadata, **given.metadata}
            )
        case _:
            raise Refusal("InvalidArgument", "Unknown metadata directive.")
    if request.header("x-amz-storage-class") is None:
        return replace(described, storage_class="STANDARD")
    return replace(described, storage_class=given.storage_class)


def _sums_of(stored: StoredObject) -> dict[str, str]:
    headers = {f"x-amz-checksum-{name}": value for name, value in stored.sums.items()}
    if headers:
        of_parts = any("-" in value for value in stored.sums.values())
        headers["x-amz-checksum-type"] = "COMPOSITE" if of_parts else "FULL_OBJECT"
    return headers
