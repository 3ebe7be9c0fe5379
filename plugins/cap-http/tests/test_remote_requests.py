"""What `remote` sends, byte for byte as far as it matters."""

import pytest
from core_caps.errors import InvalidArgument

pytestmark = pytest.mark.feature("DC-01")


def test_the_target_is_sent_as_it_was_given(wire) -> None:
    targets = ["/a//b%2F+c?x=[1]&y=%C3%A9", "/", "/?", "/a?", "/~a;b=c:d@e"]

    async def use(http, url):
        return [(await http.get(url + target)).url for target in targets]

    script, urls = wire.run([wire.answer(200)], use)
    assert [request.target for request in script.requests] == targets
    assert urls == [script.url + target for target in targets]
    assert {request.headers["host"] for request in script.requests} == {script.url[7:]}


def test_a_read_says_little(wire) -> None:
    script, _ = wire.run([wire.answer(200)], lambda http, url: http.get(f"{url}/"))
    assert {
        name: value for name, value in script.requests[0].headers.items() if name != "host"
    } == {
        "accept": "*/*",
        "accept-encoding": "gzip",
        "user-agent": "cap-http",
    }


def test_given_headers_win_and_a_range_is_not_coded(wire) -> None:
    given = {"User-Agent": "me", "ACCEPT": "text/plain", "Range": "bytes=0-1"}
    script, _ = wire.run(
        [wire.answer(206, b"ab")], lambda http, url: http.get(f"{url}/", headers=given)
    )
    sent = script.requests[0].headers
    assert (sent["user-agent"], sent["accept"], sent["range"]) == ("me", "text/plain", "bytes=0-1")
    assert sent["accept-encoding"] == "identity"


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1, 3_000_000])
def test_a_body_is_sent_whole_with_its_length(wire, size: int) -> None:
    body = (b"0123456789" * (size // 10 + 1))[:size]
    script, _ = wire.run(
        [wire.answer(204)],
        lambda http, url: http.put(f"{url}/", body, idempotency_key="key-1"),
    )
    (request,) = script.requests
    assert request.body == body
    assert request.headers["content-length"] == str(size)
    assert request.headers["idempotency-key"] == "key-1"
    assert "transfer-encoding" not in request.headers


def test_a_body_over_the_bound_is_not_sent(wire) -> None:
    for method in ("put", "post", "patch"):
        script, error = wire.run(
            [wire.answer(204)],
            lambda http, url, method=method: getattr(http, method)(f"{url}/", b"x" * 101),
            request_size_bytes_max=100,
        )
        assert isinstance(error, InvalidArgument)
        assert "101 bytes" in str(error)
        assert "request_size_bytes_max" in error.hint
        assert not script.connected.is_set()
    _, found = wire.run(
        [wire.answer(204)],
        lambda http, url: http.put(f"{url}/", b"x" * 100),
        request_size_bytes_max=100,
    )
    assert found.status == 204


def test_a_delete_has_no_body(wire) -> None:
    script, _ = wire.run([wire.answer(204)], lambda http, url: http.delete(f"{url}/"))
    assert script.requests[0].headers.keys() & {"content-length", "transfer-encoding"} == set()


def test_a_connection_is_used_again(wire) -> None:
    async def use(http, url):
        for _ in range(3):
            await http.get(f"{url}/")
            await http.head(f"{url}/")

    script, _ = wire.run([wire.answer(204)], use)
    assert (len(script.requests), script.connections) == (6, 1)


def test_what_was_refused_is_not_sent(wire) -> None:
    headers = {"x": "a\r\nHost: elsewhere"}
    script, error = wire.run(
        [wire.answer(200)], lambda http, url: http.get(f"{url}/", headers=headers)
    )
    assert isinstance(error, InvalidArgument)
    assert not script.connected.is_set()


@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        ([("a", "b")], "dict"),
        ({"": "a"}, "x-request-id"),
        ({"Bearer canary": "authorization"}, "x-request-id"),
        ({"a": 5}, "str"),
        ({"a": None}, "leave"),
        ({"a": "canary\n"}, "encode"),
        ({"a": "1", "A": "2"}, "capitals"),
        ({"Host": "a"}, "leave"),
        ({"Idempotency-Key": "a"}, "idempotency_key"),
        ({"a": "b" * 40_000}, "body"),
    ],
)
def test_a_header_that_is_none_says_what_to_do(wire, headers, hint: str) -> None:
    script, error = wire.run(
        [wire.answer(200)], lambda http, url: http.get(f"{url}/", headers=headers)
    )
    assert isinstance(error, InvalidArgument)
    assert hint in error.hint
    assert "canary" not in str(error)
    assert not script.connected.is_set()


def test_a_header_may_be_empty(wire) -> None:
    script, _ = wire.run(
        [wire.answer(200)], lambda http, url: http.get(f"{url}/", headers={"X-Empty": ""})
    )
    assert script.requests[0].headers["x-empty"] == ""


@pytest.mark.parametrize(
    ("body", "hint"),
    [("text", "encode()"), ({"a": 1}, "json.dumps"), (None, 'b""'), (bytearray(b"a"), "bytes(")],
)
def test_a_body_that_is_none_says_what_to_do(wire, body, hint: str) -> None:
    script, error = wire.run([wire.answer(200)], lambda http, url: http.put(f"{url}/", body))
    assert isinstance(error, InvalidArgument)
    assert hint in error.hint
    assert not script.connected.is_set()


def test_proxy_variables_are_not_read(wire, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    script, found = wire.run([wire.answer(204)], lambda http, url: http.get(f"{url}/"))
    assert found.status == 204
    assert script.requests[0].target == "/"
