"""What `remote` makes of the bridge's answers: results, refusals, and what is none of its own."""

from typing import Any

import pytest
from core_caps.capabilities.dedupe import Commit, Reservation
from core_caps.capabilities.durable_object import Item, ObjectRef
from core_caps.errors import (
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

pytestmark = pytest.mark.feature("PH2-09", "DC-04")
REF = ObjectRef(name="one")
LEASE = {"owner": "one", "lease_seconds": 60}


def put(objects: Any) -> Any:
    return objects.put(REF, "k", b"v")


def get(objects: Any) -> Any:
    return objects.get(REF, "k")


@pytest.mark.parametrize(
    ("status", "code", "error", "outcome"),
    [
        (400, "invalid_argument", InvalidArgument, Outcome.NOT_APPLIED),
        (401, "unauthenticated", Unauthenticated, Outcome.NOT_APPLIED),
        (403, "", PermissionDenied, Outcome.NOT_APPLIED),
        (404, "no_such_operation", ContainerNotFound, Outcome.NOT_APPLIED),
        (404, "", ContainerNotFound, Outcome.NOT_APPLIED),
        (405, "no_such_method", ContainerNotFound, Outcome.NOT_APPLIED),
        (412, "precondition_failed", PreconditionFailed, Outcome.NOT_APPLIED),
        (413, "", InvalidArgument, Outcome.NOT_APPLIED),
        (429, "", RateLimited, Outcome.NOT_APPLIED),
        (500, "internal", Unavailable, Outcome.UNKNOWN),
        (503, "overloaded", Unavailable, Outcome.UNKNOWN),
        (302, "", ProtocolViolation, Outcome.UNKNOWN),
        (201, "", ProtocolViolation, Outcome.UNKNOWN),
    ],
)
def test_a_refusal_states_its_outcome(wire: Any, status, code, error, outcome) -> None:
    answer = wire.refusal(status, code, "said by the bridge")
    _, refused = wire.run([answer], put)
    assert type(refused) is error
    assert refused.outcome is outcome
    assert refused.status == status
    assert ("said by the bridge" in refused.message) == bool(code)
    _, refused = wire.run([answer], get)
    assert type(refused) is error
    assert refused.outcome is Outcome.NOT_APPLIED


def test_a_refusal_tells_how_long_to_wait_and_no_secret(wire: Any) -> None:
    answer = wire.refusal(429, "slow_down", f"not you, {wire.token}\n", "Retry-After: 7")
    _, refused = wire.run([answer], put)
    assert refused.retry_after_seconds == 7
    assert wire.token not in str(refused)


MALFORMED = {
    "no result": b"{}",
    "no object": b"[]",
    "no JSON": b'{"result": nul',
    "an error as a success": b'{"error": {"code": "x", "message": "y"}}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_an_answer_that_is_not_the_bridges_is_refused(wire: Any, body: bytes) -> None:
    _, refused = wire.run([wire.answer(200, body)], put)
    assert type(refused) is ProtocolViolation
    assert refused.outcome is Outcome.UNKNOWN
    _, refused = wire.run([wire.answer(200, b'{"result": null}', "text/html")], get)
    assert type(refused) is ProtocolViolation


OBJECTS = {
    "a value that is a number": (get, 5),
    "a value that is no base64": (get, "not base64"),
    "a value of another write": (put, "dg=="),
    "too few values": (lambda o: o.get_many(REF, ["a", "b"]), ["dg=="]),
    "values by name": (lambda o: o.get_many(REF, ["a"]), {"a": "dg=="}),
    "a page without items": (lambda o: o.list(REF), {"more": False}),
    "a page that does not say more": (lambda o: o.list(REF), {"items": []}),
    "an item without value": (lambda o: o.list(REF), {"items": [["a"]], "more": False}),
    "an absent item": (lambda o: o.list(REF), {"items": [["a", None]], "more": False}),
    "more than was asked for": (
        lambda o: o.list(REF, limit=1),
        {"items": [["a", ""], ["b", ""]], "more": False},
    ),
    "more of nothing": (lambda o: o.list(REF), {"items": [], "more": True}),
    "an alarm without time": (lambda o: o.get_alarm(REF), {"rang": True}),
    "an alarm of words": (lambda o: o.get_alarm(REF), {"at_ms": "soon", "rang": True}),
    "an alarm in fractions": (lambda o: o.get_alarm(REF), {"at_ms": 1.5, "rang": True}),
    "no new id": (lambda o: o.new_id(), {"id": ""}),
    "a transaction's result": (lambda o: o.transaction(REF, [Item("a", b"")]), {}),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_result_of_another_shape_is_refused(wire: Any, name: str) -> None:
    use, result = OBJECTS[name]
    _, refused = wire.run([wire.result(result)], use)
    assert type(refused) is ProtocolViolation


def reserve(dedupe: Any) -> Any:
    return dedupe.reserve_many([Reservation("a"), Reservation("b")], **LEASE)


def commit(dedupe: Any) -> Any:
    return dedupe.commit_many([Commit("a")], owner="one", ttl_seconds=60)


LEDGERS = {
    "too few answers": (reserve, {"answers": [["fresh"]]}),
    "no answers": (reserve, {"answers": []}),
    "a word that is none": (reserve, {"answers": [["fresh"], ["mine"]]}),
    "a result that is no text": (reserve, {"answers": [["fresh"], ["done", None]]}),
    "a lease without end": (reserve, {"answers": [["fresh"], ["in_progress", True]]}),
    "nobody collides": (reserve, {"colliding": []}),
    "strangers collide": (reserve, {"colliding": ["c"]}),
    "strangers are lost": (commit, {"lost": ["c"]}),
    "nothing is said of losses": (commit, None),
}


@pytest.mark.feature("S3-07")
@pytest.mark.parametrize("name", LEDGERS)
def test_an_answer_of_another_shape_reserves_nothing(wire: Any, name: str) -> None:
    use, result = LEDGERS[name]
    _, refused = wire.run([wire.result(result)], use, capability="dedupe")
    assert type(refused) is ProtocolViolation
    assert refused.outcome is Outcome.UNKNOWN


@pytest.mark.feature("S3-13")
@pytest.mark.parametrize(
    "result",
    [
        None,
        {"inserted": 1, "sequence": 1, "first_seen_ms": 1},
        {"inserted": True, "sequence": 0, "first_seen_ms": 1},
        {"inserted": True, "sequence": 1, "first_seen_ms": "now"},
        {"colliding": ["other"]},
    ],
)
def test_an_entry_of_another_shape_is_refused(wire: Any, result: Any) -> None:
    _, refused = wire.run(
        [wire.result(result)], lambda s: s.append("k", b"p"), capability="sequencer"
    )
    assert type(refused) is ProtocolViolation
    assert refused.outcome is Outcome.UNKNOWN
