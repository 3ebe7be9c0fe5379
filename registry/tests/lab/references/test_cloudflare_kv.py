"""The KV reference through httpx, over a socket."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from flows_registry.lab.references.cloudflare_kv import FACTORY, CloudflareKv

from .serve import serve

ACCOUNT = "0123456789abcdef0123456789abcdef"
NAMESPACE = "0f2ac74b498b48028cb68387c421e279"
TOKEN = "canary-token"
pytestmark = pytest.mark.feature("P4-03", "AL-07")


class Time:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def reference(time: Time) -> CloudflareKv:
    return CloudflareKv(
        {"account_id": ACCOUNT, "namespace_id": NAMESPACE}, {"api_token": TOKEN}, time
    )


@pytest.fixture
def client(reference: CloudflareKv) -> Iterator[httpx.Client]:
    with (
        serve(reference) as url,
        httpx.Client(
            base_url=f"{url}/client/v4/accounts/{ACCOUNT}/storage/kv/namespaces/{NAMESPACE}",
            headers={"authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        ) as client,
    ):
        yield client


def code(response: httpx.Response) -> tuple[int, int]:
    """The status and the first error's code, the envelope checked on the way."""
    body = response.json()
    assert body["success"] is False
    assert body["result"] is None
    assert body["messages"] == []
    return response.status_code, body["errors"][0]["code"]


def result(response: httpx.Response) -> Any:
    body = response.json()
    assert response.status_code == 200, body
    assert body["success"] is True
    assert body["errors"] == body["messages"] == []
    return body["result"]


def test_a_value_is_the_bytes_that_were_put(client: httpx.Client) -> None:
    raw = bytes(range(256)) * 3
    assert result(client.put("/values/key", content=raw)) == {}
    read = client.get("/values/key")
    assert read.content == raw
    assert read.headers["content-type"] == "application/octet-stream"
    assert "expiration" not in read.headers
    assert result(client.put("/values/key", content=b"")) == {}
    assert client.get("/values/key").content == b""


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("a%2Fb", "a/b"),
        ("a+b", "a+b"),
        ("a%2Bb", "a+b"),
        ("a%20b", "a b"),
        ("%C3%BC%F0%9F%98%80", "ü😀"),
        ("%252F", "%2F"),
        ("a%3Fb%23c", "a?b#c"),
        ("accounts%2Fx%2Fvalues", "accounts/x/values"),
    ],
)
def test_keys_are_decoded_from_the_url_once(client: httpx.Client, written: str, key: str) -> None:
    result(client.put(f"/values/{written}", content=b"v"))
    assert [item["name"] for item in result(client.get("/keys"))] == [key]
    assert client.get(f"/values/{written}").content == b"v"
    assert result(client.delete(f"/values/{written}")) == {}
    assert result(client.get("/keys")) == []


def test_a_bare_slash_in_a_key_is_another_route(client: httpx.Client) -> None:
    assert code(client.put("/values/a/b", content=b"v")) == (404, 7003)


def test_an_absent_key_is_told_apart_from_an_absent_namespace(client: httpx.Client) -> None:
    assert code(client.get("/values/none")) == (404, 10009)
    assert code(client.get("/metadata/none")) == (404, 10009)
    assert result(client.delete("/values/none")) == {}
    other = str(client.base_url).replace(NAMESPACE, "f" * 32)
    assert code(client.get(f"{other}values/none")) == (404, 10013)
    assert code(client.get(f"{other.replace('f' * 32, 'not-an-id')}keys")) == (400, 10011)


def test_a_form_brings_metadata(client: httpx.Client) -> None:
    form = {"value": (None, b"line\r\n--x\r\n"), "metadata": (None, json.dumps({"a": [1, "ü"]}))}
    result(client.put("/values/key", files=form))
    assert client.get("/values/key").content == b"line\r\n--x\r\n"
    assert result(client.get("/metadata/key")) == {"a": [1, "ü"]}
    assert result(client.get("/keys")) == [{"name": "key", "metadata": {"a": [1, "ü"]}}]
    result(client.put("/values/key", content=b"plain"))
    assert result(client.get("/metadata/key")) is None


def test_a_form_that_is_none_is_refused(client: httpx.Client) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert code(client.put("/values/k", content=b"--x\r\nno", headers=headers))[0] == 400
    assert code(client.put("/values/k", files={"metadata": (None, "{}")}))[0] == 400
    bad = {"value": (None, b"v"), "metadata": (None, "{nope")}
    assert code(client.put("/values/k", files=bad))[0] == 400
    assert code(client.get("/values/k")) == (404, 10009)


