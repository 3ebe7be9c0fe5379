"""Uploads in parts: begun, filled, listed, completed or aborted.

Source: https://developers.cloudflare.com/r2/objects/multipart-objects/
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element as Node

from flows_registry.lab.references.exchange import Response
from flows_registry.lab.references.s3.call import Call
from flows_registry.lab.references.s3.checksums import (
    ALGORITHMS,
    checksum,
    composite,
    declared,
    verify_declared,
    verify_md5,
)
from flows_registry.lab.references.s3.conditions import byte_range, require_write
from flows_registry.lab.references.s3.documents import (
    Element,
    answer,
    iso_date,
    parse_document,
    text_of,
    unquoted,
)
from flows_registry.lab.references.s3.headers import described_by
from flows_registry.lab.references.s3.listing import number_of
from flows_registry.lab.references.s3.objects import copy_source
from flows_registry.lab.references.s3.refusals import Refusal
from flows_registry.lab.references.s3.store import Part, StoredObject, Upload, etag_of

__all__ = [
    "abort_upload",
    "complete_upload",
    "create_upload",
    "list_parts",
    "upload_part",
    "upload_part_copy",
]

PART_SIZE_BYTES_MIN: Final = 5 * 1024 * 1024
PARTS_MAX: Final = 10_000


def create_upload(call: Call) -> Response:
    """CreateMultipartUpload."""
    call.payload()
    algorithm = (call.request.header("x-amz-checksum-algorithm") or "").lower()
    if algorithm and algorithm not in ALGORITHMS:
        raise Refusal("InvalidRequest", f"Unknown checksum algorithm {algorithm}")
    kind = (call.request.header("x-amz-checksum-type") or "").upper()
    full_object = algorithm == "crc64nvme"
    # R2 has each algorithm in one type: https://developers.cloudflare.com/r2/api/s3/api/
    if kind and algorithm and (kind == "FULL_OBJECT") != full_object:
        raise Refusal("NotImplemented", f"{algorithm.upper()} checksums of type {kind}")
    upload = call.bucket.begin(
        call.key, described_by(call.request), call.now, algorithm, full_object
    )
    headers: dict[str, str] = {}
    if algorithm:
        headers["x-amz-checksum-algorithm"] = algorithm.upper()
        headers["x-amz-checksum-type"] = "FULL_OBJECT" if full_object else "COMPOSITE"
    children = (
        ("Bucket", call.bucket.name),
        ("Key", call.key),
        ("UploadId", upload.identifier),
    )
    return answer("InitiateMultipartUploadResult", children, headers)


def _upload_of(call: Call) -> Upload:
    upload = call.bucket.uploads.get(call.query.get("uploadId", ""))
    if upload is None or upload.key != call.key:
        raise Refusal("NoSuchUpload")
    return upload


def _part_number(call: Call) -> int:
    text = call.query.get("partNumber", "")
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= PARTS_MAX:
        raise Refusal(
            "InvalidArgument", f"Part number must be an integer from 1 to {PARTS_MAX}, inclusive"
        )
    return int(text)


def upload_part(call: Call) -> Response:
    """UploadPart: a part of the same number is replaced."""
    number, upload = _part_number(call), _upload_of(call)
    payload = call.payload()
    part = Part(number, payload.data, etag_of(payload.data), call.now, payload.sums)
    verify_md5(call.request.header("content-md5"), bytes.fromhex(part.etag))
    verify_declared(payload.sums, payload.data)
    upload.parts[number] = part
    headers = {"etag": f'"{part.etag}"'}
    headers.update({f"x-amz-checksum-{name}": value for name, value in part.sums.items()})
    return Response(200, tuple(headers.items()))


def upload_part_copy(call: Call) -> Response:
    """UploadPartCopy: a part from an object, or a range of one."""
    number, upload = _part_number(call), _upload_of(call)
    call.payload()
    source = copy_source(call)
    wanted = call.request.header("x-amz-copy-source-range")
    window = byte_range(wanted, len(source.data))
    if wanted is not None and window is None:
        raise Refusal("InvalidArgument", "The x-amz-copy-source-range value must be bytes=N-M")
    start, end = window or (0, len(source.data))
    data = source.data[start:end]
    upload.parts[number] = part = Part(number, data, etag_of(data), call.now, {})
    children = (("ETag", f'"{part.etag}"'), ("LastModified", iso_date(call.now)))
    return answer("CopyPartResult", children)


def list_parts(call: Call) -> Response:
    """ListParts.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
    """
    upload = _upload_of(call)
    count_max = number_of(call.query, "max-parts")
    marker = number_of(call.query, "part-number-marker", 2**31 - 1)
    marker = 0 if "part-number-marker" not in call.query else marker
    beyond = [part for number, part in sorted(upload.parts.items()) if number > marker]
    shown = beyond[:count_max]
    children: list[Element] = [
        ("Bucket", call.bucket.name),
        ("Key", call.key),
        ("UploadId", upload.identifier),
        ("PartNumberMarker", marker),
        ("MaxParts", count_max),
        ("IsTruncated", 0 < count_max < len(beyond)),
        ("StorageClass", upload.described.storage_class),
    ]
    if shown:
        children.append(("NextPartNumberMarker", shown[-1].number))
    children.extend(
        (
            "Part",
            (
                ("PartNumber", part.number),
                ("LastModified", iso_date(part.modified)),
                ("ETag", f'"{part.etag}"'),
                ("Size", len(part.data)),
            ),
        )
        for part in shown
    )
    return answer("ListPartsResult", children)


def abort_upload(call: Call) -> Response:
    """AbortMultipartUpload."""
    upload = _upload_of(call)
    del call.bucket.uploads[upload.identifier]
    return Response(204)


@dataclass(frozen=True, slots=True)
class _Named:
    """A part as the completing request names it."""

    number: int
    etag: str
    sums: dict[str, str]


def complete_upload(call: Call) -> Response:
    """CompleteMultipartUpload: the object appears whole, or the upload stays as it was."""
    upload = _upload_of(call)
    document = parse_document(call.payload().data, "CompleteMultipartUpload")
    parts = _chosen(upload, [_named(node) for node in document.findall("Part")])
    require_write(call.request, call.bucket.get(call.key))
    data = b"".join(part.data for part in parts)
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    etag = f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"
    sums = _whole_sums(call, upload, parts, data)
    stored = StoredObject.of(
        upload.key,
        data,
        upload.described,
        modified=call.now,
        etag=etag,
        sums=sums,
        part_sizes=tuple(len(part.data) for part in parts),
    )
    call.bucket.put(stored)
    del call.bucket.uploads[upload.identifier]
    children: list[Element] = [
        ("Location", f"{call.request.scheme}://{call.request.host}{call.request.raw_path}"),
        ("Bucket", call.bucket.name),
        ("Key", call.key),
        ("ETag", f'"{etag}"'),
    ]
    children.extend((f"Checksum{name.upper()}", value) for name, value in sums.items())
    if sums:
        children.append(("ChecksumType", "FULL_OBJECT" if upload.full_object else "COMPOSITE"))
    return answer("CompleteMultipartUploadResult", children)


def _named(node: Node) -> _Named:
    number, etag = text_of(node, "PartNumber"), text_of(node, "ETag")
    if number is None or etag is None or not (number.isascii() and number.isdigit()):
        raise Refusal("MalformedXML")
    sums = {
        name: text
        for name in ALGORITHMS
        if (text := text_of(node, f"Checksum{name.upper()}")) is not None
    }
    return _Named(int(number), unquoted(etag), sums)


def _chosen(upload: Upload, named: Sequence[_Named]) -> list[Part]:
    """The parts that make up the object, checked one against another."""
    if not named or len(named) > PARTS_MAX:
        raise Refusal("MalformedXML")
    numbers = [each.number for each in named]
    if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        raise Refusal("InvalidPartOrder")
    parts: list[Part] = []
    for each in named:
        part = upload.parts.get(each.number)
        if part is None or part.etag != each.etag:
            raise Refusal("InvalidPart")
        if any(checksum(name, part.data) != value for name, value in each.sums.items()):
            raise Refusal("InvalidPart")
        parts.append(part)
    *leading, trailing = parts
    if any(len(part.data) < PART_SIZE_BYTES_MIN for part in leading):
        raise Refusal("EntityTooSmall")
    if leading:
        size = len(leading[0].data)
        if any(len(part.data) != size for part in leading) or len(trailing.data) > size:
            raise Refusal("InvalidPart", "All non-trailing parts must have the same length.")
    return parts


def _whole_sums(call: Call, upload: Upload, parts: Sequence[Part], data: bytes) -> dict[str, str]:
    """The checksum of the finished object, checked where the request declares one."""
    if not upload.algorithm:
        return {}
    if upload.full_object:
        value = checksum(upload.algorithm, data)
    else:
        value = composite(
            upload.algorithm, (checksum(upload.algorithm, part.data) for part in parts)
        )
    expected = declared(call.request.headers).get(upload.algorithm, value)
    # The parts' count after the dash may be left out.
    if value.partition("-")[0] != expected.partition("-")[0]:
        raise Refusal("BadDigest")
    return {upload.algorithm: value}
