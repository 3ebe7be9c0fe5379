"""Signatures, presigned URLs and clocks of the S3 reference.

The fixed signatures are the examples of the S3 documentation:
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, sigv4-streaming.html,
sigv4-streaming-trailers.html and sigv4-query-string-auth.html.
"""

import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from flows_registry.lab.references.exchange import Request, Response
from flows_registry.lab.references.s3 import S3

from .conftest import ACCESS_KEY, BUCKET, SECRET, ClientOf
from .serve import serve
from .test_s3_objects import refused

pytestmark = pytest.mark.feature("P4-03", "AL-07")

EXAMPLE_KEY = "AKIAIOSFODNN7EXAMPLE"
EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EXAMPLE_TIME = 1_369_353_600.0
EMPTY = hashlib.sha256(b"").hexdigest()
Headers = Iterable[tuple[str, str]]


def example(now: float = EXAMPLE_TIME, skew: float | None = 900) -> S3:
    secrets = {"access_key_id": EXAMPLE_KEY, "secret_access_key": EXAMPLE_SECRET}
    return S3({"bucket": "examplebucket"}, secrets, lambda: now, skew_seconds_max=skew)


def signed(names: str, signature: str) -> tuple[str, str]:
    scope = f"{EXAMPLE_KEY}/20130524/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256 Credential={scope},SignedHeaders={names},Signature={signature}"
    return "authorization", text


def asked(
    method: str, target: str, headers: Headers, body: bytes = b"", virtual: bool = True
) -> Request:
    host = "examplebucket.s3.amazonaws.com" if virtual else "s3.amazonaws.com"
    date = ("x-amz-date", "20130524T000000Z")
    return Request(method, host, target, (("host", host), date, *headers), body)


