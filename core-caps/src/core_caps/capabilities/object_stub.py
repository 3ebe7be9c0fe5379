"""Stubs: one object of a namespace as a value, and the object that holds a session.

    namespace = Namespace(objects)
    counter = namespace.by_name("counter")
    await counter.compare_and_set("value", None, b"1")

They only hand on what they are called with: hints, limits and errors are those of the provider.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core_caps.capabilities.durable_object import Alarm, DurableObject, Item, ItemPage, ObjectRef
from core_caps.errors import PreconditionFailed

__all__ = ["DurableObjectContext", "Namespace", "Stub"]


@dataclass(frozen=True, slots=True)
class Stub:
    """One object.

    Attributes:
        objects: the provider that reaches it.
        ref: which one it is.
    """

    objects: DurableObject
    ref: ObjectRef

    async def get(self, key: str) -> bytes | None:
        """The value, or None when the key is absent."""
        return await self.objects.get(self.ref, key)

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values as they are at one moment; an absent key maps to None."""
        return await self.objects.get_many(self.ref, keys)

    async def list(
        self,
        *,
        prefix: str = "",
        start: str | None = None,
        start_after: str | None = None,
        end: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> ItemPage:
        """Up to `limit` items within these bounds; see `DurableObjectReader.list`."""
        return await self.objects.list(
            self.ref,
            prefix=prefix,
            start=start,
            start_after=start_after,
            end=end,
            limit=limit,
            reverse=reverse,
        )

    async def put(self, key: str, value: bytes) -> None:
        """Store a value, replacing what was there."""
        await self.objects.put(self.ref, key, value)

    async def put_many(self, values: Mapping[str, bytes]) -> None:
        """Store several values; all or nothing."""
        await self.transaction([Item(key, value) for key, value in values.items()])

    async def delete(self, key: str) -> None:
        """Remove a key; an absent key is success."""
        await self.objects.delete(self.ref, key)

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Remove several keys; all or nothing."""
        await self.transaction([Item(key, None) for key in dict.fromkeys(keys)])

    async def delete_all(self) -> None:
        """Remove every key and the alarm."""
        await self.objects.delete_all(self.ref)

    async def transaction(
        self, changes: Sequence[Item], *, if_values: Sequence[Item] | None = None
    ) -> None:
        """Store and remove several keys at once, if others are as expected; all or nothing.

        Raises:
            PreconditionFailed: something is not as expected; nothing changed.
        """
        await self.objects.transaction(self.ref, changes, if_values=if_values)

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None) -> bool:
        """Whether the key was as expected and now has the value; None stands for absence."""
        try:
            await self.transaction([Item(key, value)], if_values=[Item(key, expected)])
        except PreconditionFailed:
            return False
        return True

    async def get_alarm(self) -> Alarm | None:
        """The alarm, also when it rang, or None where none is set."""
        return await self.objects.get_alarm(self.ref)

    async def set_alarm(self, at: float) -> None:
        """Let the alarm ring at this time, in seconds since 1970."""
        await self.objects.set_alarm(self.ref, at)

    async def delete_alarm(self, *, at: float | None = None) -> None:
        """Forget the alarm, or only the one of this time."""
        await self.objects.delete_alarm(self.ref, at=at)


@dataclass(frozen=True, slots=True)
class Namespace:
    """The objects that one provider reaches."""

    objects: DurableObject

    def by_name(self, name: str) -> Stub:
        """The object of that name. Nothing is asked of the service."""
        return Stub(self.objects, ObjectRef(name=name))

    def by_id(self, id: str) -> Stub:
        """The object of that id. Nothing is asked of the service."""
        return Stub(self.objects, ObjectRef(id=id))

    async def new_id(self) -> Stub:
        """A new object, by an id that the service makes up; `stub.ref.id` is what to keep."""
        return Stub(self.objects, await self.objects.new_id())


@dataclass(frozen=True, slots=True)
class DurableObjectContext:
    """What a flow sees of the object that holds its session.

    A flow that halts, for an answer or an approval, finds there what it left when it goes on,
    wherever that is. Whatever it stores makes it best effort: the operations carry the hint.

    Attributes:
        session_id: whose session it is: of one user, one conversation.
        storage: the session's own object.
    """

    session_id: str
    storage: Stub

    @classmethod
    def of(cls, objects: DurableObject, session_id: str) -> "DurableObjectContext":
        """The context of a session: its object is the one of that name."""
        return cls(session_id, Namespace(objects).by_name(session_id))
