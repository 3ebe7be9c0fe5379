"""DurableObject for synchronous callers: the shapes of what `core_caps.sync.connect` yields.

What each operation promises stands in `core_caps.capabilities.durable_object`; a test keeps the two
equal.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from core_caps.capabilities.durable_object import Alarm, Item, ItemPage, ObjectRef

__all__ = ["SyncDurableObject", "SyncDurableObjectReader", "SyncDurableObjectWriter"]


class SyncDurableObjectReader(Protocol):
    """The half of SyncDurableObject that changes nothing."""

    def get(self, ref: ObjectRef, key: str) -> bytes | None:
        """The value, or None when the key is absent."""
        ...

    def get_many(self, ref: ObjectRef, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values as they are at one moment; an absent key maps to None."""
        ...

    def list(
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
        """Up to `limit` items whose keys lie within all of these bounds, by their UTF-8 bytes."""
        ...

    def get_alarm(self, ref: ObjectRef) -> Alarm | None:
        """The alarm, also when it rang, or None where none is set."""
        ...


class SyncDurableObjectWriter(Protocol):
    """The half of SyncDurableObject that changes an object. Every write converges."""

    def put(self, ref: ObjectRef, key: str, value: bytes) -> None:
        """Store a value, replacing what was there."""
        ...

    def delete(self, ref: ObjectRef, key: str) -> None:
        """Remove a key; an absent key is success."""
        ...

    def delete_all(self, ref: ObjectRef) -> None:
        """Remove every key and the alarm: the object is as if it had never been."""
        ...

    def transaction(
        self,
        ref: ObjectRef,
        changes: Sequence[Item],
        *,
        if_values: Sequence[Item] | None = None,
    ) -> None:
        """Store and remove several keys at once, if others are as expected; all or nothing."""
        ...

    def set_alarm(self, ref: ObjectRef, at: float) -> None:
        """Let the object's one alarm ring at this time, in the place of any earlier one."""
        ...

    def delete_alarm(self, ref: ObjectRef, *, at: float | None = None) -> None:
        """Forget the alarm; no alarm is success."""
        ...


class SyncDurableObject(SyncDurableObjectReader, SyncDurableObjectWriter, Protocol):
    """A namespace of objects."""

    def new_id(self) -> ObjectRef:
        """A new object that nobody else is given, by its id. Nothing is stored anywhere."""
        ...
