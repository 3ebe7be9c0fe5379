"""Long objects on several connections: one version, in order, or an error."""

import asyncio
import re
import time

import pytest
from cap_cloudflare_r2 import download
from core_caps.errors import Conflict, ProtocolViolation, ProviderError, TimedOut, Unavailable
from r2_scripted import HANG_UP, SILENCE, Scripted, answer, refusal

pytestmark = pytest.mark.feature("PH2-03", "P4-03")

MIB = 1024 * 1024
SIZE = 20 * MIB + 5
DATA = b"".join(bytes([number % 251]) * 4096 for number in range(SIZE // 4096 + 1))[:SIZE]


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Objects of 16 MiB count as long, so that the tests need not move more."""
    monkeypatch.setattr(download, "SEVERAL_BYTES_MIN", 16 * MIB)


def served(data=DATA, etag="e-3", instead=None):
    """A service that holds this object; `instead` may answer a range otherwise."""

    def script(request):
        headers = {"ETag": f'"{etag}"'}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if wanted is None:
            return answer(200, data, headers)
        start, end = int(wanted[1]), min(int(wanted[2]) + 1, len(data))
        assert request.headers["if-match"] == f'"{etag}"', "every range is of the same version"
        other = instead(start) if instead else None
        if other is not None:
            return other
        where = {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
        return answer(206, data[start:end], {**headers, **where})

    return script


async def collected(stream):
    return b"".join([chunk async for chunk in stream])


async def test_a_long_object_comes_in_ranges_of_one_version(client):
    with Scripted(served()) as server:
        async with client(server.url) as store:
            assert await collected(store.open("k")) == DATA
    asked = [request.headers.get("range") for request in server.requests]
    assert asked[0] is None
    assert set(asked[1:]) == {
        f"bytes={8 * MIB}-{16 * MIB - 1}",
        f"bytes={16 * MIB}-{SIZE - 1}",
    }
    assert len(asked) == 3


@pytest.mark.parametrize(
    "settings", [{"parts_in_flight": 1}, {"timeout_seconds": 0.5}], ids=["one", "slow"]
)
async def test_one_connection_where_several_would_not_pay(client, settings, monkeypatch):
    if "timeout_seconds" in settings:
        monkeypatch.setattr(download, "QUICK", 0.0)
        settings = {}
    with Scripted(served()) as server:
        async with client(server.url, **settings) as store:
            assert await collected(store.open("k")) == DATA
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refusal(412, "PreconditionFailed"), Conflict),
        (refusal(404, "NoSuchKey"), Conflict),
        (refusal(500, "InternalError"), Unavailable),
        (HANG_UP, Unavailable),
        (SILENCE, TimedOut),
        (answer(200, DATA, {"ETag": '"e-3"'}), ProtocolViolation),
        (
            answer(
                206,
                DATA[: 8 * MIB],
                {"ETag": '"e-3"', "Content-Range": f"bytes 0-{8 * MIB - 1}/{SIZE}"},
            ),
            ProtocolViolation,
        ),
    ],
    ids=["replaced", "deleted", "failed", "lost", "silent", "whole", "other range"],
)
async def test_a_range_that_fails_ends_the_stream(client, fault, kind):
    script = served(instead=lambda start: fault if start == 16 * MIB else None)
    with Scripted(script) as server:
        async with client(server.url, timeout_seconds=1.0) as store:
            received = 0
            with pytest.raises(ProviderError) as caught:  # noqa: PT012
                async for chunk in store.open("k"):
                    received += len(chunk)
    assert type(caught.value) is kind
    assert received == 16 * MIB, "what came before was whole"


async def test_leaving_early_lets_every_connection_go(client):
    script = served(instead=lambda start: SILENCE if start == 16 * MIB else None)
    with Scripted(script) as server:
        async with client(server.url, threads=3) as store:
            stream = store.open("k")
            received = 0
            async for chunk in stream:
                received += len(chunk)
                if received > 8 * MIB:
                    break
            start = time.monotonic()
            await stream.aclose()
            assert time.monotonic() - start < 0.5
            assert server.wait_until_let_go(1.0)
            await asyncio.wait_for(store.get("k"), 5)
