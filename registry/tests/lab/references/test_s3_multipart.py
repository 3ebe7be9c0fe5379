"""Uploads in parts against the S3 reference: by hand and by boto3's TransferManager."""

import hashlib
import io
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from flows_registry.lab.references.s3 import S3

from .conftest import BUCKET, ClientOf
from .test_s3_objects import refused

pytestmark = pytest.mark.feature("P4-03", "AL-07")
MIB = 1 << 20
FULL = bytes(5 * MIB)
TAIL = b"tail"


def begin(s3: Any, key: str = "k", **arguments: Any) -> dict[str, str]:
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key, **arguments)["UploadId"]
    return {"Key": key, "UploadId": upload}


def part(s3: Any, upload: dict[str, str], number: int, body: bytes, **more: Any) -> dict[str, Any]:
    etag = s3.upload_part(Bucket=BUCKET, **upload, PartNumber=number, Body=body, **more)["ETag"]
    return {"PartNumber": number, "ETag": etag}


@pytest.mark.parametrize("mode", ["when_supported", "when_required"])
def test_the_transfer_manager_uploads_and_downloads(
    client_of: ClientOf, reference: S3, mode: str
) -> None:
    s3 = client_of(request_checksum_calculation=mode, response_checksum_validation=mode)
    data = hashlib.sha256(b"seed").digest() * (12 * MIB // 32) + b"odd"
    settings = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(
        io.BytesIO(data), BUCKET, "k", Config=settings, ExtraArgs={"Metadata": {"a": "b"}}
    )
    head = s3.head_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-3"')
    assert head["Metadata"] == {"a": "b"}
    assert ("ChecksumCRC32" in head) == (mode == "when_supported")
    sink = io.BytesIO()
    s3.download_fileobj(BUCKET, "k", sink, Config=settings)
    assert sink.getvalue() == data
    bucket = reference.state()["buckets"][BUCKET]
    assert bucket["uploads"] == {}
    assert bucket["objects"]["k"]["sha256"] == hashlib.sha256(data).hexdigest()
    s3.copy({"Bucket": BUCKET, "Key": "k"}, BUCKET, "copy", Config=settings)
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == data


def test_by_hand(s3: Any, reference: S3) -> None:
    upload = begin(s3, ContentType="text/plain", Metadata={"a": "b"})
    first, last = part(s3, upload, 1, FULL), part(s3, upload, 7, TAIL)
    assert first["ETag"] == f'"{hashlib.md5(FULL).hexdigest()}"'
    assert refused(s3.get_object, Key="k") == (404, "NoSuchKey")
    [shown] = reference.state()["buckets"][BUCKET]["uploads"].values()
    assert [shown["parts"][number]["size_bytes"] for number in ("1", "7")] == [len(FULL), 4]
    done = s3.complete_multipart_upload(
        Bucket=BUCKET, **upload, MultipartUpload={"Parts": [first, last]}
    )
    sums = hashlib.md5(FULL).digest() + hashlib.md5(TAIL).digest()
    assert done["ETag"] == f'"{hashlib.md5(sums).hexdigest()}-2"'
    got = s3.get_object(Bucket=BUCKET, Key="k")
    assert got["ETag"] == done["ETag"]
    assert (got["ContentType"], got["Metadata"]) == ("text/plain", {"a": "b"})
    assert got["Body"].read() == FULL + TAIL
    second = s3.get_object(Bucket=BUCKET, Key="k", PartNumber=2)
    assert (second["PartsCount"], second["Body"].read()) == (2, TAIL)
    assert reference.state()["buckets"][BUCKET]["uploads"] == {}
    assert refused(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": [first]}) == (
        404,
        "NoSuchUpload",
    )


def test_what_completion_refuses_leaves_the_upload(s3: Any, reference: S3) -> None:
    upload = begin(s3)
    first, second = part(s3, upload, 1, FULL), part(s3, upload, 2, FULL)
    small, large = part(s3, upload, 3, TAIL), part(s3, upload, 4, FULL + TAIL)
    before = reference.state()

    def complete(*parts: dict[str, Any], **more: Any) -> tuple[int, str]:
        named = {"Parts": list(parts)}
        return refused(s3.complete_multipart_upload, **upload, MultipartUpload=named, **more)

    assert complete(second, first) == (400, "InvalidPartOrder")
    assert complete(first, first) == (400, "InvalidPartOrder")
    assert complete(first, {"PartNumber": 9, "ETag": '"x"'}) == (400, "InvalidPart")
    assert complete({**first, "ETag": small["ETag"]}) == (400, "InvalidPart")
    assert complete(first, small, large) == (400, "EntityTooSmall")
    assert complete(first, large) == (400, "InvalidPart")
    assert complete(first, large, {**small, "PartNumber": 9}) == (400, "InvalidPart")
    assert complete() == (400, "MalformedXML")
    assert complete(first, IfMatch='"x"') == (412, "PreconditionFailed")
    assert reference.state() == before
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"in the way")
    assert complete(first, IfNoneMatch="*") == (412, "PreconditionFailed")


