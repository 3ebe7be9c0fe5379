"""Every key of a keyed write reaches the service with every attempt, a batch's keys included."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from core_caps.capabilities.queue import Message, Queue
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import OperationClaim
from core_caps.claims.operation import Repeat, operations_of
from core_caps.contract.codec import Foreign
from core_caps.contract.suite import Call, Exercise
from flows_registry.checks.injection.keys import key_trials, keys_of, never_keyed
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.case import Case, CaseRun, Exchange, Step

pytestmark = pytest.mark.feature("CK-03", "PH2-06")

BATCH = Call("send_batch", ([Message(b"a", key="first"), Message(b"b", key="zweites/é")],))
BARE = Call("send_batch", ([Message(b"a", key="first"), Message(b"b")],))
CLAIM = OperationClaim(
    ("resource::queue::publish",),
    Effects.EFFECTFUL,
    Determinism.NONDETERMINISTIC,
    Repeat.KEYED,
    key="messages.key",
    key_at=0,
    travels=True,
)


def written(number: int, *carried: int) -> Exchange:
    lost = "reset after commit" if number == 0 else None
    return Exchange(
        number, "POST", "queue", 443, "/messages", lost, 200, True, True, 0, "", "", carried=carried
    )


HEALTHY = Case("batch", "queue/1", "remote", (BATCH,))


def plan() -> Any:
    backend = SimpleNamespace(safe_posts=())
    subject = SimpleNamespace(manifest=SimpleNamespace(backends={"remote": backend}))
    lab: Any = None
    return Plan(subject, lab, "plugin")  # type: ignore[arg-type]


def codes(claim: OperationClaim, exchanges: Sequence[Exchange], state: str = "both") -> set[str]:
    """What is said of a batch that was made twice and sent these requests."""
    exercise = Exercise("send_batch", BATCH)
    base: Any = SimpleNamespace(
        name="remote/batch",
        exercise=exercise,
        claim=claim,
        capability=SimpleNamespace(contract="queue/1"),
        run=CaseRun(HEALTHY, exchanges=(written(0, 0, 1),), state_after="both"),
        problem=None,
    )
    ((case, judge),) = key_trials(plan(), "remote", [base])
    run = CaseRun(
        case,
        steps=(Step(), Step()),
        exchanges=tuple(exchanges),
        consumed=(True,),
        state_after=state,
    )
    return {finding.code for finding in judge(run)}


def test_a_batch_has_the_keys_of_all_its_items_or_none() -> None:
    assert keys_of(CLAIM, BATCH) == ("first", "zweites/é")
    assert keys_of(CLAIM, BARE) == ()
    assert keys_of(CLAIM, replace(BATCH, args=(), kwargs={"messages": BATCH.args[0]}))


def test_keys_of_a_third_partys_items_are_read_without_their_class() -> None:
    letters = [Foreign("cap_mail:Letter", {"key": "a"}), Foreign("cap_mail:Letter", {"key": "b"})]
    assert keys_of(CLAIM, Call("send_batch", (letters,))) == ("a", "b")
    assert keys_of(replace(CLAIM, key="messages.name"), Call("send_batch", (letters,))) == ()


def test_a_batch_is_looked_for_in_every_form_of_every_key() -> None:
    base: Any = Baseline(
        SimpleNamespace(contract="queue/1"),  # type: ignore[arg-type]
        Exercise("send_batch", BATCH),
        CLAIM,
        CaseRun(HEALTHY, steps=(Step(),), exchanges=(written(0),)),
    )
    ((case, _),) = key_trials(plan(), "remote", [base])
    first, second = case.perturbation["marks"]
    assert "first" in first
    assert {"zweites/é", "zweites%2F%C3%A9", "zweites/é".encode().hex()} <= set(second)


def test_only_what_every_item_has_counts_as_keyed() -> None:
    def declared(call: Call) -> Any:
        return SimpleNamespace(claims={"send_batch": CLAIM}, exercises=[Exercise("batch", call)])

    assert never_keyed(declared(BARE)) == ["send_batch"]
    assert never_keyed(declared(BATCH)) == []


@pytest.mark.parametrize(
    ("carried", "found"),
    [
        ([(0, 1), (0, 1)], set()),
        ([(0,), (0,), (1,)], set()),
        ([(), (0, 1)], {"IDEM021"}),
        ([(0, 1), ()], {"IDEM021"}),
        ([(0, 1), (0,)], {"IDEM021"}),
        ([(0,), (0, 1)], {"IDEM021"}),
        ([(0,), (0,)], {"IDEM021"}),
    ],
)
def test_every_item_of_a_batch_sends_its_key(
    carried: Sequence[tuple[int, ...]], found: set[str]
) -> None:
    assert codes(CLAIM, [written(n, *marks) for n, marks in enumerate(carried)]) == found


def test_what_a_receiver_knows_by_its_key_may_arrive_twice() -> None:
    sent = [written(0, 0, 1), written(1, 0, 1)]
    assert codes(CLAIM, sent, state="each twice") == set()
    assert codes(replace(CLAIM, travels=False), sent, state="each twice") == {"INJECT003"}


def test_sending_to_a_queue_is_keyed_and_its_keys_travel() -> None:
    operations = operations_of(Queue)
    assert (operations["send"].key, operations["send"].key_at) == ("key", None)
    assert (operations["send_batch"].key, operations["send_batch"].key_at) == ("messages.key", 0)
    assert all(operations[name].travels for name in ("send", "send_batch"))