def test_expiry_follows_the_clock(client: httpx.Client, time: Time) -> None:
    result(client.put("/values/a-ttl", content=b"v", params={"expiration_ttl": 60}))
    at = int(time.now) + 120
    result(client.put("/values/at", content=b"v", params={"expiration": at}))
    both = {"expiration": at, "expiration_ttl": 600}
    result(client.put("/values/both", content=b"v", params=both))
    assert client.get("/values/a-ttl").headers["expiration"] == str(int(time.now) + 60)
    assert client.get("/values/both").headers["expiration"] == str(int(time.now) + 600)
    time.now += 59
    assert client.get("/values/a-ttl").status_code == 200
    time.now += 1
    assert code(client.get("/values/a-ttl")) == (404, 10009)
    assert [item["name"] for item in result(client.get("/keys"))] == ["at", "both"]
    result(client.put("/values/a-ttl", content=b"again"))
    assert "expiration" not in client.get("/values/a-ttl").headers


@pytest.mark.parametrize(
    "parameters",
    [
        {"expiration_ttl": "59"},
        {"expiration_ttl": "0"},
        {"expiration_ttl": "-60"},
        {"expiration_ttl": "soon"},
        {"expiration_ttl": "60.5"},
        {"expiration": "1800000059"},
        {"expiration": "1"},
        {"expiration": "nan"},
    ],
)
def test_an_expiry_too_near_is_refused(
    client: httpx.Client, reference: CloudflareKv, parameters: dict[str, str]
) -> None:
    assert code(client.put("/values/key", content=b"v", params=parameters)) == (400, 10033)
    assert reference.state() == {"namespaces": {}}


def test_limits(client: httpx.Client) -> None:
    result(client.put(f"/values/{'k' * 512}", content=b"v"))
    assert code(client.put(f"/values/{'k' * 513}", content=b"v"))[0] == 414
    assert code(client.put(f"/values/{'%C3%BC' * 257}", content=b"v"))[0] == 414
    assert code(client.get(f"/values/{'k' * 513}"))[0] == 414
    assert code(client.put("/values/%2E%2E", content=b"v"))[0] == 400
    result(client.put("/values/big", content=bytes(25 << 20)))
    assert code(client.put("/values/big", content=bytes((25 << 20) + 1)))[0] == 413
    room = 1024 - len('{"m":""}')
    form = {"value": (None, b"v"), "metadata": (None, json.dumps({"m": "x" * room}))}
    result(client.put("/values/meta", files=form))
    form["metadata"] = (None, json.dumps({"m": "x" * (room + 1)}))
    assert code(client.put("/values/meta", files=form))[0] == 413


def test_listing_pages_in_byte_order(client: httpx.Client) -> None:
    keys = [f"p/{n:02}" for n in range(25)] + ["p/é", "p/😀", "p/￿", "q"]
    for key in keys:
        result(client.put(f"/values/{key.replace('/', '%2F')}", content=b"v"))
    seen: list[str] = []
    cursor = ""
    sizes: list[int] = []
    while True:
        page = client.get("/keys", params={"prefix": "p/", "limit": 10, "cursor": cursor})
        names = [item["name"] for item in result(page)]
        info = page.json()["result_info"]
        assert info["count"] == len(names)
        sizes.append(len(names))
        seen += names
        cursor = info["cursor"]
        if not cursor:
            break
    assert sizes == [10, 10, 8]
    assert seen == sorted((key for key in keys if key != "q"), key=str.encode)
    assert len(result(client.get("/keys"))) == len(keys)


@pytest.mark.parametrize(
    "parameters",
    [{"limit": "9"}, {"limit": "1001"}, {"limit": "x"}, {"limit": "-1"}, {"cursor": "nonsense"}],
)
def test_a_bad_listing_is_refused(client: httpx.Client, parameters: dict[str, str]) -> None:
    assert code(client.get("/keys", params=parameters))[0] == 400


