"""What each answer, and each way of not answering, becomes: class, outcome, and one request."""

import pytest
from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

from .scripted import HANG_UP, Cut, Scripted, answer, document, refusal, stored

pytestmark = pytest.mark.feature("P4-03")

NOT_APPLIED, UNKNOWN = Outcome.NOT_APPLIED, Outcome.UNKNOWN

REFUSALS = [
    (400, "InvalidArgument", InvalidArgument),
    (400, "MetadataTooLarge", InvalidArgument),
    (400, "ExpiredRequest", Unauthenticated),
    (400, "BadDigest", ProtocolViolation),
    (400, "IncompleteBody", Unavailable),
    (401, "Unauthorized", Unauthenticated),
    (403, "AccessDenied", PermissionDenied),
    (403, "SignatureDoesNotMatch", Unauthenticated),
    (403, "NeverHeardOf", PermissionDenied),
    (404, "NoSuchBucket", ContainerNotFound),
    (405, "MethodNotAllowed", ProtocolViolation),
    (409, "OperationAborted", Conflict),
    (411, "MissingContentLength", InvalidArgument),
    (412, "PreconditionFailed", PreconditionFailed),
    (413, "EntityTooLarge", InvalidArgument),
    (418, "Teapot", InvalidArgument),
    (422, "Unprocessable", InvalidArgument),
    (429, "TooManyRequests", RateLimited),
]

FAILURES = [
    (500, "InternalError", Unavailable),
    (501, "NotImplemented", Unavailable),
    (502, "BadGateway", Unavailable),
    (503, "ServiceUnavailable", Unavailable),
    (503, "SlowDown", RateLimited),
    (504, "GatewayTimeout", Unavailable),
    (599, "Odd", Unavailable),
]

CALLS = {
    "get": (False, lambda s: s.get("k")),
    "get_by_hash": (False, lambda s: s.get_by_hash("sha256:" + "0" * 64)),
    "head": (False, lambda s: s.head("k")),
    "open": (False, lambda s: anext(s.open("k"))),
    "list": (False, lambda s: s.list()),
    "put": (True, lambda s: s.put("k", b"value")),
    "delete": (True, lambda s: s.delete("k")),
}


async def failure(client, script, call, **settings):
    """The error of one call, and the server that was asked."""
    with Scripted(script) as server:
        async with client(server.url, **settings) as store:
            with pytest.raises(ProviderError) as caught:
                await call(store)
    return caught.value, server


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(("status", "code", "kind"), REFUSALS)
async def test_a_refusal_changes_nothing(client, operation, status, code, kind):
    _, call = CALLS[operation]
    if operation == "head" and code:  # without a body only the status speaks
        kind = {404: ContainerNotFound, 403: PermissionDenied, 400: InvalidArgument}.get(
            status, kind
        )
    script = [refusal(status, code)]
    if operation == "head":
        head_only = answer(status, headers={"Content-Length": "99"}, length=False)
        script = [head_only, refusal(status, code)]
    error, server = await failure(client, script, call)
    assert type(error) is kind
    assert error.outcome is NOT_APPLIED
    assert error.status == status
    assert len(server.requests) == (2 if (operation, status) == ("head", 404) else 1)


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(("status", "code", "kind"), FAILURES)
async def test_a_failure_leaves_a_write_unknown(client, operation, status, code, kind):
    writes, call = CALLS[operation]
    if operation == "head":
        kind = Unavailable
        script = [answer(status, headers={"Content-Length": "9"}, length=False)]
    else:
        script = [refusal(status, code)]
    error, server = await failure(client, script, call)
    assert type(error) is kind
    assert error.outcome is (UNKNOWN if writes else NOT_APPLIED)
    assert len(server.requests) == 1, "nothing is sent twice"


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("status", [201, 202, 203, 205, 226])
async def test_another_success_is_no_answer_to_this_request(client, operation, status):
    writes, call = CALLS[operation]
    error, _ = await failure(client, [answer(status)], call)
    assert type(error) is ProtocolViolation
    assert error.outcome is (UNKNOWN if writes else NOT_APPLIED)


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(client, operation, status):
    _, call = CALLS[operation]
    with Scripted([stored()]) as elsewhere:
        where = {"Location": f"{elsewhere.url}/test-bucket/k", "x-amz-bucket-region": "weur"}
        body = b"<Error><Code>PermanentRedirect</Code><Endpoint>elsewhere</Endpoint></Error>"
        body = b"" if operation == "head" else body
        error, server = await failure(client, [answer(status, body, where)], call)
        assert elsewhere.connections == 0
    assert type(error) is ProtocolViolation
    assert error.outcome is NOT_APPLIED
    assert len(server.requests) == 1


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    "broken",
    [
        HANG_UP,
        Cut(b""),
        Cut(b"", reset=True),
        Cut(b"HTTP/1.1 200"),
        Cut(b"HTTP/1.1 200 OK\r\nContent-Le"),
    ],
    ids=["closed", "shut", "reset", "half a status", "half a header"],
)
async def test_a_lost_answer_leaves_a_write_unknown(client, operation, broken):
    writes, call = CALLS[operation]
    error, server = await failure(client, [broken], call)
    assert isinstance(error, (Unavailable, ProtocolViolation))
    assert error.outcome is (UNKNOWN if writes else NOT_APPLIED)
    assert len(server.requests) == 1, "nothing is sent twice"


