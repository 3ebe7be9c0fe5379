"""Stubs hand on what they are called with; a session's context is its object."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from core_caps import limited
from core_caps.calls.retrying import Policy, retrying
from core_caps.capabilities.durable_object import (
    Alarm,
    DurableObject,
    DurableObjectReader,
    Item,
    ItemPage,
    ObjectRef,
)
from core_caps.capabilities.object_stub import DurableObjectContext, Namespace
from core_caps.claims.hints import HINTS
from core_caps.claims.lattice import Claim, Determinism, Effects, join
from core_caps.claims.operation import operations_of, spec_of
from core_caps.clock import VirtualClock
from core_caps.errors import DeterminismTooStrong, Outcome, PreconditionFailed, Unavailable

WRITES = {"put", "delete", "delete_all", "transaction", "set_alarm", "delete_alarm"}


class Recorder:
    """Answers anything, and tells what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked = answers, []

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **named: Any) -> Any:
            self.asked.append((name, args, named))
            answer = self.answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@pytest.mark.feature("PH2-09")
def test_a_stub_has_every_operation_on_its_own_object() -> None:
    async def main() -> None:
        page = ItemPage((Item("a", b"1"),))
        recorder = Recorder(get=b"v", list=page, get_alarm=Alarm(5.0, False), get_many={"a": None})
        stub = Namespace(recorder).by_name("n")
        assert await stub.get("a") == b"v"
        assert await stub.get_many(["a"]) == {"a": None}
        assert await stub.list(prefix="a", end="b", reverse=True) is page
        assert await stub.get_alarm() == Alarm(5.0, False)
        await stub.put("a", b"1")
        await stub.put_many({"a": b"1", "b": b"2"})
        await stub.delete("a")
        await stub.delete_many(["a", "b", "a"])
        await stub.delete_all()
        await stub.transaction([Item("a", None)], if_values=[Item("b", b"")])
        await stub.set_alarm(5.0)
        await stub.delete_alarm(at=5.0)
        assert {name for name, *_ in recorder.asked} == set(operations_of(DurableObject)) - {
            "new_id"
        }
        assert {args[0] for _, args, _ in recorder.asked} == {ObjectRef(name="n")}
        batches = [args[1] for name, args, _ in recorder.asked if name == "transaction"]
        assert batches == [
            [Item("a", b"1"), Item("b", b"2")],
            [Item("a", None), Item("b", None)],
            [Item("a", None)],
        ]

    asyncio.run(main())


@pytest.mark.feature("PH2-09")
def test_an_object_is_found_by_name_by_id_and_anew() -> None:
    async def main() -> None:
        namespace = Namespace(Recorder(new_id=ObjectRef(id="new")))
        assert namespace.by_name("a").ref == ObjectRef(name="a")
        assert namespace.by_id("a").ref == ObjectRef(id="a")
        assert (await namespace.new_id()).ref == ObjectRef(id="new")

    asyncio.run(main())


@pytest.mark.feature("PH2-09")
def test_compare_and_set_is_a_transaction_whose_failure_is_an_answer() -> None:
    async def main() -> None:
        recorder = Recorder()
        assert await Namespace(recorder).by_name("n").compare_and_set("k", None, b"1")
        (asked,) = recorder.asked
        assert asked[1][1:] == ([Item("k", b"1")],)
        assert asked[2] == {"if_values": [Item("k", None)]}
        refused = Recorder(transaction=PreconditionFailed("not as expected"))
        assert not await Namespace(refused).by_name("n").compare_and_set("k", b"0", None)
        lost = Recorder(transaction=Unavailable("lost"))
        with pytest.raises(Unavailable):
            await Namespace(lost).by_name("n").compare_and_set("k", b"0", None)

    asyncio.run(main())


@pytest.mark.feature("W3-01")
def test_a_session_finds_what_it_left() -> None:
    context = DurableObjectContext.of(Recorder(), "user-7")
    assert context.session_id == "user-7"
    assert context.storage.ref == ObjectRef(name="user-7")
    assert context == DurableObjectContext.of(context.storage.objects, "user-7")
    assert context.storage != DurableObjectContext.of(context.storage.objects, "user-8").storage


@pytest.mark.feature("W3-02", "PH2-10")
def test_a_write_lowers_determinism_by_itself() -> None:
    operations = spec_of(DurableObject).operations
    for name, operation in operations.items():
        written = name in WRITES
        assert operation.hint == f"resource::do::{'write' if written else 'read'}"
        assert operation.floor.effects is (Effects.EFFECTFUL if written else Effects.READ_ONLY)
        assert operation.floor.determinism >= Determinism.BEST_EFFORT
    strict = Claim(Effects.PURE, Determinism.STRICT)
    for write in sorted(WRITES):
        used = join([strict, operations[write].floor])
        assert used == Claim(Effects.EFFECTFUL, Determinism.BEST_EFFORT)
        for claim in itertools.product(Effects, (Determinism.STRICT, Determinism.STABLE)):
            if claim[0] is Effects.EFFECTFUL:
                with pytest.raises(DeterminismTooStrong):
                    HINTS.check(Claim(*claim), operations[write].hints, subject=write)


@pytest.mark.feature("W3-02")
def test_who_only_reads_cannot_write() -> None:
    reader = limited(Recorder(), DurableObjectReader)
    assert not hasattr(reader, "put")
    assert hasattr(reader, "get")


@pytest.mark.feature("PH2-09")
@pytest.mark.parametrize(
    ("conditions", "attempts"), [({}, 3), ({"if_values": [Item("k", b"0")]}, 1)]
)
def test_a_conditional_transaction_is_not_made_again_after_a_lost_answer(
    conditions: dict[str, Any], attempts: int
) -> None:
    async def main() -> None:
        recorder = Recorder(transaction=Unavailable("lost", outcome=Outcome.UNKNOWN))
        objects: Any = retrying(
            recorder, Policy(max_attempts=3), clock=VirtualClock(auto=True), protocol=DurableObject
        )
        with pytest.raises(Unavailable):
            await objects.transaction(ObjectRef(name="n"), [Item("k", b"1")], **conditions)
        assert len(recorder.asked) == attempts

    asyncio.run(main())
