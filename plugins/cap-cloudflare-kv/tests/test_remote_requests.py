"""What `remote` sends: paths, escapes, forms, bulk bodies, pages."""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from core_caps.capabilities.key_value import Entry
from core_caps.errors import InvalidArgument

pytestmark = pytest.mark.feature("W2-01", "PH2-01")

NAMESPACE = "/client/v4/accounts/acc/storage/kv/namespaces/ns"
TRICKY = (
    "a/b",
    "a%2Fb",
    "a b",
    "?x=1&y#z",
    "é",
    "e\u0301",
    "\U0001f511",
    "a/../b",
    "...",
    "~!*'();:@+$,[]",
)


@pytest.mark.parametrize("key", TRICKY)
def test_key_is_one_escaped_segment(wire: Any, key: str) -> None:
    script, value = wire.run([wire.value(b"v")], lambda kv: kv.get(key))
    assert value == b"v"
    (request,) = script.requests
    assert request.method == "GET"
    path, mark, _ = request.target.partition("?")
    assert not mark
    stem, _, segment = path.rpartition("/")
    assert stem == f"{NAMESPACE}/values"
    assert unquote(segment) == key


def test_headers(wire: Any) -> None:
    script, _ = wire.run([wire.value(b"v")], lambda kv: kv.get("a"))
    headers = script.requests[0].headers
    assert headers["authorization"] == f"Bearer {wire.token}"
    assert headers["accept"] == "application/octet-stream"
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


def test_account_may_be_left_out(wire: Any) -> None:
    async def main() -> str:
        async with wire.script(wire.value(b"v")).running() as script:
            client = wire.client(script.url)
            object.__setattr__(client._config, "account_id", "")
            async with client as kv:
                await kv.get("a")
            return script.requests[0].target

    assert asyncio.run(main()) == "/client/v4/storage/kv/namespaces/ns/values/a"


def test_put_sends_the_bytes_alone(wire: Any) -> None:
    value = bytes(range(256)) * 5000
    script, result = wire.run([wire.envelope()], lambda kv: kv.put("a", value, ttl_seconds=3600))
    assert result is None
    (request,) = script.requests
    assert (request.method, request.target) == ("PUT", f"{NAMESPACE}/values/a?expiration_ttl=3600")
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.body == value


