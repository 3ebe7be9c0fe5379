"""What is sent, byte for byte: signatures, metadata, conditions; and what never is."""

import asyncio
import hashlib
import logging
import os

import pytest
from core_caps.capabilities.blob_store import HttpMetadata
from core_caps.clock import VirtualClock
from core_caps.errors import ConfigInvalid, InvalidArgument, ProviderError
from core_caps.rng import SeededRng
from core_caps.secret import Secret

from .scripted import Scripted, answer, document, refusal, stored

SECRET = "5ecret/that+must-never-be-5een"


@pytest.mark.feature("PH2-03")
async def test_presigned_as_amazon_documents(client):
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    from cap_cloudflare_r2.config import RemoteConfig
    from cap_cloudflare_r2.remote import RemoteR2

    config = RemoteConfig(
        account_id="a",
        bucket="examplebucket",
        access_key_id="AKIAIOSFODNN7EXAMPLE",
        secret_access_key=Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        base_url="https://s3.amazonaws.com",
        region="us-east-1",
        addressing="virtual",
    )
    clock = VirtualClock(start=1_369_353_600.0)  # 2013-05-24 00:00:00
    async with RemoteR2(config, clock=clock, rng=SeededRng()) as store:
        url = await store.presign("test.txt", expires_in_seconds=86_400)
    assert url.startswith("https://examplebucket.s3.amazonaws.com/test.txt?")
    assert "X-Amz-Date=20130524T000000Z" in url
    assert url.endswith("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


@pytest.mark.feature("PH2-03")
async def test_presigned_from_our_clock_alone(client):
    clock = VirtualClock()
    async with client("", clock=clock) as store:
        first = await store.presign("a b/é", method="PUT")
        assert first == await store.presign("a b/é", method="PUT")
        assert first.startswith(
            "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com/"
            "test-bucket/a%20b/%C3%A9?"
        )
        clock.advance(1)
        assert first != await store.presign("a b/é", method="PUT")


@pytest.mark.feature("PH2-05", "PH2-03")
async def test_a_put_as_sent(client):
    clock = VirtualClock(start=1_795_176_000.0)
    etag = hashlib.md5(b"hello").hexdigest()
    with Scripted([answer(200, headers={"ETag": f'"{etag}"'})]) as server:
        async with client(server.url, clock=clock) as store:
            await store.put(
                "a b/+é",
                b"hello",
                if_none_match="*",
                http=HttpMetadata(
                    content_type="text/plain", cache_control="no-store", expires_at=1_800_000_000
                ),
                metadata={"plain": "a b", "unicode": "grüße"},
            )
    (request,) = server.requests
    assert (request.method, request.target) == ("PUT", "/test-bucket/a%20b/%2B%C3%A9")
    headers = request.headers
    assert headers["content-md5"] == "XUFAKrxLKna5cZ2REBfFkg=="
    assert headers["if-none-match"] == "*"
    assert headers["content-type"] == "text/plain"
    assert headers["expires"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    assert headers["x-amz-meta-plain"] == "a b"
    assert headers["x-amz-meta-unicode"] == "=?UTF-8?B?Z3LDvMOfZQ==?="
    assert headers["x-amz-date"] == "20261120T120000Z"
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert headers["accept-encoding"] == "identity"
    assert headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/auto/s3/"
    )
    assert request.raw_head.isascii()
    for absent in ("expect", "amz-sdk-invocation-id", "amz-sdk-request", "x-amz-trailer"):
        assert absent not in headers
    assert headers["user-agent"] == "cap-cloudflare-r2"


@pytest.mark.feature("P4-02", "PH2-03")
async def test_the_same_call_at_the_same_time_is_the_same_request(client):
    heads = []
    for _ in range(2):
        clock = VirtualClock()
        with Scripted([answer(200, headers={"ETag": '"e"'})]) as server:
            async with client(server.url, clock=clock) as store:
                await store.put("k", b"hello", metadata={"b": "2", "a": "1"})
        port = str(server.port).encode()
        signature = b"Signature="
        head = server.requests[0].raw_head.replace(port, b"PORT")
        heads.append(b"\r\n".join(line for line in head.split(b"\r\n") if signature not in line))
    assert heads[0] == heads[1]


@pytest.mark.feature("PH2-05")
async def test_metadata_as_received(client):
    headers = {
        "x-amz-meta-Name": "=?UTF-8?Q?gr=C3=BC=C3=9Fe?=",
        "x-amz-meta-two": "=?UTF-8?B?4piD?= =?UTF-8?B?4piD?=",
        "x-amz-meta-bad": "=?NOPE?B?4piD?=",
        "x-amz-meta-plain": "a=b?c",
        "Content-Language": "de",
        "Expires": "never",
        "Last-Modified": "garbage",
    }
    with Scripted(
        [
            stored(b"content")
            .replace(b"Last-Modified", b"X-L", 1)
            .replace(
                b"\r\n\r\n",
                "".join(f"\r\n{n}: {v}" for n, v in headers.items()).encode() + b"\r\n\r\n",
                1,
            )
        ]
    ) as server:
        async with client(server.url) as store:
            info = (await store.get("k")).info
    assert dict(info.metadata) == {
        "name": "grüße",
        "two": "☃☃",
        "bad": "=?NOPE?B?4piD?=",
        "plain": "a=b?c",
    }
    assert info.http.content_language == "de"
    assert info.http.expires_at is None
    assert info.uploaded_at is None


@pytest.mark.feature("S3-01")
async def test_a_listing_as_sent_and_received(client):
    page = document(
        "ListBucketResult",
        "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
        "<NextContinuationToken>t/+=</NextContinuationToken>"
        "<Contents><Key>p/a%20b%2B%01</Key><Size>3</Size><ETag>&quot;e&quot;</ETag>"
        "<LastModified>2026-11-20T12:00:00.000Z</LastModified></Contents>"
        "<CommonPrefixes><Prefix>p/%C3%A9/</Prefix></CommonPrefixes>",
    )
    with Scripted([page, document("ListBucketResult", "")]) as server:
        async with client(server.url) as store:
            first = await store.list(prefix="p/", delimiter="/", limit=2)
            last = await store.list(prefix="p/", delimiter="/", cursor=first.cursor)
    assert first.keys == ["p/a b+\x01"]
    assert list(first.prefixes) == ["p/é/"]
    assert (first.objects[0].etag, first.objects[0].uploaded_at) == ("e", 1_795_176_000.0)
    assert last.cursor is None
    assert "continuation-token=t%2F%2B%3D" in server.requests[1].target
    assert "max-keys=2" in server.requests[0].target


@pytest.mark.feature("P4-05", "PH2-03")
async def test_the_secret_is_never_seen(client, caplog):
    caplog.set_level(logging.DEBUG)
    shown = []
    with Scripted(lambda _: refusal(403, "SignatureDoesNotMatch")) as server:
        store = client(server.url)
        async with store:
            shown += [repr(store), repr(vars(store)), repr(store._config)]
            for call in (store.get("k"), store.put("k", b"v"), store.list(), store.head("k")):
                with pytest.raises(ProviderError) as caught:
                    await call
                error = caught.value
                while error is not None:
                    shown += [str(error), repr(error), repr(error.args)]
                    error = error.__cause__ or error.__context__
            url = await store.presign("k")
            signature = url.rpartition("=")[2]
        sent = b"".join(request.raw_head for request in server.requests)
    assert SECRET.encode() not in sent
    assert SECRET not in caplog.text
    assert signature not in caplog.text, "a signed URL is a credential"
    assert not [text for text in shown if SECRET in text]


@pytest.mark.feature("DC-04", "PH2-03")
async def test_the_environment_is_not_read(client, monkeypatch, tmp_path):
    config = tmp_path / "config"
    config.write_text(
        "[default]\ns3 =\n  use_accelerate_endpoint = true\nendpoint_url = http://x\n"
    )
    for name, value in {
        "AWS_PROFILE": "no-such-profile",
        "AWS_CONFIG_FILE": str(config),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "ENVIRONMENT",
        "AWS_SECRET_ACCESS_KEY": "ENVIRONMENT",
        "AWS_REGION": "mars",
        "AWS_MAX_ATTEMPTS": "9",
        "AWS_RETRY_MODE": "adaptive",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
    }.items():
        monkeypatch.setenv(name, value)
    from cap_cloudflare_r2 import sdk

    sdk._session.cache_clear()
    before = dict(os.environ)
    with Scripted([refusal(503, "SlowDown"), answer(200, headers={"ETag": '"e"'})]) as server:
        async with client(server.url) as store:
            with pytest.raises(ProviderError):
                await store.get("k")
            await store.put("k", b"v")
    assert len(server.requests) == 2
    assert "AKIDEXAMPLE" in server.requests[0].headers["authorization"]
    assert "x-amz-checksum-crc32" not in server.requests[1].headers
    assert dict(os.environ) == before


@pytest.mark.feature("PH2-03")
async def test_virtual_addressing(client):
    from cap_cloudflare_r2.requests import Requests

    store = client("https://example.com/base", addressing="virtual")
    async with store:
        requests: Requests = store._requests
        assert requests._connections.host == "test-bucket.example.com"
        url = await store.presign("k")
    assert url.startswith("https://test-bucket.example.com/base/k?")


@pytest.mark.parametrize("key", ["..", "a/../b", "./a", "a/.", "../other-bucket/key"])
@pytest.mark.feature("PH2-03")
async def test_a_key_cannot_climb_out_of_its_bucket(client, key):
    with Scripted([]) as server:
        async with client(server.url) as store:
            for call in (store.get(key), store.put(key, b""), store.presign(key)):
                with pytest.raises(InvalidArgument):
                    await call
    assert not server.requests


@pytest.mark.parametrize(
    "settings",
    [
        {"bucket": "Up"},
        {"bucket": "a/../b"},
        {"account_id": "a.b"},
        {"account_id": ""},
        {"access_key_id": " "},
        {"access_key_id": "a\r\nb"},
        {"secret_access_key": Secret("")},
        {"base_url": "ftp://x"},
        {"base_url": "x"},
        {"base_url": "https://x?y"},
        {"base_url": "https://x:99999"},
        {"base_url": "http://example.com"},
        {"base_url": f"https://user:{SECRET}@example.com"},
        {"region": ""},
        {"region": "a\nb"},
        {"addressing": "both"},
        {"timeout_seconds": 0},
        {"timeout_seconds": float("inf")},
        {"connect_timeout_seconds": -1},
        {"part_size_bytes": 5 * 1024 * 1024 - 1},
        {"threads": 0},
        {"parts_in_flight": 65},
    ],
)
@pytest.mark.feature("DC-04")
def test_bad_settings_are_refused(client, settings):
    with pytest.raises(ConfigInvalid) as caught:
        client(settings.pop("base_url", "https://example.com"), **settings)
    assert SECRET not in str(caught.value)
    assert caught.value.hint


@pytest.mark.feature("DC-04")
async def test_certificates_that_cannot_be_read_are_a_bad_setting(client, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.touch()
    for bundle in (tmp_path / "nowhere.pem", empty):
        with pytest.raises(ConfigInvalid, match="ca_bundle"):
            async with client("https://example.com", ca_bundle=str(bundle)):
                pass


@pytest.mark.feature("PH2-03")
async def test_other_work_goes_on_while_the_client_is_built(client):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    from cap_cloudflare_r2 import sdk

    sdk._session.cache_clear()
    ticking = asyncio.create_task(tick())
    async with client("http://127.0.0.1:1"):
        pass
    ticking.cancel()
    assert ticks > 1
