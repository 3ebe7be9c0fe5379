"""The reference of the Durable Objects bridge, spoken to by an ordinary HTTP client."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from flows_registry.lab.references.cloudflare_do import FACTORY, CloudflareDoBridge

from .serve import serve

pytestmark = pytest.mark.feature("P4-03", "PH2-09")

TOKEN = "canary-token"
ONE, LEDGER = {"name": "one"}, {"name": "ledger"}
FAR_MS = 4_102_444_800_000


class Time:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def reference(time: Time) -> CloudflareDoBridge:
    return CloudflareDoBridge({}, {"bridge_token": TOKEN}, time)


Ask = Callable[..., Any]


@pytest.fixture
def client(reference: CloudflareDoBridge) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with (
        serve(reference) as url,
        httpx.Client(base_url=f"{url}/v1", headers=headers, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def ask(client: httpx.Client) -> Ask:
    """An operation's result, or its refusal's status and code."""

    def ask(operation: str, **given: Any) -> Any:
        response = client.post(f"/{operation}", json={"object": ONE, **given})
        content = response.json()
        if response.status_code == 200:
            return content["result"]
        return response.status_code, content["error"]["code"]

    return ask


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_values_are_stored_listed_and_removed(ask: Ask) -> None:
    assert ask("get", key="k") is None
    assert ask("put", key="k", value=b64(b"v")) is None
    assert ask("get_many", keys=["k", "x"]) == [b64(b"v"), None]
    assert ask("list") == {"items": [["k", b64(b"v")]], "more": False}
    assert ask("get", key="k", object={"name": "other"}) is None
    assert ask("delete", key="k") is None
    assert ask("list", prefix="k") == {"items": [], "more": False}


def test_a_transaction_is_all_or_nothing(ask: Ask, reference: CloudflareDoBridge) -> None:
    changes = [["a", b64(b"1")], ["b", b64(b"")]]
    assert ask("transaction", changes=changes, if_values=[["a", None]]) is None
    before = reference.state()
    refused = ask("transaction", changes=[["a", None]], if_values=[["b", None]])
    assert refused == (412, "precondition_failed")
    assert ask("transaction", changes=[*changes, ["a", None]])[0] == 400
    assert reference.state() == before
    assert ask("transaction", changes=[["a", None]], if_values=[["b", b64(b"")]]) is None
    assert [key for key, _ in ask("list")["items"]] == ["b"]


def test_an_alarm_rings_and_stays(ask: Ask, time: Time) -> None:
    at_ms = int(time.now * 1000) + 500
    ask("set_alarm", at_ms=at_ms)
    assert ask("get_alarm") == {"at_ms": at_ms, "rang": False}
    time.now += 1
    assert ask("get_alarm") == {"at_ms": at_ms, "rang": True}
    ask("delete_alarm", at_ms=at_ms + 1)
    assert ask("get_alarm")["rang"]
    ask("delete_alarm", at_ms=at_ms)
    assert ask("get_alarm") is None


def test_work_is_reserved_committed_and_forgotten(ask: Ask, time: Time) -> None:
    def reserve(owner: str, payload: bytes = b"") -> Any:
        given = {"reservations": [["k", b64(payload)]], "owner": owner, "lease_seconds": 60}
        return ask("reserve_many", object=LEDGER, **given)

    def commit(owner: str) -> Any:
        given = {"commits": [["k", b64(b"r")]], "owner": owner, "ttl_seconds": 600}
        return ask("commit_many", object=LEDGER, **given)

    assert reserve("one", b"p") == {"answers": [["fresh"]]}
    assert reserve("two") == {"answers": [["in_progress", time.now + 60]]}
    assert reserve("two", b"q") == {"colliding": ["k"]}
    assert commit("two") == {"lost": ["k"]}
    time.now += 61
    assert commit("one") == {"lost": []}
    assert reserve("two") == {"answers": [["done", b64(b"r")]]}
    assert ask("release_many", object=LEDGER, keys=["k"], owner="one") is None
    time.now += 600
    assert reserve("two", b"q") == {"answers": [["fresh"]]}
    ask("release_many", object=LEDGER, keys=["k"], owner="two")
    assert reserve("three") == {"answers": [["fresh"]]}


def test_what_comes_is_numbered_once(ask: Ask, time: Time) -> None:
    first = ask("append", object=LEDGER, key="a", digest="x")
    assert first == {"inserted": True, "sequence": 1, "first_seen_ms": int(time.now * 1000)}
    time.now += 60
    again = ask("append", object=LEDGER, key="a", digest="x")
    assert again == {**first, "inserted": False}
    assert ask("append", object=LEDGER, key="a", digest="y") == {"colliding": ["a"]}
    assert ask("append", object=LEDGER, key="b", digest="x")["sequence"] == 2


def test_an_id_is_the_bridges_own(ask: Ask) -> None:
    one, two = ask("new_id"), ask("new_id")
    assert one != two
    assert ask("put", object=one, key="k", value="") is None
    assert ask("get", object=one, key="k") == ""
    assert ask("get", object={"name": one["id"]}, key="k") is None
    for bad in ({}, {"id": "0" * 64}, {"id": one["id"], "name": "n"}, None, {"name": ""}):
        assert ask("get", object=bad, key="k") == (400, "invalid_argument")


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("get", {"key": ""}),
        ("get", {"key": "k" * 2049}),
        ("get_many", {"keys": "k"}),
        ("get_many", {"keys": ["k"] * 129}),
        ("put", {"key": "k", "value": None}),
        ("put", {"key": "k", "value": "no base64"}),
        ("put", {"key": "k", "value": b64(b"x" * 2_000_000)}),
        ("list", {"limit": 0}),
        ("list", {"limit": 1001}),
        ("list", {"start": 5}),
        ("set_alarm", {"at_ms": 0}),
        ("set_alarm", {"at_ms": 1.5}),
        ("reserve_many", {"reservations": [], "owner": "", "lease_seconds": 60}),
        ("reserve_many", {"reservations": [], "owner": "one", "lease_seconds": 0}),
        ("append", {"key": "k", "digest": ""}),
    ],
)
def test_what_is_out_of_range_is_refused(
    ask: Ask, reference: CloudflareDoBridge, operation: str, given: dict[str, Any]
) -> None:
    assert ask(operation, **given) == (400, "invalid_argument")
    assert reference.state() == {"objects": {}, "ledgers": {}}


def test_only_the_token_opens_it(client: httpx.Client) -> None:
    body = {"object": ONE, "key": "k"}
    for headers in ({"authorization": "Bearer other"}, {"authorization": "Basic eA=="}):
        assert client.post("/get", json=body, headers=headers).status_code == 401
    assert client.post("/other", json=body).status_code == 404
    assert client.get("/get").status_code == 405
    assert client.post("/get", content=b"{").status_code == 400
    assert client.post("/get", content=b"[]").status_code == 400


def test_its_state_is_what_was_written(ask: Ask, reference: CloudflareDoBridge, time: Time) -> None:
    empty = reference.state()
    ask("get", key="k")
    ask("release_many", object=LEDGER, keys=["k"], owner="one")
    assert reference.state() == empty
    ask("put", key="k", value=b64(b"v"))
    ask("append", object=LEDGER, key="a", digest="x")
    written = reference.state()
    assert set(written["objects"]) == {"name one"}
    assert set(written["ledgers"]) == {"name ledger"}
    time.now += 3600
    assert reference.state() == written
    reference.reset()
    assert reference.state() == empty


def test_failures_are_the_bridges_below_500() -> None:
    assert b"unauthenticated" in FACTORY.failure(401).body
    assert b"error" in FACTORY.failure(429).body
    assert FACTORY.failure(500).body.startswith(b"<!DOCTYPE")
