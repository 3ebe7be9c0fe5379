"""Objects that answer from a recording, and refuse what was not recorded."""

import asyncio

import pytest
from cap_cloudflare_do.config import MockConfig
from cap_cloudflare_do.mock import MockObjects
from cap_cloudflare_do.recorded import Recorded, RecordedObjects, Recorder
from core_caps.capabilities.durable_object import DurableObject, Item, ObjectRef
from core_caps.capabilities.object_stub import DurableObjectContext
from core_caps.clock import VirtualClock
from core_caps.contract.suite import Call
from core_caps.errors import ClientClosed, InvalidArgument, Outcome, PreconditionFailed
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("PH2-11")
REF = ObjectRef(name="user-7")


async def approve(objects: DurableObject) -> str:
    """A flow's step: it goes on where the session stands."""
    storage = DurableObjectContext.of(objects, "user-7").storage
    if not await storage.compare_and_set("step", b"wait", b"go"):
        return f"at {await storage.get('step')!r}"
    await storage.set_alarm(4_102_444_800.0)
    await storage.list(prefix="s", end="", reverse=True)
    await storage.delete_alarm(at=1.5)
    return "gone on"


def test_calls_are_answered_in_their_order() -> None:
    async def main() -> None:
        wanted = {"if_values": [Item("step", b"wait")]}
        refused = PreconditionFailed("not as expected")
        recording = [
            Recorded(Call("transaction", (REF, [Item("step", b"go")]), wanted), error=refused),
            Recorded(Call("get", (REF, "step")), b"stop"),
        ]
        async with RecordedObjects(recording) as objects:
            assert await approve(objects) == "at b'stop'"
        objects.finished()

    asyncio.run(main())


def test_what_was_recorded_is_answered_again() -> None:
    async def main() -> None:
        mock = MockObjects(MockConfig(), clock=VirtualClock(), rng=SeededRng())
        async with mock:
            await mock.put(REF, "step", b"wait")
            recorder = Recorder(mock)
            first = [await approve(recorder), await approve(recorder)]
            await recorder.get_many(await recorder.new_id(), ["a"])
        async with RecordedObjects(recorder.recording) as objects:
            again = [await approve(objects), await approve(objects)]
            await objects.get_many(await objects.new_id(), ["a"])
            assert again == first == ["gone on", "at b'go'"]
        objects.finished()

    asyncio.run(main())


@pytest.mark.parametrize("recorded", [[], [Recorded(Call("get", (REF, "other")), b"v")]])
def test_an_unknown_call_is_refused_and_named(recorded: list[Recorded]) -> None:
    async def main() -> None:
        async with RecordedObjects(recorded) as objects:
            with pytest.raises(InvalidArgument) as refused:
                await objects.get(REF, "step")
        assert "'step'" in refused.value.message
        assert refused.value.outcome is Outcome.NOT_APPLIED

    asyncio.run(main())


def test_a_call_that_was_not_made_is_missed() -> None:
    async def main() -> None:
        objects = RecordedObjects([Recorded(Call("delete", (REF, "step")))])
        with pytest.raises(ClientClosed):
            await objects.delete(REF, "step")
        async with objects:
            with pytest.raises(AssertionError, match="1 recorded calls were not made"):
                objects.finished()
            await objects.delete(REF, "step")
            objects.finished()

    asyncio.run(main())
