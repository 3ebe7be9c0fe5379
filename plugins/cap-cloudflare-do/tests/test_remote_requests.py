"""What `remote` asks of the bridge: one request each, as the protocol documents it."""

import json
from typing import Any

import pytest
from core_caps.capabilities.dedupe import Commit, Done, Fresh, InProgress, Reservation
from core_caps.capabilities.durable_object import Alarm, Item, ItemPage, ObjectRef
from core_caps.capabilities.sequencer import Appended
from core_caps.errors import ClientClosed, InvalidArgument, KeyCollision, LeaseExpired

pytestmark = pytest.mark.feature("PH2-09", "DC-04")
REF = ObjectRef(name="one")
ONE = {"object": {"name": "one"}}
LEDGER = {"object": {"name": "ledger"}}
FAR = 4_102_444_800.0

OBJECT_CALLS = {
    "get": (lambda o: o.get(REF, "k"), {**ONE, "key": "k"}, "dg==", b"v"),
    "get of nothing": (lambda o: o.get(REF, "k"), {**ONE, "key": "k"}, None, None),
    "get_many": (
        lambda o: o.get_many(REF, ["a", "b"]),
        {**ONE, "keys": ["a", "b"]},
        ["", None],
        {"a": b"", "b": None},
    ),
    "list": (
        lambda o: o.list(REF, prefix="a", start_after="b", end="c", limit=2, reverse=True),
        {
            **ONE,
            "prefix": "a",
            "start": None,
            "start_after": "b",
            "end": "c",
            "limit": 2,
            "reverse": True,
        },
        {"items": [["ab", "dg=="]], "more": True},
        ItemPage((Item("ab", b"v"),), more=True),
    ),
    "get_alarm": (
        lambda o: o.get_alarm(REF),
        ONE,
        {"at_ms": 1500, "rang": True},
        Alarm(1.5, rang=True),
    ),
    "put": (
        lambda o: o.put(REF, "k", bytearray(b"\xff")),
        {**ONE, "key": "k", "value": "/w=="},
        None,
        None,
    ),
    "delete": (lambda o: o.delete(REF, "k"), {**ONE, "key": "k"}, None, None),
    "delete_all": (
        lambda o: o.delete_all(ObjectRef(id="ab")),
        {"object": {"id": "ab"}},
        None,
        None,
    ),
    "transaction": (
        lambda o: o.transaction(
            REF, [Item("a", b""), Item("b", None)], if_values=[Item("c", None)]
        ),
        {**ONE, "changes": [["a", ""], ["b", None]], "if_values": [["c", None]]},
        None,
        None,
    ),
    "set_alarm": (
        lambda o: o.set_alarm(REF, FAR + 0.0014),
        {**ONE, "at_ms": 4_102_444_800_001},
        None,
        None,
    ),
    "delete_alarm": (lambda o: o.delete_alarm(REF), {**ONE, "at_ms": None}, None, None),
    "delete_alarm of a time": (
        lambda o: o.delete_alarm(REF, at=FAR),
        {**ONE, "at_ms": 4_102_444_800_000},
        None,
        None,
    ),
    "new_id": (lambda o: o.new_id(), {}, {"id": "ab"}, ObjectRef(id="ab")),
}


@pytest.mark.parametrize("name", OBJECT_CALLS)
def test_an_operation_is_one_request(wire: Any, name: str) -> None:
    use, content, result, wanted = OBJECT_CALLS[name]
    script, found = wire.run([wire.result(result)], use)
    (request,) = script.requests
    assert request.method == "POST"
    assert request.target == f"/v1/{name.partition(' ')[0]}"
    assert json.loads(request.body) == content
    assert request.headers["authorization"] == f"Bearer {wire.token}"
    assert request.headers["content-type"] == "application/json"
    assert found == wanted


LEASE = {"owner": "one", "lease_seconds": 60}
TTL = {"owner": "one", "ttl_seconds": 600}

