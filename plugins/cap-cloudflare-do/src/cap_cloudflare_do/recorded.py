"""Objects that answer from a recording: a flow's test needs neither service nor mock.

    recording = [
        Recorded(Call("get", (ObjectRef(name="user-7"), "step")), b"approve"),
        Recorded(Call("put", (ObjectRef(name="user-7"), "step", b"send"))),
    ]
    async with RecordedObjects(recording) as objects:
        ...
    objects.finished()          # every call of the recording was made

`Recorder` makes such a recording of what a provider answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar, cast

from core_caps.capabilities.durable_object import (
    Alarm,
    DurableObject,
    Item,
    ItemPage,
    ObjectRef,
)
from core_caps.contract.suite import Call
from core_caps.errors import ClientClosed, InvalidArgument, ProviderError

__all__ = ["Recorded", "RecordedObjects", "Recorder"]

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call, and what it was answered with.

    Attributes:
        call: the operation and its arguments, as they were given.
        answer: what it returned.
        error: what it raised instead, or None.
    """

    call: Call
    answer: object = None
    error: ProviderError | None = None


class _Calls:
    """A DurableObject of which every operation is one `_made`, without the defaults."""

    async def _made(self, call: Call) -> Any:
        raise NotImplementedError

    async def get(self, ref: ObjectRef, key: str) -> bytes | None:
        """As DurableObject."""
        return cast("bytes | None", await self._made(Call("get", (ref, key))))

    async def get_many(self, ref: ObjectRef, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """As DurableObject."""
        found = await self._made(Call("get_many", (ref, [*keys])))
        return cast("Mapping[str, bytes | None]", found)

    async def list(
        self,
        ref: ObjectRef,
        *,
        prefix: str = "",
        start: str | None = None,
        start_after: str | None = None,
        end: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> ItemPage:
        """As DurableObject."""
        given = {
            "prefix": prefix or None,
            "start": start,
            "start_after": start_after,
            "end": end,
            "limit": None if limit == 100 else limit,
            "reverse": reverse or None,
        }
        named = {name: bound for name, bound in given.items() if bound is not None}
        return cast("ItemPage", await self._made(Call("list", (ref,), named)))

    async def get_alarm(self, ref: ObjectRef) -> Alarm | None:
        """As DurableObject."""
        return cast("Alarm | None", await self._made(Call("get_alarm", (ref,))))

    async def put(self, ref: ObjectRef, key: str, value: bytes) -> None:
        """As DurableObject."""
        await self._made(Call("put", (ref, key, value)))

    async def delete(self, ref: ObjectRef, key: str) -> None:
        """As DurableObject."""
        await self._made(Call("delete", (ref, key)))

    async def delete_all(self, ref: ObjectRef) -> None:
        """As DurableObject."""
        await self._made(Call("delete_all", (ref,)))

    async def transaction(
        self, ref: ObjectRef, changes: Sequence[Item], *, if_values: Sequence[Item] | None = None
    ) -> None:
        """As DurableObject."""
        named = {} if if_values is None else {"if_values": [*if_values]}
        await self._made(Call("transaction", (ref, [*changes]), named))

    async def set_alarm(self, ref: ObjectRef, at: float) -> None:
        """As DurableObject."""
        await self._made(Call("set_alarm", (ref, at)))

    async def delete_alarm(self, ref: ObjectRef, *, at: float | None = None) -> None:
        """As DurableObject."""
        await self._made(Call("delete_alarm", (ref,), {} if at is None else {"at": at}))

    async def new_id(self) -> ObjectRef:
        """As DurableObject."""
        return cast("ObjectRef", await self._made(Call("new_id")))


class RecordedObjects(_Calls):
    """Answers the calls of a recording in their order, and refuses every other.

    Args:
        recording: the calls. An argument that has its default is left out of a recorded call.
    """

    def __init__(self, recording: Sequence[Recorded]) -> None:
        self._recording = tuple(recording)
        self._next = 0
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    def finished(self) -> None:
        """Check that every call of the recording was made.

        Raises:
            AssertionError: some were not; the first of them is shown.
        """
        left = self._recording[self._next :]
        assert not left, f"{len(left)} recorded calls were not made, first {left[0].call}"

    async def _made(self, call: Call) -> Any:
        if not self._open:
            raise ClientClosed("this recording is not open", hint="use it with `async with`")
        expected = self._recording[self._next] if self._next < len(self._recording) else None
        if expected is None or expected.call != call:
            raise InvalidArgument(
                f"the recording has no {call} here; next is {expected and expected.call}",
                hint="record the calls again, with Recorder",
            )
        self._next += 1
        if expected.error is not None:
            raise expected.error
        return expected.answer


class Recorder(_Calls):
    """Hands every call to a provider and keeps what came of it in `recording`."""

    def __init__(self, objects: DurableObject) -> None:
        self._objects = objects
        self.recording: list[Recorded] = []

    async def _made(self, call: Call) -> Any:
        try:
            answer = await getattr(self._objects, call.operation)(*call.args, **call.kwargs)
        except ProviderError as error:
            self.recording.append(Recorded(call, error=error))
            raise
        self.recording.append(Recorded(call, answer))
        return answer
