"""What each claim of consistency promises of calls that overlap, and the call that breaks it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from core_caps.capabilities.http import Http, Response
from core_caps.capabilities.key_value import Entry, KeyInfo, KeyValue, Page
from core_caps.capabilities.queue import Delivery, Queue
from core_caps.capabilities.sequencer import Appended, Sequencer
from core_caps.claims.manifest import OperationClaim
from core_caps.claims.operation import operations_of
from core_caps.contract import http, kv, queue, sequencer
from core_caps.contract.suite import Call, Contract, Result
from flows_registry.checks.injection.footprints import Footprints
from flows_registry.checks.injection.made import Made, made_of
from flows_registry.checks.injection.orders import Budget, GaveUp
from flows_registry.checks.injection.strength import Strength
from flows_registry.lab.case import Case, CaseRun, ErrorFacts, Step, Turn
from flows_registry.lab.faults import Fault

pytestmark = pytest.mark.feature("P4-04", "AL-08")


def claims_of(protocol: type) -> dict[str, OperationClaim]:
    """What the operations of a capability claim where nobody deviates."""
    return {
        name: OperationClaim(
            (operation.hint,),
            operation.floor.effects,
            operation.floor.determinism,
            operation.repeat,
            key=operation.key,
            key_at=operation.key_at,
        )
        for name, operation in operations_of(protocol).items()
    }


PROTOCOLS = {"http": Http, "kv": KeyValue, "queue": Queue, "sequencer": Sequencer}
CLAIMS = {name: claims_of(protocol) for name, protocol in PROTOCOLS.items()}
LADDER = ("unknown", "eventual", "per_key", "read_your_writes", "linearizable")
LOST = ErrorFacts(
    "Unavailable",
    outcome="unknown",
    ancestors=("core_caps.errors:Unavailable", "core_caps.errors:ProviderError"),
)


def put(value: bytes, key: str = "a") -> Call:
    return Call("put", (key, value))


GET = Call("get", ("a",))
LOOK = Call("get_with_metadata", ("a",))
LIST = Call("list")


def holds(value: bytes | None) -> Step:
    return Step(None if value is None else Entry(value, None))


def lists(*keys: str) -> Step:
    return Step(Page(tuple(KeyInfo(key, None, None) for key in keys), None))


def history(
    *taken: tuple[int, int, int, Call, object], look: Sequence[tuple[Call, Step]] = ()
) -> CaseRun:
    """Calls as (client, moment of the beginning, moment of the end, call, answer), and looks at
    what they left."""
    turns = [Turn(client) for client, *_ in taken]
    steps = [
        replace(answer if isinstance(answer, Step) else Step(answer), moments=(begin, end))
        for _, begin, end, _, answer in taken
    ]
    looks = [replace(step, moments=(100 + n, 100 + n)) for n, (_, step) in enumerate(look)]
    case = Case(
        "history",
        "kv/1",
        "remote",
        [call for *_, call, _ in taken],
        turns=turns,
        probe=[call for call, _ in look],
        faults=(Fault("reset after commit"),),
    )
    return CaseRun(case, steps=tuple(steps), probe=tuple(looks))


def breaks(
    run: CaseRun, promised: str, contract: Contract = kv.CONTRACT, budget: int = 10_000
) -> Made | None:
    """The call that goes apart from the claim."""
    made = made_of(contract, run)
    strength = Strength(contract, CLAIMS[contract.spec.name], promised, Footprints(contract))
    found = strength.broken_by(made, Budget(budget))
    return None if found is None else made[found.number]


def broken(run: CaseRun) -> set[str]:
    """The claims that a history breaks."""
    return {promised for promised in LADDER if breaks(run, promised) is not None}


def test_calls_that_overlap_may_come_in_either_order() -> None:
    for seen in (b"1", b"2"):
        run = history((0, 0, 5, put(b"1"), None), (1, 1, 6, put(b"2"), None), (2, 7, 8, GET, seen))
        assert broken(run) == set()


def test_what_ended_before_another_began_comes_before_it() -> None:
    stale = history((0, 0, 1, put(b"1"), None), (1, 2, 3, put(b"2"), None), (2, 4, 5, GET, b"1"))
    assert broken(stale) == {"per_key", "read_your_writes", "linearizable"}
    found = breaks(stale, "linearizable")
    assert found is not None
    assert (found.call, found.client) == (GET, 2)


def test_what_nobody_wrote_is_read_under_no_claim() -> None:
    invented = history((0, 0, 1, put(b"1"), None), (1, 2, 3, GET, b"2"))
    assert broken(invented) == set(LADDER) - {"unknown"}
    early = history((1, 0, 1, GET, b"1"), (0, 2, 3, put(b"1"), None))
    assert broken(early) == set(LADDER) - {"unknown"}


def test_a_late_read_may_be_of_several_moments_where_it_may_be_late() -> None:
    both = [Call("put", ("a", value), {"metadata": {"of": name}}) for value, name in
            ((b"1", "one"), (b"2", "two"))]  # fmt: skip
    torn = history(
        (0, 0, 1, both[0], None),
        (0, 2, 3, both[1], None),
        (1, 4, 5, LOOK, Entry(b"1", {"of": "two"})),
    )
    assert broken(torn) == {"per_key", "read_your_writes", "linearizable"}
    half = history((0, 0, 1, both[0], None), (1, 4, 5, LOOK, Entry(b"1", None)))
    assert "eventual" in broken(half)


def test_keys_have_orders_of_their_own_unless_one_of_all_is_claimed() -> None:
    run = history(
        (0, 0, 1, put(b"1", "a"), None),
        (0, 2, 3, put(b"1", "b"), None),
        (1, 4, 5, LIST, lists("b")),
    )
    assert broken(run) == {"linearizable"}
    own = history(
        (0, 0, 1, put(b"1", "a"), None),
        (0, 2, 3, put(b"1", "b"), None),
        (0, 4, 5, LIST, lists("b")),
    )
    assert broken(own) == {"linearizable", "read_your_writes"}


def test_a_lost_write_may_come_at_any_time_later_or_never() -> None:
    for seen in ([None, b"1"], [b"1", b"1"], [None, None]):
        run = history(
            (0, 0, 1, put(b"1"), Step(error=LOST)),
            (1, 2, 3, GET, seen[0]),
            (1, 4, 5, GET, seen[1]),
            look=[(LOOK, holds(seen[1]))],
        )
        assert broken(run) == set()
    gone = history(
        (0, 0, 1, put(b"1"), Step(error=LOST)), (1, 2, 3, GET, b"1"), (1, 4, 5, GET, None)
    )
    assert broken(gone) == {"per_key", "read_your_writes", "linearizable"}


@pytest.mark.parametrize(("outcome", "there"), [("applied", True), ("not_applied", False)])
def test_what_the_error_of_a_lost_write_says_is_so(outcome: str, there: bool) -> None:
    lost = Step(error=replace(LOST, outcome=outcome))
    for seen in (b"1", None):
        run = history((0, 0, 1, put(b"1"), lost), look=[(LOOK, holds(seen))])
        assert (broken(run) == set()) is ((seen is not None) is there)


def test_who_gives_way_to_another_is_explained_where_there_was_another() -> None:
    ancestors = ("core_caps.errors:Conflict", "core_caps.errors:ProviderError")
    gave_way = Step(error=ErrorFacts("Conflict", outcome="not_applied", ancestors=ancestors))
    for begin, explained in ((0, True), (6, False)):
        run = history((0, begin, 9, put(b"1"), gave_way), (1, 2, 5, put(b"2"), None))
        assert (breaks(run, "linearizable") is None) is explained


def test_in_the_end_every_write_has_been_made_whatever_is_claimed() -> None:
    writes = [(0, 0, 3, put(b"1"), None), (1, 1, 4, put(b"2"), None)]
    for left in (b"1", b"2"):
        assert broken(history(*writes, look=[(LOOK, holds(left))])) == set()
    assert broken(history(*writes, look=[(LOOK, holds(None))])) == set(LADDER)
    in_turn = [(0, 0, 1, put(b"1"), None), (0, 2, 3, put(b"2"), None)]
    assert broken(history(*in_turn, look=[(LOOK, holds(b"1"))])) == set(LADDER)


def test_what_a_perfect_service_answers_is_told() -> None:
    made = made_of(kv.CONTRACT, history((0, 0, 1, put(b"1"), None), (1, 2, 3, GET, b"2")))
    strength = Strength(kv.CONTRACT, CLAIMS["kv"], "linearizable", Footprints(kv.CONTRACT))
    found = strength.broken_by(made, Budget())
    assert found is not None
    assert found.wants == (("value", b"1"),)


def test_a_search_that_is_too_long_is_given_up_and_says_so() -> None:
    run = history(*((n, 0, 50, put(bytes([n])), None) for n in range(9)), (9, 60, 61, GET, b"x"))
    with pytest.raises(GaveUp):
        breaks(run, "linearizable", budget=500)


def test_ways_that_meet_are_one() -> None:
    writes = [(n, 0, 50, put(b"1"), None) for n in range(7)]
    found = breaks(history(*writes, (9, 60, 61, GET, b"x")), "linearizable", budget=4_000)
    assert found is not None


def test_what_numbers_all_keys_alike_is_one_thing() -> None:
    appended = [Call("append", (key, b"")) for key in ("a", "b")]
    run = history(
        (0, 0, 1, appended[0], Appended(True, 1, 0.0)),
        (1, 2, 3, appended[1], Appended(True, 2, 0.0)),
    )
    for promised in LADDER:
        assert breaks(run, promised, sequencer.CONTRACT) is None


def test_calls_that_share_a_key_are_judged_together() -> None:
    def call(operation: str, path: str, status: int, **key: str) -> tuple[Call, Response]:
        url = f"https://site.example/{path}"
        answer = Response(status, {}, b"", url, operation.upper())
        return Call(operation, (url, b"x"), key), answer

    run = history(
        (0, 0, 4, *call("patch", "one", 204, idempotency_key="k")),
        (1, 1, 5, *call("put", "one", 201)),
        (2, 2, 3, *call("put", "two", 201)),
        (2, 6, 7, *call("patch", "two", 422, idempotency_key="k")),
    )
    assert breaks(run, "linearizable", http.CONTRACT) is None


def test_a_lost_post_is_there_when_what_another_made_is_looked_at() -> None:
    url = "https://site.example/list"

    def answer(method: str, path: str, status: int, body: bytes = b"", **headers: str) -> Response:
        told = {"content-type": "application/octet-stream"} if body else {}
        return Response(status, told | headers, body, f"https://site.example/{path}", method)

    run = history(
        (0, 0, 1, Call("post", (url, b"first")), Step(error=LOST)),
        (1, 2, 3, Call("post", (url, b"second")), answer("POST", "list", 201, location="/list/2")),
        look=[
            (Call("get", (f"{url}/{number}",)), Step(answer("GET", f"list/{number}", 200, body)))
            for number, body in ((1, b"first"), (2, b"second"))
        ],
    )
    assert breaks(run, "unknown", http.CONTRACT) is None


class Diary:
    """A model that remembers more than its state shows."""

    def __init__(self) -> None:
        self._notes: list[object] = []

    def apply(self, call: Call) -> object:
        if call.operation == "list":
            return list(self._notes)
        self._notes += call.args[:1]
        return None

    def state(self) -> object:
        return len(self._notes)


def test_an_order_is_found_also_where_the_state_does_not_show_it() -> None:
    def as_it_is(call: Call, result: object) -> object:
        return result

    def all_notes(calls: Sequence[Call]) -> Sequence[Call]:
        return [LIST]

    diary = replace(kv.CONTRACT, model=Diary, comparable=as_it_is, read_back=all_notes)
    writes = [(0, 0, 8, put(b"", "a"), None), (1, 1, 9, put(b"", "b"), None)]
    for seen, explained in ((["b", "a"], True), (["b", "b"], False)):
        run = history(*writes, (2, 10, 11, LIST, seen))
        assert (breaks(run, "linearizable", diary) is None) is explained


def test_a_dead_clients_call_was_made_or_not_and_nothing_between() -> None:
    whole = Call("put", ("a", b"1"), {"metadata": {"a": 1}})
    case = Case("death", "kv/1", "remote", [LOOK, whole], victim=[whole], probe=[LOOK])
    for seen, explained in (
        (None, True), (Entry(b"1", {"a": 1}), True), (Entry(b"1", None), False),
    ):  # fmt: skip
        after = Step(Entry(b"1", {"a": 1}), moments=(5, 6))
        steps = (Step(seen, moments=(1, 2)), Step(None, moments=(3, 4)))
        run = CaseRun(case, steps=steps, probe=(after,), died=True)
        assert (broken(run) == set()) is explained
        assert ("eventual" in broken(run)) is not explained


PULL = Call("pull", (), {"visibility_seconds": 600})


def gave(*bodies: bytes) -> Step:
    return Step([Delivery("id", body, "", 1, 0.0, "lease") for body in bodies])


def at_once(*taken: tuple[Call, Step], look: Sequence[tuple[Call, Step]]) -> CaseRun:
    """Calls of a queue, made all at once after a message was sent."""
    case = Case(
        "history",
        "queue/1",
        "remote",
        [call for call, _ in taken],
        setup=[Call("send", (b"a",), {"delay_seconds": 0})],
        probe=[call for call, _ in look],
        concurrent=True,
    )
    return CaseRun(
        case,
        setup=(replace(Step(None), moments=(-2, -1)),),
        steps=tuple(replace(step, moments=(0, 9)) for _, step in taken),
        probe=tuple(
            replace(step, moments=(10 + 2 * n, 11 + 2 * n)) for n, (_, step) in enumerate(look)
        ),
    )


@pytest.mark.parametrize("promised", ["unknown", "linearizable"])
def test_a_queue_is_followed_in_every_order(promised: str) -> None:
    calls = [(PULL, gave(b"b")), (Call("send", (b"b",), {"delay_seconds": 0}), Step(None))]
    found = [(PULL, gave(b"a")), (PULL, gave())]
    assert breaks(at_once(*calls, look=found), promised, queue.CONTRACT) is None
    lost = [(PULL, gave()), (PULL, gave())]
    assert breaks(at_once(*calls, look=lost), promised, queue.CONTRACT) is not None


def test_a_look_uses_what_calls_at_once_gave_whatever_their_order() -> None:
    again = [Call("retry", (Result(n, "*.lease"),), {"delay_seconds": 0}) for n in (1, 2)]
    calls = [(PULL, gave(b"a")), (PULL, gave())]
    done = Step(None)
    look = [(again[1], done), (PULL, gave()), (again[0], done), (PULL, gave(b"a"))]
    assert breaks(at_once(*calls, look=look), "linearizable", queue.CONTRACT) is None
    swapped = [calls[1], calls[0]]
    assert breaks(at_once(*swapped, look=look), "linearizable", queue.CONTRACT) is not None
