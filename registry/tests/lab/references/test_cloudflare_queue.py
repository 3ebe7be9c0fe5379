"""The Queues reference, spoken to by an ordinary HTTP client."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from flows_registry.lab.references.cloudflare_queue import FACTORY, CloudflareQueue

from .serve import serve

pytestmark = pytest.mark.feature("P4-03", "PH2-06")

ACCOUNT, QUEUE, TOKEN = "a" * 32, "c" * 32, "canary-token"


class Time:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def reference(time: Time) -> CloudflareQueue:
    return CloudflareQueue({"account_id": ACCOUNT, "queue_id": QUEUE}, {"api_token": TOKEN}, time)


@pytest.fixture
def client(reference: CloudflareQueue) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with serve(reference) as url:
        base = f"{url}/client/v4/accounts/{ACCOUNT}/queues/{QUEUE}/messages"
        with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
            yield client


def result(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    envelope = response.json()
    assert envelope["success"] is True
    return envelope["result"]


def code(response: httpx.Response) -> tuple[int, int]:
    envelope = response.json()
    assert envelope["success"] is False
    return response.status_code, envelope["errors"][0]["code"]


def push(client: httpx.Client, body: Any, **more: Any) -> None:
    result(client.post("", json={"body": body, **more}))


def pull(client: httpx.Client, **named: Any) -> list[dict[str, Any]]:
    return result(client.post("/pull", json=named))["messages"]


def settle(client: httpx.Client, **named: Any) -> Any:
    return result(client.post("/ack", json=named))


def lease(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"lease_id": message["lease_id"], **more}


def test_text_comes_as_it_is_and_json_in_base64(client: httpx.Client, time: Time) -> None:
    push(client, "é", content_type="text")
    push(client, {"greeting": "hello"})
    text, value = pull(client)
    assert text["body"] == "é"
    assert text["metadata"]["CF-Content-Type"] == "text"
    assert json.loads(base64.b64decode(value["body"])) == {"greeting": "hello"}
    assert value["metadata"]["CF-Content-Type"] == "json"
    assert (text["attempts"], text["timestamp_ms"]) == (1, time.now * 1000)
    assert text["lease_id"] != value["lease_id"]


def test_a_batch_has_delays_for_all_and_for_each(client: httpx.Client, time: Time) -> None:
    messages = [{"body": 1}, {"body": 2, "delay_seconds": 0}, {"body": 3, "delay_seconds": 60}]
    result(client.post("/batch", json={"messages": messages, "delay_seconds": 30}))

    def due() -> list[bytes]:
        return [base64.b64decode(each["body"]) for each in pull(client)]

    assert due() == [b"2"]
    time.now += 29.9
    assert due() == []
    time.now += 0.1
    assert sorted(due()) == [b"1", b"2"], "the first one's lease ran out"
    time.now += 30
    assert b"3" in due()


def test_a_pull_gives_at_most_what_was_asked_for(client: httpx.Client) -> None:
    for number in range(7):
        push(client, number)
    assert len(pull(client)) == 5, "the documented default"
    assert len(pull(client, batch_size=1)) == 1
    assert len(pull(client, batch_size=100)) == 1
    assert pull(client) == []


def test_a_lease_ends_and_a_late_acknowledgement_is_taken(client: httpx.Client, time: Time) -> None:
    push(client, "a")
    (first,) = pull(client, visibility_timeout_ms=5000)
    time.now += 5
    (second,) = pull(client)
    assert (second["id"], second["attempts"]) == (first["id"], 2)
    assert settle(client, acks=[lease(first)]) == {"ackCount": 1, "retryCount": 0, "warnings": {}}
    late = settle(client, acks=[lease(second), {"lease_id": "unknown"}])
    assert late["ackCount"] == 0
    assert set(late["warnings"]) == {second["lease_id"], "unknown"}


def test_retries_come_again_until_they_are_given_up(
    client: httpx.Client, reference: CloudflareQueue, time: Time
) -> None:
    push(client, "poison")
    for attempt in (1, 2, 3, 4):
        (message,) = pull(client)
        assert message["attempts"] == attempt
        told = settle(client, retries=[lease(message, delay_seconds=10)])
        assert told["retryCount"] == 1
        assert pull(client) == []
        time.now += 10
    assert pull(client) == []
    assert reference.state() == {"queues": {}}


def test_leases_that_run_out_count_as_attempts(client: httpx.Client, time: Time) -> None:
    push(client, "poison")
    attempts = []
    for _ in range(6):
        attempts += [each["attempts"] for each in pull(client, visibility_timeout_ms=1000)]
        time.now += 1
    assert attempts == [1, 2, 3, 4]


def test_only_the_last_lease_retries(client: httpx.Client, time: Time) -> None:
    push(client, "a")
    (first,) = pull(client, visibility_timeout_ms=1000)
    time.now += 1
    (second,) = pull(client)
    assert settle(client, retries=[lease(first)])["retryCount"] == 0
    assert settle(client, retries=[lease(second)])["retryCount"] == 1
    assert settle(client, retries=[lease(second)])["retryCount"] == 0


def test_limits(client: httpx.Client) -> None:
    push(client, "a" * 128_000, content_type="text")
    push(client, "a", delay_seconds=86_400)
    whole = {"body": "a" * 128_000, "content_type": "text"}
    result(client.post("/batch", json={"messages": [whole] * 2}))
    assert code(client.post("", json={**whole, "body": "a" * 128_001})) == (413, 10204)
    assert code(client.post("/batch", json={"messages": [whole] * 3})) == (413, 10205)
    assert code(client.post("/batch", json={"messages": [{"body": 1}] * 101})) == (413, 10206)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("", b"{", 10208),
        ("", b"[]", 10207),
        ("", b"{}", 10207),
        ("", b'{"body": 1, "content_type": "text"}', 10203),
        ("", b'{"body": "AA==", "content_type": "bytes"}', 10203),
        ("", b'{"body": "a", "delay_seconds": 86401}', 10203),
        ("", b'{"body": "a", "delay_seconds": 0.5}', 10203),
        ("", b'{"body": "a", "delay_seconds": NaN}', 10208),
        ("", rb'{"body": "\ud800"}', 10207),
        ("/batch", b"{}", 10207),
        ("/batch", b'{"messages": [1]}', 10207),
        ("/batch", b'{"messages": [], "delay_seconds": -1}', 10202),
        ("/pull", b'{"batch_size": 0}', 10207),
        ("/pull", b'{"batch_size": 101}', 10207),
        ("/pull", b'{"visibility_timeout_ms": 43200001}', 10207),
        ("/pull", b'{"visibility_timeout_ms": true}', 10207),
        ("/ack", b'{"acks": {}}', 10207),
        ("/ack", b'{"acks": [{}]}', 10207),
        ("/ack", b'{"retries": [{"lease_id": "a", "delay_seconds": "1"}]}', 10203),
        ("/ack", b"[" * 100_000, 10208),
    ],
)
def test_a_bad_request_changes_nothing(
    client: httpx.Client, reference: CloudflareQueue, path: str, body: bytes, expected: int
) -> None:
    push(client, "old")
    before = reference.state()
    assert code(client.post(path, content=body)) == (400, expected)
    assert reference.state() == before


def test_authentication_and_routes(client: httpx.Client) -> None:
    assert code(client.post("/pull", json={}, headers={"authorization": "Bearer x"})) == (
        401,
        10000,
    )
    assert code(client.post("/pull", json={}, headers={"authorization": TOKEN})) == (400, 6003)
    with httpx.Client(base_url=client.base_url, trust_env=False) as bare:
        assert code(bare.post("/pull", json={})) == (400, 9106)
    base = str(client.base_url)
    assert code(client.post(base.replace(ACCOUNT, "e" * 32), json={})) == (403, 10000)
    assert code(client.post(base.replace(QUEUE, "e" * 32), json={})) == (404, 10104)
    assert code(client.post(base.replace(QUEUE, "name"), json={})) == (400, 10107)
    assert code(client.get("/pull")) == (405, 10000)
    assert code(client.post("/nothing", json={}))[0] == 404


CHANGES: tuple[Callable[[httpx.Client, dict[str, Any]], Any], ...] = (
    lambda client, message: push(client, "new"),
    lambda client, message: pull(client),
    lambda client, message: settle(client, acks=[lease(message)]),
    lambda client, message: settle(client, retries=[lease(message)]),
)


@pytest.mark.parametrize("change", CHANGES, ids=["push", "pull", "ack", "retry"])
def test_the_state_shows_effects_and_time_alone_is_none(
    client: httpx.Client,
    reference: CloudflareQueue,
    time: Time,
    change: Callable[[httpx.Client, dict[str, Any]], Any],
) -> None:
    push(client, "held")
    push(client, "waiting")
    (message,) = pull(client, batch_size=1)
    before = reference.state()
    time.now += 1
    assert reference.state() == before
    change(client, message)
    assert reference.state() != before
    json.dumps(reference.state())
    reference.reset()
    assert reference.state() == {"queues": {}}


def test_the_same_requests_give_the_same_bytes(time: Time) -> None:
    seen = []
    for _ in range(2):
        reference = CloudflareQueue({}, {"t": TOKEN}, time)
        headers = {"authorization": f"Bearer {TOKEN}"}
        with serve(reference) as url, httpx.Client(trust_env=False, headers=headers) as client:
            base = f"{url}/accounts/a/queues/q/messages"
            client.post(base, json={"body": "a"})
            seen.append(client.post(f"{base}/pull", json={}).content)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 502, 503, 504, 520])
def test_documented_failures(status: int) -> None:
    response = FACTORY.failure(status)
    assert response.status == status
    if dict(response.headers)["content-type"] == "application/json":
        assert json.loads(response.body)["success"] is False
    else:
        assert status >= 502
        assert b"<html" in response.body
