"""Bodies and checksums of the S3 reference: in headers, in trailers, changed on the way."""

import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
import trustme
from flows_registry.lab.references.s3 import S3

from .conftest import BUCKET, ClientOf
from .test_s3_objects import refused

pytestmark = pytest.mark.feature("P4-03", "AL-07")


def test_a_body_changed_on_the_way_is_refused(client_of: ClientOf, reference: S3) -> None:
    def tamper(request: Any, **_: Any) -> None:
        request.body = b"jello"

    s3 = client_of(request_checksum_calculation="when_required")
    s3.meta.events.register("before-send.s3.PutObject", tamper)
    answer = refused(s3.put_object, Key="k", Body=b"hello")
    assert answer == (400, "XAmzContentSHA256Mismatch")
    assert reference.state() == {"buckets": {}}


@pytest.fixture
def over_tls(client_of: ClientOf, https_url: str, authority: trustme.CA, tmp_path: Path) -> Any:
    """A client with botocore's defaults over TLS, where checksums travel in trailers."""
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    return client_of(endpoint=https_url, verify=str(bundle))


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
@pytest.mark.parametrize("wrap", [bytes, io.BytesIO])
def test_checksums_in_trailers(over_tls: Any, algorithm: str, wrap: type[Any]) -> None:
    data = bytes(range(256)) * 9000
    sent: list[Any] = []
    over_tls.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: sent.append(dict(request.headers))
    )
    over_tls.put_object(
        Bucket=BUCKET,
        Key="k",
        Body=wrap(data),
        ContentEncoding="gzip",
        ChecksumAlgorithm=algorithm,
    )
    assert "x-amz-trailer" in {name.lower() for name in sent[0]}
    got = over_tls.get_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == data
    assert got["ContentEncoding"] == "gzip"
    assert got[f"Checksum{algorithm}"]


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [
        (b"hello", b"jello", "BadDigest"),
        (b"5\r\nhello", b"6\r\nhello", "IncompleteBody"),
        (b"5\r\nhello", b"4\r\nhell", "IncompleteBody"),
        (b"x-amz-checksum-crc32:", b"x-amz-checksum-sha1:", "InvalidRequest"),
    ],
)
def test_a_streamed_body_changed_on_the_way_is_refused(
    over_tls: Any, reference: S3, old: bytes, new: bytes, answer: str
) -> None:
    def tamper(request: Any, **_: Any) -> None:
        request.body = request.body.read().replace(old, new)
        assert new in request.body

    over_tls.meta.events.register("before-send.s3.PutObject", tamper)
    assert refused(over_tls.put_object, Key="k", Body=io.BytesIO(b"hello")) == (400, answer)
    assert reference.state() == {"buckets": {}}


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("CRC32", "y/Q5Jg=="),
        ("CRC32C", base64.b64encode(bytes.fromhex("e3069283")).decode()),
        ("CRC64NVME", base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode()),
        ("SHA1", base64.b64encode(hashlib.sha1(b"123456789").digest()).decode()),
        ("SHA256", base64.b64encode(hashlib.sha256(b"123456789").digest()).decode()),
    ],
)
def test_checksums(s3: Any, reference: S3, algorithm: str, value: str) -> None:
    named: dict[str, Any] = {f"Checksum{algorithm}": value}
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"123456789", **named)
    got = s3.get_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"123456789"
    assert got[f"Checksum{algorithm}"] == value
    assert got["ChecksumType"] == "FULL_OBJECT"
    before = reference.state()
    assert refused(s3.put_object, Key="k", Body=b"12345678", **named) == (400, "BadDigest")
    named = {f"Checksum{algorithm}": "!!"}
    assert refused(s3.put_object, Key="k", Body=b"x", **named) == (400, "InvalidDigest")
    assert reference.state() == before


def test_content_md5(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"hello", ContentMD5="XUFAKrxLKna5cZ2REBfFkg==")
    wrong = refused(s3.put_object, Key="k", Body=b"jello", ContentMD5="XUFAKrxLKna5cZ2REBfFkg==")
    assert wrong == (400, "BadDigest")
    assert refused(s3.put_object, Key="k", Body=b"", ContentMD5="zzz") == (400, "InvalidDigest")
