"""The mock's namespace: what each object holds, the ids that were given out, the ledgers.

An object is single-threaded, and an answer leaves it only when what it says is stored: so each
method here is one turn of an object, begun and ended without another in between, and the lock
makes that so for threads, too.
"""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from core_caps.capabilities.durable_object import Alarm, Item, ItemPage, ObjectRef

from cap_cloudflare_do.ledger import Ledger
from cap_cloudflare_do.limits import PAGE_SIZE_BYTES_MAX, Bounds

__all__ = ["ID_BYTES", "Namespace", "StoredObject", "is_id", "made_id"]

ID_BYTES = 16
"""Of an id's own half; the other half says which namespace gave it out."""


@dataclass(slots=True)
class StoredObject:
    """What one object holds."""

    values: dict[str, bytes] = field(default_factory=dict[str, bytes])
    alarm_at: float | None = None

    def page(self, bounds: Bounds) -> ItemPage:
        """The items within the bounds, as many as a page has room for."""
        within = sorted(
            (key for key in self.values if _within(key.encode(), bounds)),
            key=str.encode,
            reverse=bounds.reverse,
        )
        items: list[Item] = []
        size_bytes = 0
        for key in within[: bounds.limit]:
            size_bytes += len(self.values[key])
            if items and size_bytes > PAGE_SIZE_BYTES_MAX:
                break
            items.append(Item(key, self.values[key]))
        return ItemPage(tuple(items), len(within) > len(items))

    def differing(self, expected: Mapping[str, bytes | None]) -> list[str]:
        """The keys that do not have what is expected."""
        return [key for key, value in expected.items() if self.values.get(key) != value]

    def apply(self, changes: Mapping[str, bytes | None]) -> None:
        """Store and remove."""
        for key, value in changes.items():
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value

    def alarm(self, now: float) -> Alarm | None:
        """The alarm, and whether it rang by now."""
        return None if self.alarm_at is None else Alarm(self.alarm_at, self.alarm_at <= now)


@dataclass(slots=True)
class Namespace:
    """The objects of one class, and the ledgers beside them."""

    objects: dict[ObjectRef, StoredObject] = field(default_factory=dict[ObjectRef, StoredObject])
    ledgers: dict[str, Ledger] = field(default_factory=dict[str, Ledger])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def object(self, ref: ObjectRef) -> StoredObject:
        """The object, made where nobody called it before; that alone stores nothing."""
        return self.objects.setdefault(ref, StoredObject())

    def ledger(self, name: str) -> Ledger:
        """The ledger of that name."""
        return self.ledgers.setdefault(name, Ledger())


def made_id(own: bytes) -> str:
    """An id of the service's form: 64 hexadecimal digits, of which half vouch for the others."""
    return own.hex() + _seal(own)


def is_id(identity: str) -> bool:
    """Whether it was made here, and not by another namespace or by nobody."""
    try:
        own = bytes.fromhex(identity[: 2 * ID_BYTES])
    except ValueError:
        return False
    return len(own) == ID_BYTES and identity == made_id(own)


def _seal(own: bytes) -> str:
    return hashlib.sha256(b"cap-cloudflare-do" + own).hexdigest()[: 2 * ID_BYTES]


def _within(key: bytes, bounds: Bounds) -> bool:
    return (
        key.startswith(bounds.prefix.encode())
        and (bounds.start is None or key >= bounds.start.encode())
        and (bounds.start_after is None or key > bounds.start_after.encode())
        and (bounds.end is None or key < bounds.end.encode())
    )
