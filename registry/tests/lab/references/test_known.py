"""What holds for every reference: found by name, no foreign package, never an exception."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import core_caps
import flows_registry
import pytest
from flows_registry.lab.references.exchange import Request
from flows_registry.lab.references.known import REFERENCES, reference_factory
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.feature("P4-03", "AL-07")

SETTINGS = {
    "bucket": "my-bucket",
    "account_id": "a",
    "namespace_id": "b" * 32,
    "queue_id": "c" * 32,
}
SECRETS = {"access_key_id": "AK", "secret_access_key": "SK", "api_token": "TOKEN"}
SOURCES = [str(Path(package.__file__).parents[1]) for package in (flows_registry, core_caps)]


def run_isolated(program: str) -> str:
    """What a program prints in an interpreter that has the standard library and our sources."""
    prologue = f"import sys; sys.path[:0] = {SOURCES!r}\n"
    command = [sys.executable, "-I", "-S", "-c", prologue + program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_every_wire_has_its_factory() -> None:
    for wire in REFERENCES:
        factory = reference_factory(wire)
        assert factory is not None
        assert factory.wire == wire
        if not factory.service:  # else it needs one to speak to, see its own tests
            reference = factory.create(SETTINGS, SECRETS, lambda: 0.0)
            assert json.loads(json.dumps(reference.state())) == reference.state()
    assert reference_factory("unheard-of") is None


def test_looking_at_the_names_imports_no_reference() -> None:
    program = (
        "from flows_registry.lab.references.known import REFERENCES\n"
        "print([name for name in sys.modules if name.startswith("
        "('flows_registry.lab.references.s3', 'flows_registry.lab.references.cloudflare'))])"
    )
    assert run_isolated(program).strip() == "[]"


def test_the_standard_library_is_enough() -> None:
    program = (
        "from flows_registry.lab.references.known import REFERENCES, reference_factory\n"
        "for wire in REFERENCES: print(reference_factory(wire).wire)"
    )
    assert run_isolated(program).split() == list(REFERENCES)


TOKENS = st.sampled_from(
    [
        "", "0", "-1", "1", "10", "99999999999999999999", "\u0661", "\xff", "=?", "a=b", "bytes=0-",
        "bytes=-", "*", '"x"', "%", "%ZZ", "%FF", "my-bucket/k", "/", "UNSIGNED-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "multipart/form-data; boundary=x", "Bearer TOKEN",
        "=?UTF-8?B?!!!?=", "=?nope?Q?a?=", "Wed, 99 Foo 2024 99:99:99 GMT", "application/json",
    ]
)  # fmt: skip
NAMES = st.sampled_from(
    [
        "if-match", "if-none-match", "if-modified-since", "range", "content-md5", "content-type",
        "x-amz-checksum-crc32", "x-amz-checksum-sha256", "x-amz-copy-source", "x-amz-meta-a",
        "x-amz-copy-source-range", "x-amz-metadata-directive", "x-amz-checksum-algorithm",
        "x-amz-checksum-type", "x-amz-decoded-content-length", "x-amz-trailer", "content-encoding",
        "x-amz-copy-source-if-unmodified-since", "x-amz-storage-class",
    ]
)  # fmt: skip
PARAMETERS = st.sampled_from(
    [
        "uploads", "uploadId", "partNumber", "list-type", "max-keys", "continuation-token",
        "marker", "delimiter", "encoding-type", "prefix", "delete", "location", "limit", "cursor",
        "expiration", "expiration_ttl", "key-marker", "max-parts", "part-number-marker",
        "start-after",
    ]
)  # fmt: skip
BODIES = st.sampled_from(
    [
        b"amount=1000&currency=usd", b"metadata[]=x&metadata[a]=b&email=%FF", b"a[[]=1&=&&[0]=",
        b"payment_method=pm_card_visa&confirm=true&amount=9999999999999999999&currency=\xc3",
        b"", b"x", b"{}", b"[]", b"[1]", b'{"keys":["k"]}', b'[{"key":"k","value":"v"}]',
        b"<Delete><Object><Key>k</Key></Object></Delete>", b"<Delete/>", b"\xff\xfe<",
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>"
        b"</CompleteMultipartUpload>", b"5;chunk-signature=\r\nhello\r\n0\r\n\r\n",
        b'{"body":"x","content_type":"text"}', b'{"messages":[{"body":{"a":1}},{"body":null}]}',
        b'{"batch_size":1,"visibility_timeout_ms":1}', b'{"acks":[{"lease_id":"x"}],"retries":[]}',
        b'{"body":"x","content_type":"text","delay_seconds":1e400}',
        b'--x\r\nContent-Disposition: form-data; name="value"\r\n\r\nv\r\n--x--',
        b'<!DOCTYPE a [<!ENTITY b "c">]><Delete/>', b"[" * 5000, b"NaN", b'[{"key":"k","value":1}]',
    ]
)  # fmt: skip
KV = f"/client/v4/accounts/a/storage/kv/namespaces/{'b' * 32}"
QUEUE = f"/client/v4/accounts/a/queues/{'c' * 32}/messages"
SHAPES = st.sampled_from(
    [
        *(("GET", f"/v1/{rest}") for rest in ("events", "checkout/sessions", "customers/x", "x")),
        *(("POST", f"/v1/{rest}") for rest in ("customers", "payment_intents", "refunds")),
        *(("POST", f"/v1/checkout/sessions{rest}") for rest in ("", "/x/expire")),
        *(("POST", f"{QUEUE}{rest}") for rest in ("", "/batch", "/pull", "/pull", "/ack", "/x")),
        *(("PUT", f"/my-bucket/{key}") for key in ("k", "k", "a/%FF", "%C3%BC", "a//b/")),
        ("PUT", "/my-bucket/k?partNumber=1&uploadId=x"),
        *(("GET", path) for path in ("/my-bucket/k", "/my-bucket", "/my-bucket?list-type=2", "/")),
        *(("GET", f"/my-bucket?{name}") for name in ("uploads", "location", "acl")),
        *(("HEAD", path) for path in ("/my-bucket/k", "/my-bucket", "/other-bucket")),
        *(("POST", path) for path in ("/my-bucket/k?uploads", "/my-bucket?delete", "/my-bucket/k")),
        ("POST", "/my-bucket/k?uploadId=x"),
        *(("DELETE", path) for path in ("/my-bucket/k", "/my-bucket/k?uploadId=x", "/my-bucket")),
        ("PATCH", "/my-bucket/k"),
        *(("PUT", f"{KV}/{rest}") for rest in ("values/k", "values/%FF", "bulk", "keys")),
        *(("GET", f"{KV}/{rest}") for rest in ("values/k", "metadata/k", "keys", "", "nothing")),
        *(("POST", f"{KV}/{rest}") for rest in ("bulk/get", "bulk/delete")),
        *(("DELETE", f"{KV}/{rest}") for rest in ("values/k", "bulk", "values/a/b")),
    ]
)


def requested(
    shape: tuple[str, str],
    query: list[tuple[str, str]],
    headers: list[tuple[str, str]],
    body: bytes,
) -> tuple[str, str, tuple[tuple[str, str], ...], bytes]:
    path, _, fixed = shape[1].partition("?")
    pairs = [f"{name}={quote(value, safe='')}" for name, value in query]
    target = f"{path}?{'&'.join(filter(None, (fixed, *pairs)))}"
    return shape[0], target.removesuffix("?"), tuple(headers), body


REQUESTS = st.builds(
    requested,
    SHAPES,
    st.lists(st.tuples(PARAMETERS, TOKENS), max_size=2),
    st.lists(st.tuples(NAMES, TOKENS), max_size=3),
    BODIES,
)


@settings(max_examples=400, deadline=None)
@given(requests=st.lists(REQUESTS, min_size=1, max_size=4))
def test_no_request_raises_and_no_read_changes(
    requests: list[tuple[str, str, tuple[tuple[str, str], ...], bytes]],
) -> None:
    """Requests are authentic, so that they reach every operation, and otherwise nonsense."""
    for wire in REFERENCES:
        factory = reference_factory(wire)
        assert factory is not None
        if factory.service:
            continue
        reference = factory.create(SETTINGS, SECRETS, lambda: 1_800_000_000.0)
        for method, target, headers, body in requests:
            request = authentic(wire, Request(method, "example.com", target, headers, body))
            before = reference.state()
            response = reference.handle(request)
            assert 200 <= response.status < 502
            assert response.status < 500 or response.status == 501
            if method in ("GET", "HEAD") or response.status >= 400:
                assert reference.state() == before
            json.dumps(reference.state())


def authentic(wire: str, request: Request) -> Request:
    """The same request with the credentials that its protocol asks for."""
    if wire.startswith("cloudflare-") or wire == "stripe":
        headers = (("authorization", "Bearer TOKEN"), *request.headers)
        return Request(request.method, request.host, request.target, headers, request.body)
    return signed(request)


def signed(request: Request) -> Request:
    """Signed with the payload left out, by botocore's own signer."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = f"https://{request.host}{request.target}"
    aws = AWSRequest(request.method, url, dict(request.headers), request.body)
    aws.context["payload_signing_enabled"] = False
    signer = S3SigV4Auth(Credentials("AK", "SK"), "s3", "auto")
    signer.add_auth(aws)
    headers = tuple((name.lower(), value) for name, value in aws.headers.items())
    return Request(
        request.method,
        request.host,
        request.target,
        (("host", request.host), *headers),
        request.body,
    )