LEDGER_CALLS = {
    "reserve": (
        lambda d: d.reserve("k", **LEASE, payload=b"p"),
        "reserve_many",
        {**LEDGER, "reservations": [["k", "cA=="]], **LEASE},
        {"answers": [["in_progress", 5]]},
        InProgress(5.0),
    ),
    "reserve_many": (
        lambda d: d.reserve_many([Reservation("a"), Reservation("b")], **LEASE),
        "reserve_many",
        {**LEDGER, "reservations": [["a", ""], ["b", ""]], **LEASE},
        {"answers": [["fresh"], ["done", "cg=="]]},
        (Fresh(), Done(b"r")),
    ),
    "commit": (
        lambda d: d.commit("k", result=b"r", **TTL),
        "commit_many",
        {**LEDGER, "commits": [["k", "cg=="]], **TTL},
        {"lost": []},
        None,
    ),
    "commit_many": (
        lambda d: d.commit_many([Commit("a"), Commit("b", b"r")], **TTL),
        "commit_many",
        {**LEDGER, "commits": [["a", ""], ["b", "cg=="]], **TTL},
        {"lost": []},
        None,
    ),
    "release": (
        lambda d: d.release("k", owner="one"),
        "release_many",
        {**LEDGER, "keys": ["k"], "owner": "one"},
        None,
        None,
    ),
    "release_many": (
        lambda d: d.release_many(["a", "b", "a"], owner="one"),
        "release_many",
        {**LEDGER, "keys": ["a", "b"], "owner": "one"},
        None,
        None,
    ),
}


@pytest.mark.feature("S3-07")
@pytest.mark.parametrize("name", LEDGER_CALLS)
def test_a_batch_is_one_request(wire: Any, name: str) -> None:
    use, operation, content, result, wanted = LEDGER_CALLS[name]
    script, found = wire.run([wire.result(result)], use, capability="dedupe")
    (request,) = script.requests
    assert request.target == f"/v1/{operation}"
    assert json.loads(request.body) == content
    assert found == wanted


@pytest.mark.feature("S3-07", "S3-13")
def test_what_the_ledger_refuses_is_named(wire: Any) -> None:
    reservations = [Reservation("a", b"p"), Reservation("b")]
    _, error = wire.run(
        [wire.result({"colliding": ["a"]})],
        lambda d: d.reserve_many(reservations, **LEASE),
        capability="dedupe",
    )
    assert isinstance(error, KeyCollision)
    assert error.keys == ("a",)
    _, error = wire.run(
        [wire.result({"lost": ["b"]})],
        lambda d: d.commit_many([Commit("a"), Commit("b")], **TTL),
        capability="dedupe",
    )
    assert isinstance(error, LeaseExpired)
    assert error.leases == ("b",)


@pytest.mark.feature("S3-13")
def test_a_payload_is_sent_as_its_digest(wire: Any) -> None:
    def use(s: Any) -> Any:
        return s.append("k", b"a" * 1_000_000)

    result = {"inserted": False, "sequence": 7, "first_seen_ms": 1500}
    script, found = wire.run([wire.result(result)], use, capability="sequencer")
    assert found == Appended(False, 7, 1.5)
    sent = json.loads(script.requests[0].body)
    assert script.requests[0].target == "/v1/append"
    assert sent["key"] == "k"
    assert len(sent["digest"]) == 64
    _, error = wire.run([wire.result({"colliding": ["k"]})], use, capability="sequencer")
    assert isinstance(error, KeyCollision)
    assert error.keys == ("k",)


def test_a_namespace_is_put_before_names_and_not_before_ids(wire: Any) -> None:
    async def use(objects: Any) -> None:
        await objects.get(REF, "k")
        await objects.get(ObjectRef(id="ab"), "k")

    script, _ = wire.run([wire.result()], use, namespace="staging")
    asked = [json.loads(request.body)["object"] for request in script.requests]
    assert asked == [{"name": "staging/one"}, {"id": "ab"}]
    script, _ = wire.run(
        [wire.result()],
        lambda d: d.release("k", owner="one"),
        capability="dedupe",
        namespace="staging",
        ledger="orders",
    )
    assert json.loads(script.requests[0].body)["object"] == {"name": "staging/orders"}


def test_what_is_refused_or_empty_sends_nothing(wire: Any) -> None:
    async def use(objects: Any) -> None:
        with pytest.raises(InvalidArgument):
            await objects.put(REF, "", b"v")
        with pytest.raises(InvalidArgument):
            await objects.transaction(REF, [Item("a", b""), Item("a", b"")])

    script, _ = wire.run([wire.result()], use)
    assert script.requests == []

    async def nothing(dedupe: Any) -> None:
        assert await dedupe.reserve_many([], **LEASE) == ()
        await dedupe.commit_many([], **TTL)
        await dedupe.release_many([], owner="one")

    script, _ = wire.run([wire.result()], nothing, capability="dedupe")
    assert script.requests == []


def test_a_client_outside_its_block_is_closed(wire: Any) -> None:
    client = wire.client("http://127.0.0.1:9")
    with pytest.raises(ClientClosed):
        client.new_id().send(None)
    assert wire.token not in repr(client)
