"""DurableObject: many small objects, each with storage and an alarm of its own, and one writer.

An object is called by a name, or by an id that the service made up. Its calls are applied one
after the other, each whole or not at all, and are seen by whoever calls next. There is nothing to
create: an object of which nobody stored anything is empty.

`core_caps.capabilities.object_stub` puts the two steps apart: a namespace gives a stub, and a stub
has these operations without the first argument.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core_caps.claims.lattice import Determinism
from core_caps.claims.operation import capability, operation

__all__ = [
    "Alarm",
    "DurableObject",
    "DurableObjectReader",
    "DurableObjectWriter",
    "Item",
    "ItemPage",
    "ObjectRef",
]


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Which object: one of the two, and the other is "".

    Attributes:
        name: a name of the caller's; the same name is the same object.
        id: what `new_id` gave.
    """

    name: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """What is stored under a key, or is to be, or is expected to be.

    Attributes:
        key: the key.
        value: the bytes; None is absence.
    """

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Part of a listing.

    Attributes:
        items: what is stored, each with its value, in the order that was asked for.
        more: there is more after the last of them: go on with `start_after` it, or in reverse
            with `end` at it. A page may be shorter than its limit, and is then not empty.
    """

    items: Sequence[Item] = field(default_factory=tuple)
    more: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """The alarm of an object. It stays when it rang, so that nobody can miss it.

    Attributes:
        at: when it rings, in seconds since 1970, to the millisecond.
        rang: the object's clock is past that.
    """

    at: float
    rang: bool


class DurableObjectReader(Protocol):
    """The half of DurableObject that changes nothing."""

    @operation("resource::do::read")
    async def get(self, ref: ObjectRef, key: str) -> bytes | None:
        """The value, or None when the key is absent.

        Raises:
            InvalidArgument: a limit of the service is broken, or the id is none of its ids.
        """
        ...

    @operation("resource::do::read")
    async def get_many(self, ref: ObjectRef, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values as they are at one moment; an absent key maps to None."""
        ...

    @operation("resource::do::read")
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
        """Up to `limit` items whose keys lie within all of these bounds, by their UTF-8 bytes.

        Args:
            ref: the object.
            prefix: keys that start with it.
            start: keys from here on, this one included.
            start_after: keys from here on, without this one. Not both.
            end: keys up to here, without this one.
            limit: items at most.
            reverse: the last ones first; the bounds stay what they are.

        Raises:
            InvalidArgument: `limit` is out of range, or there are two beginnings.
        """
        ...

    @operation("resource::do::read")
    async def get_alarm(self, ref: ObjectRef) -> Alarm | None:
        """The alarm, also when it rang, or None where none is set."""
        ...


class DurableObjectWriter(Protocol):
    """The half of DurableObject that changes an object. Every write converges: twice is once."""

    @operation("resource::do::write")
    async def put(self, ref: ObjectRef, key: str, value: bytes) -> None:
        """Store a value, replacing what was there.

        Raises:
            InvalidArgument: a limit of the service is broken; NOT_APPLIED.
        """
        ...

    @operation("resource::do::write")
    async def delete(self, ref: ObjectRef, key: str) -> None:
        """Remove a key; an absent key is success."""
        ...

    @operation("resource::do::write")
    async def delete_all(self, ref: ObjectRef) -> None:
        """Remove every key and the alarm: the object is as if it had never been."""
        ...

    @operation("resource::do::write")
    async def transaction(
        self,
        ref: ObjectRef,
        changes: Sequence[Item],
        *,
        if_values: Sequence[Item] | None = None,
    ) -> None:
        """Store and remove several keys at once, if others are as expected; all or nothing.

        With one of each it is compare-and-set. Where the answer is lost, the condition tells
        whether the change was made: read before making the call again.

        Args:
            ref: the object.
            changes: what is to be stored; a value of None removes the key.
            if_values: what must be stored now; a value of None expects no such key.

        Raises:
            PreconditionFailed: something is not as expected; nothing changed.
            InvalidArgument: a limit of the service is broken, or a key is given twice;
                NOT_APPLIED.
        """
        ...

    @operation("resource::do::write")
    async def set_alarm(self, ref: ObjectRef, at: float) -> None:
        """Let the object's one alarm ring at this time, in the place of any earlier one.

        Args:
            ref: the object.
            at: seconds since 1970; a time that is past rings at once.

        Raises:
            InvalidArgument: `at` is no time after 1970; NOT_APPLIED.
        """
        ...

    @operation("resource::do::write")
    async def delete_alarm(self, ref: ObjectRef, *, at: float | None = None) -> None:
        """Forget the alarm; no alarm is success.

        Who acted upon an alarm that rang deletes it, and says which it was: one that somebody set
        meanwhile stays.

        Args:
            ref: the object.
            at: only the alarm of this time, as `get_alarm` gave it; None is any.
        """
        ...


@capability("durable_object", version=1)
class DurableObject(DurableObjectReader, DurableObjectWriter, Protocol):
    """A namespace of objects."""

    @operation("resource::do::read", determinism=Determinism.NONDETERMINISTIC)
    async def new_id(self) -> ObjectRef:
        """A new object that nobody else is given, by its id. Nothing is stored anywhere."""
        ...
