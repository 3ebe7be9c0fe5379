"""What `remote` sends and what it makes of a healthy answer: bodies, leases, counts, warnings."""

import asyncio
import base64
import json
from typing import Any

import pytest
from cap_cloudflare_queue.config import RemoteConfig
from cap_cloudflare_queue.remote import RemoteQueue
from core_caps.capabilities.queue import Delivery, Message
from core_caps.clock import VirtualClock
from core_caps.errors import InvalidArgument, LeaseExpired, Outcome, Unavailable
from core_caps.rng import SeededRng
from core_caps.secret import Secret

pytestmark = pytest.mark.feature("PH2-06")

QUEUE = "/client/v4/accounts/acc/queues/q"


def _sent(script: Any, path: str) -> Any:
    """The JSON of the one request, which went there."""
    (request,) = script.requests
    assert (request.method, request.target) == ("POST", QUEUE + path)
    assert request.headers["content-type"] == "application/json"
    return json.loads(request.body)


def test_headers(wire: Any) -> None:
    script, _ = wire.run([wire.envelope()], lambda queue: queue.send(b"a"))
    headers = script.requests[0].headers
    assert headers["authorization"] == f"Bearer {wire.token}"
    assert headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


@pytest.mark.parametrize(
    ("body", "named", "sent"),
    [
        ("é".encode(), {}, {"body": "é", "content_type": "text"}),
        (b"", {"delay_seconds": 0}, {"body": "", "content_type": "text", "delay_seconds": 0}),
        (
            b"a",
            {"key": "k", "delay_seconds": 86_400},
            {
                "body": {"cap-queue": 1, "key": "k", "text": "a"},
                "content_type": "json",
                "delay_seconds": 86_400,
            },
        ),
        (
            b"\xff",
            {},
            {"body": {"cap-queue": 1, "key": "", "base64": "/w=="}, "content_type": "json"},
        ),
    ],
)
def test_send(wire: Any, body: bytes, named: dict[str, Any], sent: Any) -> None:
    script, result = wire.run([wire.envelope()], lambda queue: queue.send(body, **named))
    assert result is None
    assert _sent(script, "/messages") == sent


def test_send_batch(wire: Any) -> None:
    async def use(queue: Any) -> None:
        await queue.send_batch([Message(b"a"), Message(b"b", "k", 5)])
        await queue.send_batch([])

    script, failed = wire.run([wire.envelope()], use)
    assert failed is None
    assert _sent(script, "/messages/batch") == {
        "messages": [
            {"body": "a", "content_type": "text"},
            {
                "body": {"cap-queue": 1, "key": "k", "text": "b"},
                "content_type": "json",
                "delay_seconds": 5,
            },
        ]
    }


def test_the_shortest_success_is_one(wire: Any) -> None:
    answer = wire.answer(200, b'{"success":true}')
    _, result = wire.run([answer], lambda queue: queue.send(b"a"))
    assert result is None


@pytest.mark.parametrize(
    ("named", "sent"),
    [
        ({}, {"batch_size": 10}),
        (
            {"limit": 100, "visibility_seconds": 43_200},
            {"batch_size": 100, "visibility_timeout_ms": 43_200_000},
        ),
    ],
)
def test_pull(wire: Any, named: dict[str, Any], sent: Any) -> None:
    script, found = wire.run([wire.pulled()], lambda queue: queue.pull(**named))
    assert found == ()
    assert _sent(script, "/messages/pull") == sent


