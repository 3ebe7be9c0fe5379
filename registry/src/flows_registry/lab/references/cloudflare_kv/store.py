"""A namespace's pairs: by key, and the keys in the order a listing gives them."""

import hashlib
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import Any

from flows_registry.lab.references.cloudflare_kv.rules import Pair

__all__ = ["Entry", "Namespace"]


@dataclass(slots=True)
class Entry:
    value: bytes
    digest: str
    expiration: int | None
    metadata: Any

    def shown(self) -> dict[str, Any]:
        """The entry as a state shows it: everything but the bytes themselves."""
        return {
            "sha256": self.digest,
            "size_bytes": len(self.value),
            "expiration": self.expiration,
            "metadata": self.metadata,
        }


@dataclass(slots=True)
class Namespace:
    """Pairs by key, and the keys in order. Code point order is UTF-8 byte order."""

    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    keys: list[str] = field(default_factory=list[str])

    def put(self, pair: Pair) -> None:
        if pair.key not in self.entries:
            insort(self.keys, pair.key)
        digest = hashlib.sha256(pair.value).hexdigest()
        self.entries[pair.key] = Entry(pair.value, digest, pair.expiration, pair.metadata)

    def delete(self, key: str) -> None:
        if self.entries.pop(key, None) is not None:
            del self.keys[bisect_left(self.keys, key)]

    def live(self, key: str, now: float) -> Entry | None:
        entry = self.entries.get(key)
        if entry is None or (entry.expiration is not None and entry.expiration <= now):
            return None
        return entry
