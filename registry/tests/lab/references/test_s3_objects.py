"""Objects, conditions, ranges, copies and listings of the S3 reference, through boto3."""

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from flows_registry.lab.references.s3 import FACTORY, S3

from .conftest import BUCKET, ClientOf

pytestmark = pytest.mark.feature("P4-03", "AL-07")


def refused(call: Any, **arguments: Any) -> tuple[int, str]:
    """The status and code that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(Bucket=BUCKET, **arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.fixture(params=["when_supported", "when_required"])
def checked(request: pytest.FixtureRequest, client_of: ClientOf) -> Any:
    """A client that adds and verifies checksums, and one that does so only where it must."""
    return client_of(
        request_checksum_calculation=request.param, response_checksum_validation=request.param
    )


@pytest.mark.parametrize("key", ["k", "a b/ü+%2F", "?&#'\"<>*!~()", "a//b/", "😀", "x" * 1024])
def test_an_object_comes_back_as_it_was_put(checked: Any, reference: S3, key: str) -> None:
    put = checked.put_object(
        Bucket=BUCKET,
        Key=key,
        Body=b"hello",
        Metadata={"One": "1", "two": "a, b"},
        ContentType="text/plain",
        CacheControl="no-store",
        ContentDisposition="inline",
        ContentEncoding="identity",
        ContentLanguage="de",
        Expires=datetime(2065, 10, 21, tzinfo=UTC),
    )
    got = checked.get_object(Bucket=BUCKET, Key=key)
    head = checked.head_object(Bucket=BUCKET, Key=key)
    assert got["Body"].read() == b"hello"
    for answer in (got, head):
        assert answer["ETag"] == put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
        assert answer["Metadata"] == {"one": "1", "two": "a, b"}
        assert answer["ContentType"] == "text/plain"
        assert answer["CacheControl"] == "no-store"
        assert answer["ContentDisposition"] == "inline"
        assert answer["ContentEncoding"] == "identity"
        assert answer["ContentLanguage"] == "de"
        assert answer["ExpiresString"] == "Wed, 21 Oct 2065 00:00:00 GMT"
        assert answer["ContentLength"] == 5
        assert answer["AcceptRanges"] == "bytes"
    [listed] = checked.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert listed["Key"] == key
    [entry] = reference.state()["buckets"][BUCKET]["objects"].values()
    assert entry["size_bytes"] == 5
    assert (
        checked.delete_object(Bucket=BUCKET, Key=key)["ResponseMetadata"]["HTTPStatusCode"] == 204
    )
    assert reference.state() == {"buckets": {}}


def test_streams_in_chunks_are_decoded(checked: Any, tmp_path: Any) -> None:
    data = bytes(range(256)) * 5000
    path = tmp_path / "file"
    path.write_bytes(data)
    with path.open("rb") as file:
        checked.put_object(Bucket=BUCKET, Key="k", Body=file, ContentEncoding="gzip")
    got = checked.get_object(Bucket=BUCKET, Key="k")
    assert got["ContentEncoding"] == "gzip"
    assert got["Body"].read() == data


def test_what_is_absent(s3: Any) -> None:
    assert refused(s3.get_object, Key="none") == (404, "NoSuchKey")
    assert refused(s3.head_object, Key="none") == (404, "404")
    assert s3.delete_object(Bucket=BUCKET, Key="none")["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.get_object(Bucket="other-bucket", Key="k")
    with pytest.raises(ClientError, match="InvalidBucketName"):
        s3.get_object(Bucket="Not_A_Name", Key="k")


@pytest.mark.parametrize(
    ("wanted", "body", "span"),
    [
        ("bytes=0-0", b"0", "0-0"),
        ("bytes=2-4", b"234", "2-4"),
        ("bytes=7-", b"789", "7-9"),
        ("bytes=-3", b"789", "7-9"),
        ("bytes=8-99", b"89", "8-9"),
        ("bytes=-99", b"0123456789", "0-9"),
    ],
)
def test_ranges(checked: Any, wanted: str, body: bytes, span: str) -> None:
    checked.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789")
    got = checked.get_object(Bucket=BUCKET, Key="k", Range=wanted)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {span}/10"
    assert got["Body"].read() == body


def test_ranges_outside_and_ranges_that_are_none(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789")
    s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    for wanted in ("bytes=10-", "bytes=-0", "bytes=99-100"):
        assert refused(s3.get_object, Key="k", Range=wanted) == (416, "InvalidRange")
    assert refused(s3.get_object, Key="empty", Range="bytes=0-0") == (416, "InvalidRange")
    for wanted in ("bytes=4-2", "lines=1-2", "bytes=0-1,3-4"):
        whole = s3.get_object(Bucket=BUCKET, Key="k", Range=wanted)
        assert whole["Body"].read() == b"0123456789"
    assert s3.head_object(Bucket=BUCKET, Key="k", Range="bytes=0-1")["ContentLength"] == 10


def test_conditional_reads(s3: Any) -> None:
    etag = s3.put_object(Bucket=BUCKET, Key="k", Body=b"v")["ETag"]
    past, future = datetime(2024, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(hours=1)
    same, other = f'"x", {etag}', '"x"'
    passing: list[dict[str, Any]] = [
        {"IfMatch": same},
        {"IfMatch": etag.strip('"')},
        {"IfMatch": "*"},
        {"IfNoneMatch": other},
        {"IfModifiedSince": past},
        {"IfUnmodifiedSince": future},
        {"IfMatch": etag, "IfUnmodifiedSince": past},
        {"IfNoneMatch": other, "IfModifiedSince": future},
    ]
    for call in (s3.get_object, s3.head_object):
        for conditions in passing:
            answer = call(Bucket=BUCKET, Key="k", **conditions)
            assert answer["ETag"] == etag
            assert "Body" not in answer or answer["Body"].read() == b"v"
        for conditions in (
            {"IfMatch": other},
            {"IfMatch": f"W/{etag}"},
            {"IfUnmodifiedSince": past},
        ):
            assert refused(call, Key="k", **conditions)[0] == 412
        for conditions in (
            {"IfNoneMatch": same},
            {"IfNoneMatch": "*"},
            {"IfNoneMatch": f"W/{etag}"},
            {"IfModifiedSince": future},
        ):
            assert refused(call, Key="k", **conditions)[0] == 304
    assert refused(s3.get_object, Key="k", IfMatch=other)[1] == "PreconditionFailed"
    assert refused(s3.get_object, Key="none", IfMatch=other) == (404, "NoSuchKey")


def test_conditional_writes(s3: Any, reference: S3) -> None:
    failed = (412, "PreconditionFailed")
    assert refused(s3.put_object, Key="k", Body=b"1", IfMatch='"x"') == failed
    assert reference.state() == {"buckets": {}}
    etag = s3.put_object(Bucket=BUCKET, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    before = reference.state()
    assert refused(s3.put_object, Key="k", Body=b"2", IfNoneMatch="*") == failed
    assert refused(s3.put_object, Key="k", Body=b"2", IfMatch='"x"') == failed
    assert reference.state() == before
    second = s3.put_object(Bucket=BUCKET, Key="k", Body=b"2", IfMatch=etag)["ETag"]
    assert second != etag
    assert refused(s3.put_object, Key="k", Body=b"3", IfMatch=etag) == failed


def test_limits(s3: Any) -> None:
    put = s3.put_object
    assert refused(put, Key="x" * 1025, Body=b"") == (400, "InvalidObjectName")
    assert refused(put, Key="ü" * 513, Body=b"") == (400, "InvalidObjectName")
    assert refused(s3.get_object, Key="x" * 1025) == (400, "InvalidObjectName")
    put(Bucket=BUCKET, Key="k", Body=b"", Metadata={"a": "x" * 8191})
    too_much = {"a": "x" * 8192}
    assert refused(put, Key="k", Body=b"", Metadata=too_much) == (400, "MetadataTooLarge")
    assert refused(put, Key="k", Body=b"", StorageClass="GLACIER") == (400, "InvalidStorageClass")
    assert refused(put, Key="k", Body=b"", Tagging="a=b") == (501, "NotImplemented")
    assert refused(put, Key="k", Body=b"", ServerSideEncryption="aws:kms")[0] == 501


def test_metadata_in_unicode_is_carried_as_rfc_2047(s3: Any, reference: S3) -> None:
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"", Metadata={"a": "=?UTF-8?B?w7wg8J+YgA==?="})
    entry = reference.state()["buckets"][BUCKET]["objects"]["k"]
    assert entry["metadata"] == {"a": "ü 😀"}
    assert s3.head_object(Bucket=BUCKET, Key="k")["Metadata"] == {"a": "=?UTF-8?B?w7wg8J+YgA==?="}


def test_unicode_forms_of_one_key_are_one_object(s3: Any) -> None:
    composed, decomposed = "é", unicodedata.normalize("NFD", "é")
    s3.put_object(Bucket=BUCKET, Key=composed, Body=b"1")
    s3.put_object(Bucket=BUCKET, Key=decomposed, Body=b"2")
    assert s3.get_object(Bucket=BUCKET, Key=composed)["Body"].read() == b"2"
    [listed] = s3.list_objects_v2(Bucket=BUCKET, Prefix=composed)["Contents"]
    assert listed["Key"] == decomposed


def test_copies(s3: Any) -> None:
    source = {"Bucket": BUCKET, "Key": "a b/ü+%"}
    s3.put_object(**source, Body=b"v", Metadata={"a": "1", "b": "2"}, ContentType="text/plain")
    etag = s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source)["CopyObjectResult"]["ETag"]
    head = s3.head_object(Bucket=BUCKET, Key="copy")
    assert (head["ETag"], head["Metadata"]) == (etag, {"a": "1", "b": "2"})
    assert head["ContentType"] == "text/plain"
    s3.copy_object(
        Bucket=BUCKET,
        Key="copy",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"c": "3"},
    )
    head = s3.head_object(Bucket=BUCKET, Key="copy")
    assert (head["Metadata"], head["ContentType"]) == ({"c": "3"}, "application/octet-stream")
    s3.copy_object(
        Bucket=BUCKET, Key="copy", CopySource=source, MetadataDirective="MERGE", Metadata={"b": "3"}
    )
    assert s3.head_object(Bucket=BUCKET, Key="copy")["Metadata"] == {"a": "1", "b": "3"}
    absent = {"Bucket": BUCKET, "Key": "none"}
    assert refused(s3.copy_object, Key="c", CopySource=absent) == (404, "NoSuchKey")
    future, past = datetime.now(UTC) + timedelta(hours=1), datetime(2024, 1, 1, tzinfo=UTC)
    for conditions in (
        {"CopySourceIfMatch": '"x"'},
        {"CopySourceIfNoneMatch": etag},
        {"CopySourceIfModifiedSince": future},
        {"CopySourceIfUnmodifiedSince": past},
    ):
        failed = refused(s3.copy_object, Key="c", CopySource=source, **conditions)
        assert failed == (412, "PreconditionFailed")
    s3.copy_object(Bucket=BUCKET, Key="c", CopySource=source, CopySourceIfMatch=etag)


def test_deleting_many(checked: Any) -> None:
    for key in ("a", "b", "c<>&"):
        checked.put_object(Bucket=BUCKET, Key=key, Body=b"")
    named = [{"Key": key} for key in ("a", "none", "c<>&")]
    deleted = checked.delete_objects(Bucket=BUCKET, Delete={"Objects": named})["Deleted"]
    assert [item["Key"] for item in deleted] == ["a", "none", "c<>&"]
    quiet = {"Objects": [{"Key": "b"}], "Quiet": True}
    assert "Deleted" not in checked.delete_objects(Bucket=BUCKET, Delete=quiet)
    assert "Contents" not in checked.list_objects_v2(Bucket=BUCKET)
    assert refused(checked.delete_objects, Delete={"Objects": []}) == (400, "MalformedXML")


KEYS = ["a", "a/", "a/1", "a/2", "a0", "b/1/x", "b/1/y", "b/2", "é", "z &<>\n", "😀", "￿"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
@pytest.mark.parametrize("operation", ["list_objects_v2", "list_objects"])
@pytest.mark.parametrize(
    ("prefix", "delimiter", "keys", "prefixes"),
    [
        ("", "", KEYS, []),
        ("a", "", ["a", "a/", "a/1", "a/2", "a0"], []),
        ("", "/", ["a", "a0", "é", "z &<>\n", "😀", "￿"], ["a/", "b/"]),
        ("a/", "/", ["a/", "a/1", "a/2"], []),
        ("b/", "/", ["b/2"], ["b/1/"]),
        ("b", "/1/", ["b/2"], ["b/1/"]),
        ("none", "/", [], []),
    ],
)
def test_listings_page_in_byte_order(
    s3: Any,
    operation: str,
    page_size: int,
    prefix: str,
    delimiter: str,
    keys: list[str],
    prefixes: list[str],
) -> None:
    for key in KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"v")
    found: list[str] = []
    grouped: list[str] = []
    pages = s3.get_paginator(operation).paginate(
        Bucket=BUCKET,
        Prefix=prefix,
        Delimiter=delimiter,
        PaginationConfig={"PageSize": page_size},
    )
    for page in pages:
        items = page.get("Contents", []), page.get("CommonPrefixes", [])
        assert len(items[0]) + len(items[1]) <= page_size
        found += [item["Key"] for item in items[0]]
        grouped += [item["Prefix"] for item in items[1]]
    assert found == sorted(keys, key=str.encode)
    assert grouped == prefixes


def test_listing_details(s3: Any) -> None:
    for key in ("a", "b", "c"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"v")
    page = s3.list_objects_v2(Bucket=BUCKET, StartAfter="a", MaxKeys=1, FetchOwner=True)
    assert page["KeyCount"] == page["MaxKeys"] == 1
    assert page["Contents"][0]["Key"] == "b"
    assert page["Contents"][0]["Owner"]
    assert page["IsTruncated"] is True
    token = page["NextContinuationToken"]
    page = s3.list_objects_v2(Bucket=BUCKET, ContinuationToken=token)
    assert [item["Key"] for item in page["Contents"]] == ["c"]
    assert page["IsTruncated"] is False
    assert s3.list_objects_v2(Bucket=BUCKET, MaxKeys=5000)["MaxKeys"] == 1000
    assert s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)["KeyCount"] == 0
    assert refused(s3.list_objects_v2, ContinuationToken="bogus") == (400, "InvalidArgument")
    assert refused(s3.list_objects_v2, MaxKeys=-1) == (400, "InvalidMaxKeys")


def test_the_bucket_itself(s3: Any) -> None:
    assert s3.head_bucket(Bucket=BUCKET)["BucketRegion"] == "auto"
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "auto"
    assert [item["Name"] for item in s3.list_buckets()["Buckets"]] == [BUCKET]
    assert refused(s3.get_bucket_acl) == (501, "NotImplemented")
    assert refused(s3.get_object_tagging, Key="k") == (501, "NotImplemented")


def test_the_state_shows_effects_and_nothing_else(s3: Any, reference: S3) -> None:
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"v")
    before = reference.state()
    json.dumps(before)
    s3.get_object(Bucket=BUCKET, Key="k")["Body"].read()
    s3.list_objects_v2(Bucket=BUCKET)
    s3.list_multipart_uploads(Bucket=BUCKET)
    s3.head_object(Bucket=BUCKET, Key="k")
    s3.delete_object(Bucket=BUCKET, Key="none")
    assert reference.state() == before
    reference.reset()
    assert reference.state() == {"buckets": {}}


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "Unauthorized"), (429, "TooManyRequests"), (503, "ServiceUnavailable")],
)
def test_documented_failures(status: int, code: str) -> None:
    response = FACTORY.failure(status)
    assert response.status == status
    assert f"<Code>{code}</Code>".encode() in response.body
    assert b"<html" in FACTORY.failure(502).body
