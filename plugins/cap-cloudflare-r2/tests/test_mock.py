"""What R2 does beyond the contract, as the mock does it."""

import hashlib

import pytest
from cap_cloudflare_r2.config import MockConfig
from cap_cloudflare_r2.mock import Bucket, MockR2
from core_caps.capabilities.blob_store import HttpMetadata
from core_caps.clock import VirtualClock
from core_caps.errors import ConfigInvalid, InvalidArgument
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-04", "PH2-05")
MIB = 1024 * 1024


def opened(clock=None, shared=None, **settings):
    return MockR2(
        MockConfig(**settings), clock=clock or VirtualClock(), rng=SeededRng(), bucket=shared
    )


async def stream(*chunks):
    for chunk in chunks:
        yield chunk


async def test_etags_are_those_of_r2():
    async with opened(part_size_bytes=5 * MIB) as store:
        single = await store.put("a", b"hello")
        assert single.etag == "5d41402abc4b2a76b9719d911017c592"
        small = await store.put("a", stream(b"hel", b"lo"))
        assert small.etag == single.etag
        parts = [b"x" * 5 * MIB, b"y" * 7]
        large = await store.put("a", stream(*parts))
        digests = b"".join(hashlib.md5(part).digest() for part in parts)
        assert large.etag == f"{hashlib.md5(digests).hexdigest()}-2"


async def test_the_documented_example_of_a_multipart_etag():
    # https://developers.cloudflare.com/r2/objects/multipart-objects/#etags
    parts = ["bce6bf66aeb76c7040fdd5f4eccb78e6", "8165449fc15bbf43d3b674595cbcc406"]
    whole = hashlib.md5(b"".join(bytes.fromhex(part) for part in parts)).hexdigest()
    assert whole == "f77dc0eecdebcd774a2a22cb393ad2ff"


async def test_keys_are_one_object_when_their_nfc_forms_are():
    # https://developers.cloudflare.com/r2/reference/unicode-interoperability/
    composed, decomposed = "H\u00e9llo", "He\u0301llo"
    async with opened() as store:
        await store.put(composed, b"1")
        await store.put(decomposed, b"2")
        assert (await store.get(composed)).data == b"2"
        assert (await store.list()).keys == [decomposed], "shown as last written"
        await store.delete(composed)
        assert await store.get(decomposed) is None


async def test_uploaded_at_is_the_clocks():
    clock = VirtualClock()
    async with opened(clock) as store:
        await store.put("a", b"1")
        clock.advance(5)
        await store.copy("a", "b")
        first, second = (await store.list()).objects
        assert second.uploaded_at - first.uploaded_at == 5


async def test_stores_are_shared_by_name_or_by_value_and_else_not():
    bucket = Bucket()
    async with (
        opened(shared=bucket) as one,
        opened(shared=bucket) as two,
        opened(store="test-mock") as three,
        opened(store="test-mock") as four,
        opened() as alone,
    ):
        await one.put("k", b"1")
        await three.put("k", b"3")
        assert (await two.get("k")).data == b"1"
        assert (await four.get("k")).data == b"3"
        assert await alone.get("k") is None


async def test_a_signed_url_of_the_mock_leads_nowhere():
    async with opened() as store:
        url = await store.presign("k")
    assert url.startswith("https://cloudflare-r2.mock.invalid/mock-bucket/k?")
    assert "Signature" not in url


@pytest.mark.parametrize(
    "metadata", [{"Upper": "x"}, {"a": " x"}, {"a": "x\t"}, {"é": "x"}, {"a": "=?utf-8?q?x?="}]
)
async def test_metadata_that_http_would_change_is_refused(metadata):
    async with opened() as store:
        with pytest.raises(InvalidArgument):
            await store.put("k", b"v", metadata=metadata)


@pytest.mark.parametrize(
    "http",
    [
        HttpMetadata(content_disposition="attachment; filename=ü"),
        HttpMetadata(content_type=""),
        HttpMetadata(expires_at=-1),
        HttpMetadata(expires_at=10**12),
    ],
)
async def test_http_metadata_that_is_no_header_is_refused(http):
    async with opened() as store:
        with pytest.raises(InvalidArgument):
            await store.put("k", b"v", http=http)


@pytest.mark.parametrize("settings", [{"bucket": "x"}, {"part_size_bytes": 1}])
def test_bad_settings_are_refused(settings):
    with pytest.raises(ConfigInvalid):
        opened(**settings)
