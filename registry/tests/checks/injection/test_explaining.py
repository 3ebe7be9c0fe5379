"""What may be answered in several ways is followed; what no honest service answers is told."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from core_caps.capabilities.queue import Delivery
from core_caps.contract.queue import CONTRACT
from core_caps.contract.suite import Call, Result
from flows_registry.checks.injection.explaining import mismatch_in_turn
from flows_registry.lab.case import Case, CaseRun, ErrorFacts, Step
from flows_registry.lab.faults import Fault

pytestmark = pytest.mark.feature("CK-05", "PH2-06")

PULL = Call("pull", (), {"visibility_seconds": 600})


def send(body: bytes) -> Call:
    return Call("send", (body,), {"delay_seconds": 0})


def gave(*bodies: bytes) -> Step:
    return Step([Delivery("id", body, "", 1, 0.0, "lease") for body in bodies])


def failed(name: str, outcome: str = "not_applied") -> Step:
    ancestors = (f"core_caps.errors:{name}", "core_caps.errors:ProviderError")
    return Step(error=ErrorFacts(name, outcome=outcome, ancestors=ancestors))


def ran(
    calls: Sequence[Call],
    steps: Sequence[Step],
    look: Sequence[Step],
    *,
    faults: Sequence[Fault] = (),
) -> CaseRun:
    """A history and the pulls that looked at what it left."""
    case = Case("history", "queue/1", "remote", calls, probe=(PULL,) * len(look), faults=faults)
    return CaseRun(case, steps=tuple(steps), probe=tuple(look))


DONE = Step(None)


def test_any_order_and_any_repeat_is_explained() -> None:
    calls = [send(b"a"), send(b"b"), PULL]
    run = ran(calls, [DONE, DONE, gave(b"b", b"a", b"b")], [gave(b"a"), gave()])
    assert mismatch_in_turn(CONTRACT, run) is None


def test_what_was_sent_and_never_comes_is_told() -> None:
    found = mismatch_in_turn(
        CONTRACT, ran([send(b"a"), send(b"b")], [DONE, DONE], [gave(b"a"), gave()])
    )
    assert found is not None
    assert found.at is None
    assert found.want == ("value", [(b"b", "")])
    assert found.given == ("value", [])


def test_a_settled_lease_is_followed_from_call_to_call() -> None:
    ack = Call("ack", (Result(1, "*.lease"),))
    calls = [send(b"a"), PULL, ack, ack]
    expired = failed("LeaseExpired")
    run = ran(calls, [DONE, gave(b"a"), DONE, expired], [gave()])
    assert mismatch_in_turn(CONTRACT, run) is None
    accepted = replace(run, steps=(DONE, gave(b"a"), DONE, DONE))
    found = mismatch_in_turn(CONTRACT, accepted)
    assert found is not None
    assert (found.at, found.want) == (3, ("error", "LeaseExpired"))


@pytest.mark.parametrize(
    ("outcome", "may_come", "may_not_come"),
    [("unknown", True, True), ("applied", True, False), ("not_applied", False, True)],
)
def test_a_lost_send_comes_as_its_outcome_says(
    outcome: str, may_come: bool, may_not_come: bool
) -> None:
    lost = failed("Unavailable", outcome)
    faults = (Fault("reset after commit", 0),)
    for look, explained in ((gave(b"a"), may_come), (gave(), may_not_come)):
        run = ran([send(b"a")], [lost], [look], faults=faults)
        assert (mismatch_in_turn(CONTRACT, run) is None) is explained


def test_a_failure_that_nothing_lost_is_told() -> None:
    found = mismatch_in_turn(CONTRACT, ran([send(b"a")], [failed("Unavailable")], []))
    assert found is not None
    assert found.want == ("value", None)