def test_bulk_writes_reads_and_deletes(client: httpx.Client, time: Time) -> None:
    raw = bytes(range(256))
    pairs = [
        {"key": "text", "value": "ü", "metadata": {"a": 1}, "expiration_ttl": 60},
        {"key": "raw", "value": base64.b64encode(raw).decode(), "base64": True},
        {"key": "json", "value": '{"n": 1}', "expiration": int(time.now) + 100},
    ]
    assert result(client.put("/bulk", json=pairs)) == {
        "successful_key_count": 3,
        "unsuccessful_keys": [],
    }
    assert client.get("/values/raw").content == raw
    read = client.post("/bulk/get", json={"keys": ["text", "none"], "withMetadata": True})
    text = {"value": "ü", "metadata": {"a": 1}, "expiration": int(time.now) + 60}
    assert result(read) == {"values": {"text": text, "none": None}}
    read = client.post("/bulk/get", json={"keys": ["json"], "type": "json"})
    assert result(read) == {"values": {"json": {"n": 1}}}
    assert code(client.post("/bulk/get", json={"keys": ["raw"]}))[0] == 400
    assert result(client.post("/bulk/delete", json=["text", "none"]))["successful_key_count"] == 2
    assert result(client.request("DELETE", "/bulk", json=["raw"]))["unsuccessful_keys"] == []
    assert [item["name"] for item in result(client.get("/keys"))] == ["json"]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.put("/bulk", content=b"{nope"),
        lambda client: client.put("/bulk", json={"key": "k", "value": "v"}),
        lambda client: client.put("/bulk", json=[{"key": "k"}]),
        lambda client: client.put("/bulk", json=[{"key": "", "value": "v"}]),
        lambda client: client.put("/bulk", json=[{"key": "k", "value": "!", "base64": True}]),
        lambda client: client.put("/bulk", json=[{"key": "k", "value": "v", "expiration_ttl": 5}]),
        lambda client: client.put("/bulk", content=rb'[{"key": "\ud800", "value": "v"}]'),
        lambda client: client.put("/bulk", json=[{"key": "k", "value": "v"}] * 10_001),
        lambda client: client.post("/bulk/get", json={"keys": ["k"] * 101}),
        lambda client: client.post("/bulk/get", json={"keys": []}),
        lambda client: client.post("/bulk/get", json={"keys": ["k"], "type": "arrayBuffer"}),
        lambda client: client.post("/bulk/get", json=["k"]),
        lambda client: client.post("/bulk/delete", json={"keys": ["k"]}),
        lambda client: client.post("/bulk/delete", json=[1]),
        lambda client: client.post("/bulk/delete", content=b"[" * 100_000),
    ],
)
def test_a_bad_bulk_request_changes_nothing(
    client: httpx.Client,
    reference: CloudflareKv,
    call: Callable[[httpx.Client], httpx.Response],
) -> None:
    result(client.put("/bulk", json=[{"key": "old", "value": "v"}]))
    before = reference.state()
    assert code(call(client))[0] == 400
    assert reference.state() == before


def test_authentication(client: httpx.Client) -> None:
    assert code(client.get("/keys", headers={"authorization": "Bearer other"})) == (401, 10000)
    assert code(client.get("/keys", headers={"authorization": TOKEN})) == (400, 6003)
    with httpx.Client(base_url=client.base_url, trust_env=False) as bare:
        assert code(bare.get("/keys")) == (400, 9106)
    elsewhere = str(client.base_url).replace(ACCOUNT, "e" * 32)
    assert code(client.get(f"{elsewhere}keys")) == (403, 10000)


def test_names_of_settings_and_secrets_are_the_plugins_own(time: Time) -> None:
    reference = CloudflareKv({"account": "a", "ns": "b"}, {"my_token": TOKEN}, time)
    with serve(reference) as url, httpx.Client(trust_env=False) as client:
        headers = {"authorization": f"Bearer {TOKEN}"}
        base = f"{url}/accounts/a/storage/kv/namespaces"
        result(client.put(f"{base}/b/values/k", content=b"v", headers=headers))
        assert client.get(f"{base}/b/values/k", headers=headers).content == b"v"
        assert [item["id"] for item in result(client.get(base, headers=headers))] == ["b"]


def test_namespaces_and_other_routes(client: httpx.Client) -> None:
    shown = {"id": NAMESPACE, "title": NAMESPACE, "supports_url_encoding": True}
    assert result(client.get("")) == shown
    assert result(client.get(str(client.base_url).rpartition(f"/{NAMESPACE}")[0])) == [shown]
    assert code(client.post("/values/k", content=b"v"))[0] == 405
    assert code(client.post("/keys"))[0] == 405
    assert code(client.get("/nothing"))[0] == 404
    assert code(client.get(f"{client.base_url.copy_with(path='/client/v4/zones')}"))[0] == 404


def test_the_state_shows_effects_and_nothing_else(
    client: httpx.Client, reference: CloudflareKv, time: Time
) -> None:
    result(client.put("/values/key", content=b"v", params={"expiration_ttl": 60}))
    before = reference.state()
    entry = before["namespaces"][NAMESPACE]["key"]
    assert entry["size_bytes"] == 1
    assert "value" not in entry
    client.get("/values/key")
    client.get("/keys")
    client.post("/bulk/get", json={"keys": ["key"]})
    time.now += 100
    assert reference.state() == before
    json.dumps(before)
    reference.reset()
    assert reference.state() == {"namespaces": {}}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504, 520])
def test_documented_failures(status: int) -> None:
    response = FACTORY.failure(status)
    assert response.status == status
    kind = dict(response.headers)["content-type"]
    if kind == "application/json":
        assert json.loads(response.body)["success"] is False
    else:
        assert status >= 502
        assert b"<html" in response.body
