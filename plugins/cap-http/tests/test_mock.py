"""What the mock does beyond the contract: declared answers, conditions, one site for a store."""

import asyncio
import base64
import json
from typing import Any

import pytest
from cap_http.config import MockConfig
from cap_http.mock import MockHttp
from core_caps.calls.retrying import Policy, retrying
from core_caps.capabilities.http import Http
from core_caps.clock import VirtualClock
from core_caps.errors import ConfigInvalid, EgressRefused, ProtocolViolation, Unavailable
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-04")

URL = "https://api.example.com/rates?day=1"


def client(routes: Any = "", **settings: Any) -> MockHttp:
    text = routes if isinstance(routes, str) else json.dumps(routes)
    config = MockConfig(**{"hosts": "api.example.com:443", "routes": text, **settings})
    return MockHttp(config, clock=VirtualClock(auto=True), rng=SeededRng())


async def test_a_declared_answer_is_given_again_and_again() -> None:
    declared = {"status": 203, "headers": {"X-A": "1"}, "body": '{"usd": 1.07}'}
    async with client({f"GET {URL}": declared}) as http:
        for _ in range(2):
            found = await http.get(URL)
            assert (found.status, found.headers, found.body) == (
                203,
                {"x-a": "1"},
                b'{"usd": 1.07}',
            )
        assert (await http.get(URL.replace("1", "2"))).status == 404
        assert (await http.put(URL, b"")).status == 201  # another method is the site's


async def test_several_answers_are_given_in_order() -> None:
    answers = [
        {"status": 503, "headers": {"retry-after": "2"}},
        {"body_base64": base64.b64encode(b"\xff").decode()},
    ]
    async with client({f"GET {URL}": answers}) as http:
        first = await http.get(URL)
        assert (first.status, first.retry_after_seconds) == (503, 2)
        assert [(await http.get(URL)).body for _ in range(3)] == [b"\xff"] * 3


async def test_a_flow_can_be_seen_to_wait_and_repeat() -> None:
    busy = {"status": 503, "headers": {"retry-after": "2"}}
    async with client({f"GET {URL}": [busy, busy, {"body": "there"}]}) as http:
        again: Any = retrying(
            http, Policy(max_attempts=3), clock=VirtualClock(auto=True), protocol=Http
        )
        assert b"".join([chunk async for chunk in again.open(URL)]) == b"there"


async def test_a_declared_redirect_is_followed_and_judged() -> None:
    routes = {
        "GET https://api.example.com/a": {"status": 302, "headers": {"location": "/b"}},
        "GET https://api.example.com/b": {"body": "found"},
        "GET https://api.example.com/c": {
            "status": 302,
            "headers": {"location": "https://elsewhere.example/"},
        },
    }
    async with client(routes) as http:
        assert (await http.get("https://api.example.com/a")).body == b"found"
        with pytest.raises(EgressRefused):
            await http.get("https://api.example.com/c")
    async with client(routes, redirects_max=0) as http:
        assert (await http.get("https://api.example.com/c")).status == 302


async def test_another_origin_gets_no_credentials() -> None:
    """Another scheme or port of one host is another origin."""
    hosts = "api.example.com:443, api.example.com:80, api.example.com:8443"
    headers = {"X-Api-Key": "k", "Accept": "text/plain"}
    for first, second in (
        ("http://api.example.com", "https://api.example.com"),
        ("https://api.example.com", "https://api.example.com:8443"),
    ):
        led = {"status": 307, "headers": {"location": f"{second}/-/echo"}}
        async with client({f"GET {first}/a": led}, hosts=hosts, plain_http=True) as http:
            sent = (await http.get(f"{first}/a", headers=headers)).body
            assert b"accept: text/plain" in sent
            assert b"x-api-key" not in sent
            within = (await http.get(f"{first}/-/redirect/307?to=/-/echo", headers=headers)).body
            assert b"x-api-key: k" in within


@pytest.mark.parametrize(
    "routes",
    [
        "{",
        "[]",
        {"https://a.example/": {}},
        {"GET a.example": {}},
        {"OPTIONS https://a.example/": {}},
        {f"GET {URL}": []},
        {f"GET {URL}": "text"},
        {f"GET {URL}": {"status": 100}},
        {f"GET {URL}": {"status": True}},
        {f"GET {URL}": {"state": 200}},
        {f"GET {URL}": {"headers": {"a": 1}}},
        {f"GET {URL}": {"headers": {"": "a"}}},
        {f"GET {URL}": {"headers": {"a": "b\r\nc: d"}}},
        {"GET https://elsewhere.example/": {}},
        {"GET http://api.example.com/": {}},
        {f"GET {URL}": {"body": "a", "body_base64": "YQ=="}},
        {f"GET {URL}": {"body_base64": "?"}},
        "[" * 100_000,
    ],
)
def test_what_declares_no_answer_is_refused(routes: Any) -> None:
    with pytest.raises(ConfigInvalid, match="routes") as refused:
        client(routes)
    assert '{"GET https://' in refused.value.hint


async def test_conditions_are_those_of_a_good_server() -> None:
    async with client() as http:
        await http.put(URL, b"one")
        etag = (await http.get(URL)).headers["etag"]
        assert (await http.get(URL, headers={"if-none-match": etag})).status == 304
        assert (await http.put(URL, b"two", headers={"if-none-match": "*"})).status == 412
        assert (await http.put(URL, b"two", headers={"if-match": '"x"'})).status == 412
        assert (await http.put(URL, b"two", headers={"if-match": etag})).status == 204
        assert (await http.delete(URL, headers={"if-match": etag})).status == 412


async def test_clients_of_one_store_see_one_site() -> None:
    async with client(store="shared") as one, client(store="shared") as two, client() as three:
        await one.put(URL, b"value")
        assert (await two.get(URL)).body == b"value"
        assert (await three.get(URL)).status == 404


async def test_a_stream_of_a_failure_says_how_long_to_wait() -> None:
    async with client({f"GET {URL}": {"status": 503, "headers": {"retry-after": "9"}}}) as http:
        with pytest.raises(Unavailable) as failed:
            await anext(http.open(URL))
    assert failed.value.retry_after_seconds == 9


async def test_a_pinned_content_that_was_overwritten_is_refused() -> None:
    async with client() as http:
        await http.put(URL, b"other")
        with pytest.raises(ProtocolViolation, match="has the digest sha256:"):
            await http.get_pinned(URL, f"sha256:{'0' * 64}")


def test_many_clients_at_once_are_no_trouble() -> None:
    async def main() -> list[int]:
        async with client(store="many") as http:
            made = await asyncio.gather(*(http.post(URL, b"") for _ in range(50)))
        return [int(each.headers["location"].rpartition("/")[2]) for each in made]

    assert sorted(asyncio.run(main())) == list(range(1, 51))