GET_EXAMPLE = asked(
    "GET",
    "/test.txt",
    [
        ("range", "bytes=0-9"),
        ("x-amz-content-sha256", EMPTY),
        signed(
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
    ],
)
LIST_EXAMPLE = asked(
    "GET",
    "/?max-keys=2&prefix=J",
    [
        ("x-amz-content-sha256", EMPTY),
        signed(
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
PRESIGNED_EXAMPLE = Request(
    "GET",
    "examplebucket.s3.amazonaws.com",
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524"
    "%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
    "&X-Amz-SignedHeaders=host&X-Amz-Signature="
    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    (("host", "examplebucket.s3.amazonaws.com"),),
)


def chunked(signatures: tuple[str, str, str], end: bytes) -> bytes:
    chunks = [
        f"{size:x};chunk-signature={signature}\r\n".encode() + b"a" * size
        for size, signature in zip((65536, 1024, 0), signatures, strict=True)
    ]
    return b"\r\n".join(chunks) + end


CHUNKS = chunked(
    (
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ),
    b"\r\n",
)
CHUNKS_WITH_TRAILER = chunked(
    (
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ),
    b"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:"
    b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
)


def chunked_example(body: bytes) -> Request:
    headers = [
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("content-length", "66824"),
        signed(
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
            "x-amz-decoded-content-length;x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        ),
    ]
    return asked("PUT", "/examplebucket/chunkObject.txt", headers, body, virtual=False)


def trailer_example(body: bytes) -> Request:
    headers = [
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("x-amz-trailer", "x-amz-checksum-crc32c"),
        signed(
            "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
            "x-amz-storage-class;x-amz-trailer",
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        ),
    ]
    return asked("PUT", "/examplebucket/chunkObject.txt", headers, body, virtual=False)


def code(response: Response) -> str:
    """The error code of an answer, or "" for a success."""
    found = response.body.partition(b"<Code>")[2].partition(b"</Code>")[0]
    return found.decode() if response.status >= 400 else ""


@pytest.mark.parametrize(
    ("request_", "answer"),
    [(GET_EXAMPLE, "NoSuchKey"), (PRESIGNED_EXAMPLE, "NoSuchKey"), (LIST_EXAMPLE, "")],
)
def test_published_signatures_are_accepted(request_: Request, answer: str) -> None:
    assert code(example().handle(request_)) == answer


@pytest.mark.parametrize(
    ("make", "body"),
    [(chunked_example, CHUNKS), (trailer_example, CHUNKS_WITH_TRAILER)],
)
def test_published_chunk_signatures_are_accepted(
    make: Callable[[bytes], Request], body: bytes
) -> None:
    # R2 has no such storage class, and says so only once everything else is right.
    assert code(example().handle(make(body))) == "InvalidStorageClass"
    for tampered in (body.replace(b"aaaa", b"aaab", 1), body.replace(b"ad80", b"ad81", 1)):
        if tampered != body:
            assert code(example().handle(make(tampered))) == "SignatureDoesNotMatch"
    assert code(example().handle(make(body[:-400]))) == "IncompleteBody"


def test_a_tampered_trailer_is_refused() -> None:
    for tampered in (
        CHUNKS_WITH_TRAILER.replace(b"sOO8", b"sOO9"),
        CHUNKS_WITH_TRAILER.replace(b"d81f", b"d81e"),
    ):
        assert code(example().handle(trailer_example(tampered))) == "SignatureDoesNotMatch"
    renamed = CHUNKS_WITH_TRAILER.replace(b"x-amz-checksum-crc32c", b"x-amz-meta-sneaky")
    assert code(example().handle(trailer_example(renamed))) == "InvalidRequest"


def test_whatever_is_signed_cannot_be_changed() -> None:
    changed = [
        Request(GET_EXAMPLE.method, *rest)
        for rest in (
            (GET_EXAMPLE.host, "/test.text", GET_EXAMPLE.headers),
            (GET_EXAMPLE.host, "/test.txt?a=b", GET_EXAMPLE.headers),
            (
                GET_EXAMPLE.host,
                "/test.txt",
                tuple((k, "bytes=0-8" if k == "range" else v) for k, v in GET_EXAMPLE.headers),
            ),
        )
    ]
    for request in (
        *changed,
        Request("HEAD", *(GET_EXAMPLE.host, "/test.txt", GET_EXAMPLE.headers)),
    ):
        assert code(example().handle(request)) == "SignatureDoesNotMatch"
    added = (*GET_EXAMPLE.headers, ("x-amz-meta-a", "b"))
    assert code(example().handle(Request("GET", GET_EXAMPLE.host, "/test.txt", added))) == (
        "AccessDenied"
    )


def test_the_clock_is_compared_only_where_it_means_something() -> None:
    for late in (901, -901):
        now = EXAMPLE_TIME + late
        assert code(example(now).handle(GET_EXAMPLE)) == "RequestTimeTooSkewed"
        assert code(example(now, skew=None).handle(GET_EXAMPLE)) == "NoSuchKey"
    assert code(example(EXAMPLE_TIME + 899).handle(GET_EXAMPLE)) == "NoSuchKey"
    assert code(example(EXAMPLE_TIME + 86_400).handle(PRESIGNED_EXAMPLE)) == "NoSuchKey"
    assert code(example(EXAMPLE_TIME + 86_401).handle(PRESIGNED_EXAMPLE)) == "ExpiredRequest"
    assert code(example(EXAMPLE_TIME - 901).handle(PRESIGNED_EXAMPLE)) == "AccessDenied"


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ([], "InvalidArgument"),
        ([("authorization", "Bearer x")], "InvalidRequest"),
        ([("authorization", "AWS4-HMAC-SHA256 nonsense")], "AuthorizationHeaderMalformed"),
        ([signed("host", "0" * 64)], "InvalidRequest"),
        (
            [("x-amz-content-sha256", EMPTY), signed("x-amz-date", "0" * 64)],
            "AccessDenied",
        ),
        (
            [("x-amz-content-sha256", EMPTY), signed("host;x-amz-date", "0" * 64)],
            "SignatureDoesNotMatch",
        ),
    ],
)
def test_malformed_authentication(headers: list[tuple[str, str]], answer: str) -> None:
    assert code(example().handle(asked("GET", "/test.txt", headers))) == answer


def test_wrong_credentials_are_refused(client_of: ClientOf) -> None:
    wrong_secret = client_of(secret="wrong")
    assert refused(wrong_secret.get_object, Key="k") == (403, "SignatureDoesNotMatch")
    wrong_key = client_of(access_key="wrong")
    assert refused(wrong_key.get_object, Key="k") == (401, "Unauthorized")


def fetched(url: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, data=body, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_presigned_urls(client_of: ClientOf, s3: Any) -> None:
    def presigned(client: Any, operation: str, key: str, seconds: int = 60) -> str:
        return client.generate_presigned_url(
            operation, Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=seconds
        )

    put = presigned(s3, "put_object", "a b/ü")
    assert fetched(put, "PUT", b"hello")[0] == 200
    assert fetched(presigned(s3, "get_object", "a b/ü")) == (200, b"hello")
    status, body = fetched(put, "GET")
    assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
    assert fetched(put.replace("a%20b", "other"), "PUT", b"x")[0] == 403
    assert fetched(put.replace("Expires=60", "Expires=600"), "PUT", b"x")[0] == 403
    assert fetched(presigned(client_of(secret="wrong"), "get_object", "k"))[0] == 403
    assert fetched(presigned(s3, "get_object", "k", 604_801))[0] == 400


def test_a_presigned_url_expires() -> None:
    now = [time.time()]
    secrets = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET}
    reference = S3({"bucket": BUCKET}, secrets, lambda: now[0])
    with serve(reference) as url:
        import boto3

        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="auto",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET,
        )
        signed_url = client.generate_presigned_url(
            "list_objects_v2", Params={"Bucket": BUCKET}, ExpiresIn=30
        )
        assert fetched(signed_url)[0] == 200
        now[0] += 60
        status, body = fetched(signed_url)
        client.close()
    assert (status, b"ExpiredRequest" in body) == (400, True)


@pytest.mark.parametrize(
    ("settings", "secrets"),
    [
        ({"bucket_name": BUCKET}, {"key": ACCESS_KEY, "secret": SECRET}),
        ({"r2_bucket": BUCKET, "access_key": ACCESS_KEY}, {"secret": SECRET}),
        ({}, {"zzz": ACCESS_KEY, "aaa": SECRET}),
    ],
)
def test_names_of_settings_and_secrets_are_the_plugins_own(
    client_of: ClientOf, settings: dict[str, str], secrets: dict[str, str]
) -> None:
    with serve(S3(settings, secrets, time.time)) as url:
        client = client_of(endpoint=url)
        client.put_object(Bucket=BUCKET, Key="k", Body=b"v")
        assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"v"
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            client_of(endpoint=url, secret="wrong").get_object(Bucket=BUCKET, Key="k")


def test_an_endpoint_with_a_path(client_of: ClientOf) -> None:
    settings = {"bucket": BUCKET, "endpoint": "https://example.com/api/s3/"}
    secrets = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET}
    with serve(reference := S3(settings, secrets, time.time)) as url:
        client_of(endpoint=f"{url}/api/s3").put_object(Bucket=BUCKET, Key="k", Body=b"v")
    assert list(reference.state()["buckets"][BUCKET]["objects"]) == ["k"]


def test_virtual_hosted_buckets(client_of: ClientOf, s3: Any, url: str) -> None:
    port = url.rpartition(":")[2]
    hosted = client_of(endpoint=f"http://localhost:{port}", s3={"addressing_style": "virtual"})

    def to_loopback(request: Any, **_: Any) -> None:
        # The name resolves nowhere; what matters is that it was signed as the host.
        request.headers["Host"] = f"{BUCKET}.localhost:{port}"
        request.url = request.url.replace(f"{BUCKET}.localhost", "127.0.0.1")

    hosted.meta.events.register("before-send.s3", to_loopback)
    hosted.put_object(Bucket=BUCKET, Key="a/b", Body=b"v")
    assert s3.get_object(Bucket=BUCKET, Key="a/b")["Body"].read() == b"v"


def test_the_same_requests_at_the_same_time_give_the_same_bytes() -> None:
    first, second = example(), example()
    for request in (GET_EXAMPLE, LIST_EXAMPLE, PRESIGNED_EXAMPLE):
        assert first.handle(request) == second.handle(request)
    ids = {
        dict(first.handle(each).headers)["x-amz-request-id"] for each in (GET_EXAMPLE, LIST_EXAMPLE)
    }
    assert len(ids) == 2
