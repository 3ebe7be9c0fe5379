"""The reference of an origin server, spoken to by an ordinary HTTP client."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from flows_registry.lab.references.http import FACTORY, HttpSite

from .serve import serve

pytestmark = pytest.mark.feature("P4-03")


@pytest.fixture
def reference() -> HttpSite:
    return HttpSite({}, {}, lambda: 0.0)


@pytest.fixture
def client(reference: HttpSite) -> Iterator[httpx.Client]:
    with serve(reference) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def test_a_resource_is_made_read_replaced_and_removed(client: httpx.Client) -> None:
    assert client.get("/a").status_code == 404
    assert client.put("/a", content=b"one", headers={"content-type": "x/y"}).status_code == 201
    found = client.get("/a")
    assert (found.content, found.headers["content-type"]) == (b"one", "x/y")
    head = client.head("/a")
    assert (head.content, head.headers["etag"]) == (b"", found.headers["etag"])
    assert client.put("/a", content=b"two").status_code == 204
    assert client.get("/a").headers["etag"] != found.headers["etag"]
    assert client.patch("/a", content=b"!").status_code == 204
    assert client.get("/a").content == b"two!"
    assert [client.delete("/a").status_code for _ in range(2)] == [204, 404]
    assert client.patch("/a", content=b"!").status_code == 404


def test_what_is_posted_stands_below(client: httpx.Client) -> None:
    made = [client.post("/a?x=1", content=b"entry").headers["location"] for _ in range(2)]
    assert made == ["/a?x=1/1", "/a?x=1/2"]
    assert client.get(made[1]).content == b"entry"


def test_hosts_and_targets_are_apart(client: httpx.Client, reference: HttpSite) -> None:
    for target in ("/a", "/a?", "/a/", "/%61", "/A"):
        client.put(target, content=target.encode())
    client.put("/a", content=b"elsewhere", headers={"host": "second.example:443"})
    assert client.get("/a").content == b"/a"
    assert client.get("/a", headers={"host": "second.example:443"}).content == b"elsewhere"
    assert len(reference.state()["resources"]) == 6


def test_conditions(client: httpx.Client) -> None:
    client.put("/a", content=b"one")
    etag = client.get("/a").headers["etag"]
    assert client.get("/a", headers={"if-none-match": etag}).status_code == 304
    assert client.get("/a", headers={"if-none-match": '"other"'}).status_code == 200
    for name, value in (("if-none-match", "*"), ("if-match", '"other"')):
        for method in ("PUT", "PATCH", "DELETE"):
            refused = client.request(method, "/a", content=b"two", headers={name: value})
            assert refused.status_code == 412
    assert client.put("/b", content=b"", headers={"if-match": "*"}).status_code == 412
    assert client.put("/a", content=b"two", headers={"if-match": f'"x", {etag}'}).status_code == 204


def test_a_key_is_for_one_request_that_succeeded(client: httpx.Client) -> None:
    keyed = {"idempotency-key": "k"}
    assert client.patch("/a", content=b"!", headers=keyed).status_code == 404
    first = client.post("/a", content=b"entry", headers=keyed)
    again = client.post("/a", content=b"entry", headers=keyed)
    assert first.headers["location"] == again.headers["location"] == "/a/1"
    assert client.get("/a/2").status_code == 404
    others = (("POST", "/a", b"x"), ("POST", "/b", b"entry"), ("PUT", "/a", b"entry"))
    for method, target, content in others:
        assert client.request(method, target, content=content, headers=keyed).status_code == 422


def test_what_is_asked_for_is_answered(client: httpx.Client) -> None:
    found = client.get("/-/status/503?retry-after=Sat%2C%2021")
    assert (found.status_code, found.headers["retry-after"]) == (503, "Sat, 21")
    found = client.put("/-/redirect/307?to=%2Fa%3Fb%3Dc", content=b"x")
    assert (found.status_code, found.headers["location"]) == (307, "/a?b=c")
    assert "location" not in client.get("/-/redirect/302").headers
    assert "location" not in client.get("/-/redirect/302?to=a%0d%0ab").headers
    found = client.post("/-/echo", content=b"\x00\n", headers={"x-a": "1"})
    head, _, body = found.content.partition(b"\n\n")
    assert (head.split(b"\n")[0], body) == (b"POST /-/echo", b"\x00\n")
    assert b"\nx-a: 1" in head
    assert client.get("/-/status/99").status_code == client.get("/-/x").status_code == 404


CHANGES: tuple[Callable[[httpx.Client], Any], ...] = (
    lambda client: client.put("/new", content=b""),
    lambda client: client.put("/held", content=b"new"),
    lambda client: client.put("/held", content=b"held", headers={"content-type": "x/y"}),
    lambda client: client.patch("/held", content=b"+"),
    lambda client: client.post("/held", content=b""),
    lambda client: client.delete("/held"),
)


@pytest.mark.parametrize("change", CHANGES)
def test_the_state_shows_effects(
    client: httpx.Client, reference: HttpSite, change: Callable[[httpx.Client], Any]
) -> None:
    client.put("/held", content=b"held")
    before = reference.state()
    client.get("/held")
    client.get("/nothing")
    client.put("/-/status/500", content=b"x")
    client.request("OPTIONS", "/held")
    assert reference.state() == before
    change(client)
    assert reference.state() != before
    json.dumps(reference.state())
    reference.reset()
    assert reference.state() == HttpSite({}, {}, lambda: 0.0).state()


def test_a_failure_is_its_status() -> None:
    assert [FACTORY.failure(status).status for status in (400, 429, 503)] == [400, 429, 503]