def test_what_is_pulled(wire: Any) -> None:
    ours = {"cap-queue": 1, "key": "k", "base64": "/w=="}
    theirs = '{"greeting": "hello"}'
    answer = wire.pulled(
        {},
        {"body": base64.b64encode(json.dumps(ours).encode()).decode(), "attempts": 3.0,
         "metadata": {"CF-Content-Type": "json", "CF-sourceMessageSource": "api"}},
        {"body": base64.b64encode(theirs.encode()).decode(),
         "metadata": {"CF-Content-Type": "json"}},
        {"body": "AP8=", "metadata": {"CF-Content-Type": "bytes"}},
        {"metadata": None, "attempts": 0},
    )  # fmt: skip
    _, found = wire.run([answer], lambda queue: queue.pull())
    at = 1_700_000_000.123
    assert found == (
        Delivery("id-0", b"hello", "", 1, at, "~lease-0"),
        Delivery("id-1", b"\xff", "k", 3, at, "~lease-1"),
        Delivery("id-2", theirs.encode(), "", 1, at, "~lease-2"),
        Delivery("id-3", b"\x00\xff", "", 1, at, "~lease-3"),
        Delivery("id-4", b"hello", "", 1, at, "~lease-4"),
    )


def test_an_empty_answer_is_nothing(wire: Any) -> None:
    for result in ({}, {"messages": None}, {"messages": []}):
        _, found = wire.run([wire.envelope(result)], lambda queue: queue.pull())
        assert found == ()


def test_ack_and_retry(wire: Any) -> None:
    script, failed = wire.run(
        [wire.settled(acks=2)], lambda queue: queue.ack(["~one", "~two", "~one"])
    )
    assert failed is None
    acks = [{"lease_id": "one"}, {"lease_id": "two"}]
    assert _sent(script, "/messages/ack") == {"acks": acks, "retries": []}
    script, failed = wire.run([wire.settled(retries=1)], lambda queue: queue.retry(["~one"]))
    assert failed is None
    assert _sent(script, "/messages/ack") == {"acks": [], "retries": [{"lease_id": "one"}]}
    script, failed = wire.run(
        [wire.settled(retries=1)], lambda queue: queue.retry(["~one"], delay_seconds=600)
    )
    assert failed is None
    assert _sent(script, "/messages/ack")["retries"] == [{"lease_id": "one", "delay_seconds": 600}]


def test_no_leases_are_settled_without_a_request(wire: Any) -> None:
    async def use(queue: Any) -> None:
        await queue.ack([])
        await queue.retry((), delay_seconds=1)

    script, failed = wire.run([wire.settled()], use)
    assert failed is None
    assert script.connections == 0


LEASES = ["~a", "~b", "~c"]


@pytest.mark.parametrize(
    ("count", "warnings", "named"),
    [
        (3, {}, None),
        (3, {"b": "accepted late"}, None),
        (2, {"b": "no such lease"}, ["~b"]),
        (0, {"c": "-", "a": "-", "b": "-"}, LEASES),
        (2, {}, LEASES),
        (2, {"a": "-", "b": "-"}, LEASES),
        (1, {"other": "-", "b": "-"}, LEASES),
        (None, {"b": "-"}, ["~b"]),
        (None, {}, None),
    ],
)
@pytest.mark.parametrize("operation", ["ack", "retry"])
def test_leases_that_do_not_hold_are_named(
    wire: Any, operation: str, count: int | None, warnings: dict[str, str], named: Any
) -> None:
    result: dict[str, Any] = {"warnings": warnings}
    if count is not None:
        result["ackCount" if operation == "ack" else "retryCount"] = count
    _, failed = wire.run([wire.envelope(result)], lambda queue: getattr(queue, operation)(LEASES))
    if named is None:
        assert failed is None
    else:
        assert isinstance(failed, LeaseExpired)
        assert list(failed.leases) == named
        assert failed.outcome is Outcome.NOT_APPLIED
        assert failed.hint


def test_warnings_in_the_older_form_name_nobody(wire: Any) -> None:
    result = {"ackCount": 2, "warnings": ["a lease is unknown"]}
    _, failed = wire.run([wire.envelope(result)], lambda queue: queue.ack(LEASES))
    assert isinstance(failed, LeaseExpired)
    assert list(failed.leases) == LEASES