def test_put_of_nothing_has_a_length(wire: Any) -> None:
    script, result = wire.run([wire.envelope()], lambda kv: kv.put("a", b"", expires_at=4e9 // 1))
    assert isinstance(result, InvalidArgument)
    script, result = wire.run(
        [wire.envelope()], lambda kv: kv.put("a", b"", expires_at=4_000_000_000)
    )
    assert result is None
    assert script.requests[0].target.endswith("/values/a?expiration=4000000000")
    assert script.requests[0].headers["content-length"] == "0"


def test_put_with_metadata_is_a_form(wire: Any) -> None:
    value = b"\r\n--cap-x\r\n\xff\x00"
    script, _ = wire.run(
        [wire.envelope()], lambda kv: kv.put("a", value, metadata={"text": "é", "n": [1, None]})
    )
    (request,) = script.requests
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    empty, first, second, end = request.body.split(f"--{boundary}".encode())
    assert (empty, end) == (b"", b"--\r\n")
    assert b'name="value"' in first
    assert first.partition(b"\r\n\r\n")[2] == value + b"\r\n"
    assert b'name="metadata"' in second
    assert json.loads(second.partition(b"\r\n\r\n")[2]) == {"text": "é", "n": [1, None]}


def test_bulk_bodies(wire: Any) -> None:
    done = wire.envelope({"successful_key_count": 2, "unsuccessful_keys": []})

    async def use(kv: Any) -> None:
        await kv.put_many({"a": b"\xff", "é": b""})
        await kv.delete_many(["a", "é", "a"])
        await kv.put_many({})
        await kv.delete_many([])
        assert await kv.get_many([]) == {}

    script, failed = wire.run([done], use)
    assert failed is None
    put, delete = script.requests
    assert (put.method, put.target) == ("PUT", f"{NAMESPACE}/bulk")
    assert [
        (row["key"], base64.b64decode(row["value"]), row["base64"]) for row in json.loads(put.body)
    ] == [
        ("a", b"\xff", True),
        ("é", b"", True),
    ]
    assert (delete.method, delete.target) == ("POST", f"{NAMESPACE}/bulk/delete")
    assert json.loads(delete.body) == ["a", "é"]


def test_get_many_reads_again_what_text_cannot_say(wire: Any) -> None:
    values = {"text": "é", "absent": None, "bytes": "\ufffd(", "empty": ""}
    script, found = wire.run(
        [wire.envelope({"values": values}), wire.value(b"\xff("), wire.not_found],
        lambda kv: kv.get_many(["text", "absent", "bytes", "empty", "left out"]),
    )
    assert found == {
        "text": "é".encode(),
        "absent": None,
        "bytes": b"\xff(",
        "empty": b"",
        "left out": None,
    }
    assert [request.target.rpartition("/")[2] for request in script.requests] == [
        "get",
        "bytes",
        "left%20out",
    ]
    assert json.loads(script.requests[0].body)["type"] == "text"


def test_get_many_of_bytes_that_the_service_refuses(wire: Any) -> None:
    refused = wire.refusal(400, 10021, "bulk get: values must be text-based")
    script, found = wire.run(
        [refused, wire.value(b"\xff"), wire.value(b"b")], lambda kv: kv.get_many(["a", "b"])
    )
    assert found == {"a": b"\xff", "b": b"b"}
    script, failed = wire.run(
        [wire.refusal(400, 10021, "Invalid request")], lambda kv: kv.get_many(["a", "b"])
    )
    assert isinstance(failed, InvalidArgument)
    assert len(script.requests) == 1


def test_metadata_is_read_beside_the_value(wire: Any) -> None:
    script, entry = wire.run(
        [wire.value(b"v"), wire.envelope({"a": 1})], lambda kv: kv.get_with_metadata("a/b")
    )
    assert entry == Entry(b"v", {"a": 1})
    assert script.requests[1].target == f"{NAMESPACE}/metadata/a%2Fb"
    script, entry = wire.run(
        [wire.value(b"v"), wire.not_found], lambda kv: kv.get_with_metadata("a")
    )
    assert entry == Entry(b"v", None)
    script, entry = wire.run([wire.not_found], lambda kv: kv.get_with_metadata("a"))
    assert entry is None
    assert len(script.requests) == 1


def _page(wire: Any, names: str, cursor: str = "") -> bytes:
    return wire.envelope([{"name": name} for name in names], result_info={"cursor": cursor})


def test_pages_follow_the_vendors_cursor(wire: Any) -> None:
    async def use(kv: Any) -> list[str]:
        first = await kv.list(prefix="", limit=10)
        second = await kv.list(prefix="", limit=10, cursor=first.cursor)
        assert second.cursor is None
        return [*first.keys, *second.keys]

    script, keys = wire.run([_page(wire, "abcdefghij", "next+/="), _page(wire, "k")], use)
    assert keys == list("abcdefghijk")
    queries = [parse_qs(urlsplit(request.target).query) for request in script.requests]
    assert queries == [{"limit": ["10"]}, {"limit": ["10"], "cursor": ["next+/="]}]


def test_small_pages_are_cut_from_the_vendors_least(wire: Any) -> None:
    async def use(kv: Any) -> list[list[str]]:
        pages, cursor = [], None
        while True:
            page = await kv.list(limit=3, cursor=cursor)
            pages.append(page.keys)
            cursor = page.cursor
            if cursor is None:
                return pages

    front, back = _page(wire, "abcde", "c2"), _page(wire, "fg")
    script, pages = wire.run([front, front, back], use)
    assert pages == [["a", "b", "c"], ["d", "e"], ["f", "g"]]
    assert {
        parse_qs(urlsplit(request.target).query)["limit"][0] for request in script.requests
    } == {"10"}


def test_empty_page_may_have_a_cursor(wire: Any) -> None:
    _, page = wire.run([_page(wire, "", "more")], lambda kv: kv.list())
    assert page.keys == []
    assert page.cursor is not None


@pytest.mark.parametrize("prefix", ["a/b", "100%", "a+b c", "é&limit=1", "#"])
def test_prefix_is_escaped(wire: Any, prefix: str) -> None:
    script, page = wire.run([_page(wire, [prefix + "x"])], lambda kv: kv.list(prefix=prefix))
    assert page.keys == [prefix + "x"]
    assert parse_qs(urlsplit(script.requests[0].target).query) == {
        "limit": ["1000"],
        "prefix": [prefix],
    }


def test_cursor_of_another_listing_is_refused_before_anything_is_sent(wire: Any) -> None:
    async def use(kv: Any) -> None:
        page = await kv.list(prefix="a", limit=1)
        for prefix, cursor in (
            ("", page.cursor),
            ("b", page.cursor),
            ("a", page.cursor[:-4]),
            ("a", "x"),
        ):
            with pytest.raises(InvalidArgument):
                await kv.list(prefix=prefix, cursor=cursor)

    script, failed = wire.run([_page(wire, ["a1", "a2"])], use)
    assert failed is None
    assert len(script.requests) == 1


def test_what_is_refused_here_is_never_sent(wire: Any) -> None:
    async def use(kv: Any) -> int:
        refused = 0
        for call in (
            lambda: kv.get(""),
            lambda: kv.get("k" * 513),
            lambda: kv.get("."),
            lambda: kv.get(b"bytes"),
            lambda: kv.put("a", "text"),
            lambda: kv.put("a", b"v", ttl_seconds=59),
            lambda: kv.put("a", b"v", ttl_seconds=60.5),
            lambda: kv.put("a", b"v", ttl_seconds=True),
            lambda: kv.put("a", b"v", expires_at=1),
            lambda: kv.put("a", b"v", ttl_seconds=60, expires_at=4_000_000_000),
            lambda: kv.put("a", b"v", metadata={"a": "m" * 1024}),
            lambda: kv.put("a", b"v", metadata=[1]),
            lambda: kv.put_many({"a": b"v", "": b"v"}),
            lambda: kv.delete(".."),
            lambda: kv.delete_many("abc"),
            lambda: kv.get_many([str(n) for n in range(101)]),
            lambda: kv.list(limit=1001),
            lambda: kv.list(limit="10"),
            lambda: kv.list(prefix="p" * 513),
        ):
            with pytest.raises(InvalidArgument):
                await call()
            refused += 1
        return refused

    script, refused = wire.run([wire.envelope()], use)
    assert refused == 19
    assert script.connections == 0