def test_unequal_parts_are_refused(s3: Any) -> None:
    upload = begin(s3)
    parts = [part(s3, upload, 1, FULL + b"x"), part(s3, upload, 2, FULL), part(s3, upload, 3, TAIL)]
    answer = refused(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts})
    assert answer == (400, "InvalidPart")


def test_a_part_is_replaced_and_an_abort_leaves_nothing(s3: Any, reference: S3) -> None:
    upload = begin(s3)
    part(s3, upload, 1, b"old")
    new = part(s3, upload, 1, b"new")
    other = begin(s3)
    assert other["UploadId"] != upload["UploadId"]
    s3.abort_multipart_upload(Bucket=BUCKET, **other)
    assert refused(s3.abort_multipart_upload, **other) == (404, "NoSuchUpload")
    assert refused(s3.upload_part, **other, PartNumber=1, Body=b"") == (404, "NoSuchUpload")
    s3.complete_multipart_upload(Bucket=BUCKET, **upload, MultipartUpload={"Parts": [new]})
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"new"
    s3.delete_object(Bucket=BUCKET, Key="k")
    assert reference.state() == {"buckets": {}}


def test_parts_are_numbered_from_1_to_10000(s3: Any) -> None:
    upload = begin(s3)
    part(s3, upload, 10_000, b"")
    for number in (0, 10_001):
        answer = refused(s3.upload_part, **upload, PartNumber=number, Body=b"")
        assert answer == (400, "InvalidArgument")
    elsewhere = {**upload, "Key": "other"}
    assert refused(s3.upload_part, **elsewhere, PartNumber=1, Body=b"") == (404, "NoSuchUpload")


def test_parts_and_uploads_are_listed_in_pages(s3: Any) -> None:
    uploads = [begin(s3, key) for key in ("a/1", "a/2", "b", "b")]
    for number in (1, 5, 9):
        part(s3, uploads[0], number, b"x" * number)
    pages = s3.get_paginator("list_parts").paginate(
        Bucket=BUCKET, **uploads[0], PaginationConfig={"PageSize": 2}
    )
    listed = [item for page in pages for item in page["Parts"]]
    assert [(item["PartNumber"], item["Size"]) for item in listed] == [(1, 1), (5, 5), (9, 9)]
    for size in (1, 2, 1000):
        found = s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=BUCKET, PaginationConfig={"PageSize": size}
        )
        names = [(item["Key"], item["UploadId"]) for page in found for item in page["Uploads"]]
        assert sorted(names) == sorted((each["Key"], each["UploadId"]) for each in uploads)
    grouped = s3.list_multipart_uploads(Bucket=BUCKET, Delimiter="/")
    assert [item["Prefix"] for item in grouped["CommonPrefixes"]] == ["a/"]
    assert [item["Key"] for item in grouped["Uploads"]] == ["b", "b"]


def test_parts_copied_from_an_object(s3: Any) -> None:
    source = {"Bucket": BUCKET, "Key": "source"}
    s3.put_object(**source, Body=FULL + b"0123456789")
    upload = begin(s3)
    parts: list[dict[str, Any]] = []
    for number, wanted in (
        (1, f"bytes=0-{len(FULL) - 1}"),
        (2, f"bytes={len(FULL)}-{len(FULL) + 9}"),
    ):
        copied = s3.upload_part_copy(
            Bucket=BUCKET, **upload, PartNumber=number, CopySource=source, CopySourceRange=wanted
        )["CopyPartResult"]
        parts.append({"PartNumber": number, "ETag": copied["ETag"]})
    s3.complete_multipart_upload(Bucket=BUCKET, **upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=BUCKET, Key="k", Range="bytes=-10")["Body"].read() == b"0123456789"


def test_the_checksums_of_parts_are_verified_at_the_end(client_of: ClientOf) -> None:
    s3 = client_of(request_checksum_calculation="when_supported")
    upload = begin(s3, ChecksumAlgorithm="SHA256")
    named = part(s3, upload, 1, b"data", ChecksumAlgorithm="SHA256")
    wrong = {**named, "ChecksumSHA256": "A" * 43 + "="}
    answer = refused(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": [wrong]})
    assert answer == (400, "InvalidPart")
    done = s3.complete_multipart_upload(Bucket=BUCKET, **upload, MultipartUpload={"Parts": [named]})
    assert done["ChecksumSHA256"].endswith("-1")
    assert done["ChecksumType"] == "COMPOSITE"