@pytest.mark.parametrize(
    "foreign", ["", "lease", "~", "x~lease", "-5~lease", "~é", "~a\nb", "9" * 16 + "~lease"]
)
def test_a_lease_of_nobody_is_named_and_not_sent(wire: Any, foreign: str) -> None:
    script, failed = wire.run([wire.settled(acks=1)], lambda queue: queue.ack([foreign, "~mine"]))
    assert isinstance(failed, LeaseExpired)
    assert failed.leases == (foreign,)
    assert _sent(script, "/messages/ack")["acks"] == [{"lease_id": "mine"}]
    script, failed = wire.run([wire.settled()], lambda queue: queue.ack([foreign]))
    assert isinstance(failed, LeaseExpired)
    assert script.connections == 0


def test_a_lease_ends_when_the_pull_said_by_the_injected_clock(wire: Any) -> None:
    """The service would accept it late, even from under somebody else."""

    async def main() -> None:
        clock = VirtualClock()
        answers = [wire.pulled({}, {}), wire.settled(acks=1), wire.settled(acks=1)]
        async with wire.script(*answers).running() as script:
            config = RemoteConfig("acc", "q", Secret(wire.token), script.url)
            async with RemoteQueue(config, clock=clock, rng=SeededRng()) as queue:
                one, other = await queue.pull(visibility_seconds=30)
                clock.advance(29.5)
                await queue.ack([one.lease])
                clock.advance(0.5)
                with pytest.raises(LeaseExpired) as expired:
                    await queue.retry([other.lease])
                assert expired.value.leases == (other.lease,)
                assert len(script.requests) == 2
                with pytest.raises(LeaseExpired) as expired:
                    await queue.ack([other.lease, "~live"])
                assert expired.value.leases == (other.lease,)
                sent = json.loads(script.requests[2].body)["acks"]
                assert sent == [{"lease_id": "live"}]

    asyncio.run(main())


def test_what_the_service_says_comes_before_what_ran_out(wire: Any) -> None:
    script, failed = wire.run([wire.refusal(503)], lambda queue: queue.ack(["0~ran-out", "~live"]))
    assert isinstance(failed, Unavailable)
    assert failed.outcome is Outcome.UNKNOWN
    assert len(script.requests) == 1


def test_what_is_refused_here_is_never_sent(wire: Any) -> None:
    async def use(queue: Any) -> int:
        refused = 0
        for call in (
            lambda: queue.send("text"),
            lambda: queue.send(b"a" * 128_001),
            lambda: queue.send(b"\xff" * 128_000),
            lambda: queue.send(b"a", key=b"k"),
            lambda: queue.send(b"a", key="\ud800"),
            lambda: queue.send(b"a", key="k" * 128_000),
            lambda: queue.send(b"a", delay_seconds=86_401),
            lambda: queue.send(b"a", delay_seconds=-1),
            lambda: queue.send(b"a", delay_seconds=1.5),
            lambda: queue.send(b"a", delay_seconds=True),
            lambda: queue.send_batch([Message(b"a")] * 101),
            lambda: queue.send_batch([Message(b"a" * 100_000)] * 3),
            lambda: queue.send_batch([Message(b"a"), Message(b"b", delay_seconds=-1)]),
            lambda: queue.send_batch([b"a"]),
            lambda: queue.send_batch(b"a"),
            lambda: queue.pull(limit=0),
            lambda: queue.pull(limit=101),
            lambda: queue.pull(limit="10"),
            lambda: queue.pull(visibility_seconds=0),
            lambda: queue.pull(visibility_seconds=43_201),
            lambda: queue.ack("~lease"),
            lambda: queue.ack([5]),
            lambda: queue.retry(None),
            lambda: queue.retry(["~lease"], delay_seconds=86_401),
        ):
            with pytest.raises(InvalidArgument) as caught:
                await call()
            assert caught.value.hint
            assert caught.value.outcome is Outcome.NOT_APPLIED
            refused += 1
        return refused

    script, refused = wire.run([wire.envelope()], use)
    assert refused == 24
    assert script.connections == 0