@pytest.mark.parametrize(
    "nonsense",
    [b"SSH-2.0-OpenSSH\r\n", b"\x00" * 40 + b"\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"x" * 70_000],
    ids=["ssh", "zeros", "status", "endless"],
)
@pytest.mark.parametrize("operation", ["get", "put"])
async def test_what_is_not_http_is_a_violation(client, operation, nonsense):
    writes, call = CALLS[operation]
    error, _ = await failure(client, [Cut(nonsense)], call)
    assert type(error) is ProtocolViolation
    assert error.outcome is (UNKNOWN if writes else NOT_APPLIED)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html><body>Welcome</body></html>", b"{}", b"<ListBucketResult>", b"\xff\xfe\x00"],
    ids=["empty", "html", "json", "half", "bytes"],
)
async def test_a_listing_that_is_none_is_a_violation(client, body):
    error, _ = await failure(client, [answer(200, body)], lambda s: s.list())
    assert type(error) is ProtocolViolation


@pytest.mark.parametrize(
    "inner",
    [
        "<IsTruncated>true</IsTruncated>",
        "<Contents><Key>a</Key></Contents>",
        "<Contents><Key>a</Key><Size>many</Size><ETag>e</ETag></Contents>",
        "<Contents><Key>a</Key><Size>1</Size><ETag>e</ETag><LastModified>soon</LastModified></Contents>",
        "<Contents><Key>other</Key><Size>1</Size><ETag>e</ETag></Contents>",
        "<CommonPrefixes><Prefix>other/</Prefix></CommonPrefixes>",
        "<Contents><Key>a1</Key><Size>1</Size><ETag>e</ETag></Contents>" * 3,
    ],
    ids=["no next", "no size", "bad size", "bad time", "prefix", "common prefix", "too many"],
)
async def test_a_page_that_cannot_be_is_a_violation(client, inner):
    script = [document("ListBucketResult", inner)]
    error, _ = await failure(client, script, lambda s: s.list(prefix="a", limit=2))
    assert type(error) is ProtocolViolation


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("999999999999999999999999", 86_400.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_read_or_left_out(client, status, text, seconds):
    from core_caps.clock import VirtualClock

    clock = VirtualClock(start=1_795_176_000.0)  # 2026-11-20 12:00:00
    headers = {} if text is None else {"Retry-After": text.encode().decode("latin-1")}
    script = [refusal(status, "SlowDown", headers=headers)]
    error, _ = await failure(client, script, lambda s: s.get("k"), clock=clock)
    assert type(error) is RateLimited
    assert error.retry_after_seconds == seconds


async def test_absence_is_none_and_a_missing_bucket_is_not(client):
    with Scripted(
        [
            refusal(404, "NoSuchKey"),
            refusal(404, "NoSuchKey"),
            answer(404, length=False, headers={"Content-Length": "0"}),
            refusal(404, "NoSuchKey"),
            refusal(404, "NoSuchKey"),
            answer(404, length=False, headers={"Content-Length": "0"}),
            refusal(404, "NoSuchKey"),
        ]
    ) as server:
        async with client(server.url) as store:
            assert await store.get("k") is None
            assert await store.get_by_hash("sha256:" + "0" * 64) is None
            assert await store.head("k") is None
            await store.delete("k")
            assert await store.copy("k", "l") is None
        assert [request.method for request in server.requests] == (
            ["GET", "GET", "HEAD", "GET", "DELETE", "HEAD", "GET"]
        )


@pytest.mark.parametrize("body", [b"", b"<html>404</html>", b"not found"])
@pytest.mark.parametrize("operation", CALLS)
async def test_a_404_that_names_no_key_is_not_absence(client, operation, body):
    _, call = CALLS[operation]
    script = [answer(404, b"" if operation == "head" else body), answer(404, body)]
    error, _ = await failure(client, script, call)
    assert isinstance(error, ProtocolViolation)
    assert error.outcome is NOT_APPLIED


async def test_a_304_that_nobody_asked_for_is_a_violation(client):
    error, _ = await failure(client, [answer(304)], lambda s: s.get("k"))
    assert type(error) is ProtocolViolation
    error, _ = await failure(client, [answer(304)], lambda s: s.get("k", if_none_match="e"))
    assert type(error) is PreconditionFailed


@pytest.mark.parametrize("code", ["InternalError", "SlowDown", "NeverHeardOf"])
async def test_a_copy_that_says_200_and_then_fails_is_unknown(client, code):
    script = [
        answer(200, headers={"ETag": '"e"', "Content-Length": "3"}, length=False),
        refusal(200, code),
    ]
    error, server = await failure(client, script, lambda s: s.copy("a", "b"))
    assert error.outcome is UNKNOWN
    assert server.requests[1].headers["x-amz-copy-source-if-match"] == '"e"'


async def test_a_copy_has_the_metadata_that_its_answer_tells(client):
    """An etag is the content's alone: metadata that changes meanwhile must not slip in."""
    seen = {"ETag": '"e"', "Content-Length": "3", "Cache-Control": "no-store", "x-amz-meta-a": "1"}
    done = b"<CopyObjectResult><ETag>&quot;f&quot;</ETag></CopyObjectResult>"
    script = [
        answer(200, headers=seen, length=False),
        answer(200, done, headers={"Content-Type": "application/xml"}),
    ]
    with Scripted(script) as server:
        async with client(server.url) as store:
            copied = await store.copy("a", "b")
        sent = server.requests[1].headers
    assert copied is not None
    assert (copied.key, copied.etag, copied.metadata) == ("b", "f", {"a": "1"})
    assert copied.http.cache_control == "no-store"
    assert sent["x-amz-metadata-directive"] == "REPLACE"
    assert (sent["cache-control"], sent["x-amz-meta-a"]) == ("no-store", "1")


async def test_a_copy_whose_source_changed_is_a_conflict(client):
    script = [
        answer(200, headers={"ETag": '"e"', "Content-Length": "3"}, length=False),
        refusal(412, "PreconditionFailed"),
    ]
    error, _ = await failure(client, script, lambda s: s.copy("a", "b"))
    assert type(error) is Conflict
    assert error.outcome is NOT_APPLIED


@pytest.mark.parametrize("etag", [None, "e", 'W/"e"', '""', '"e'])
async def test_a_put_without_a_strong_etag_is_unknown(client, etag):
    headers = {} if etag is None else {"ETag": etag}
    error, _ = await failure(client, [answer(200, headers=headers)], lambda s: s.put("k", b"v"))
    assert type(error) is ProtocolViolation
    assert error.outcome is UNKNOWN


async def test_a_put_whose_etag_is_another_md5_is_unknown(client):
    script = [answer(200, headers={"ETag": f'"{"0" * 32}"'})]
    error, _ = await failure(client, script, lambda s: s.put("k", b"v"))
    assert type(error) is ProtocolViolation
    assert error.outcome is UNKNOWN


async def test_an_if_match_that_meets_no_object_is_a_failed_condition(client):
    script = [refusal(404, "NoSuchKey")]
    error, _ = await failure(client, script, lambda s: s.put("k", b"v", if_match="e"))
    assert type(error) is PreconditionFailed
    assert error.outcome is NOT_APPLIED


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "https://name-that-is-not.invalid", "http://[::1]:1"]
)
@pytest.mark.parametrize("operation", CALLS)
async def test_what_cannot_be_reached_was_never_sent(client, operation, url):
    _, call = CALLS[operation]
    async with client(url) as store:
        with pytest.raises(Unavailable) as caught:
            await call(store)
    assert caught.value.outcome is NOT_APPLIED
