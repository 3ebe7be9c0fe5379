"""A ledger in this process: reservations and their results, and what was numbered.

It is what the bridge's ledger object does, step for step; time is what the caller says it is. Each
method is one turn of the object: it changes all of what it was given, or nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core_caps.capabilities.dedupe import Answer, Done, Fresh, InProgress
from core_caps.capabilities.sequencer import Appended

from cap_cloudflare_do.refusals import refuse_large_answer

__all__ = ["ABANDONED_SECONDS", "Ledger"]

ABANDONED_SECONDS = 86_400.0
"""So long after its lease a key is remembered that nobody came back for."""


@dataclass(slots=True)
class _Work:
    """A key that somebody has, or had.

    Attributes:
        until: when the lease runs out; of done work (it has a result), when that is forgotten.
        forget_at: when nothing is known of the key any more.
    """

    owner: str
    payload: bytes
    until: float
    forget_at: float
    result: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    sequence: int
    digest: bytes
    first_seen: float


@dataclass(slots=True)
class Ledger:
    """One object's ledger.

    Attributes:
        work: the keys of Dedupe.
        entries: the keys of Sequencer.
        sweep_at: nothing is to be forgotten before.
    """

    work: dict[str, _Work] = field(default_factory=dict[str, _Work])
    entries: dict[str, _Entry] = field(default_factory=dict[str, _Entry])
    sweep_at: float = math.inf

    def reserve(
        self, asked: Mapping[str, bytes], owner: str, lease_seconds: float, now: float
    ) -> tuple[Sequence[Answer], Sequence[str]]:
        """An answer for each key, or else the keys that were seen with another payload.

        Raises:
            InvalidArgument: the results are too large to be answered together; nothing changed.
        """
        self._sweep(now)
        known = {key: self._known(key, now) for key in asked}
        colliding = [
            key
            for key, payload in asked.items()
            if (held := known[key]) and payload and held.payload not in (b"", payload)
        ]
        if colliding:
            return (), colliding
        refuse_large_answer(sum(len(held.result or b"") for held in known.values() if held))
        answers = tuple(
            self._taken(key, payload, known[key], owner, now, now + lease_seconds)
            for key, payload in asked.items()
        )
        return answers, ()

    def commit(
        self, results: Mapping[str, bytes], owner: str, ttl_seconds: float, now: float
    ) -> list[str]:
        """Keep the results; or the keys that are not this owner's, and nothing is kept."""
        lost = [key for key, result in results.items() if not self._may(key, result, owner, now)]
        if not lost:
            for key, result in results.items():
                held = self.work[key]
                held.result = result
                held.until = held.forget_at = now + ttl_seconds
                self.sweep_at = min(self.sweep_at, held.forget_at)
        return lost

    def release(self, keys: Sequence[str], owner: str) -> None:
        """Forget those of the keys that are this owner's, and not done."""
        for key in keys:
            held = self.work.get(key)
            if held is not None and held.owner == owner and held.result is None:
                del self.work[key]

    def append(self, key: str, digest: bytes, now: float) -> Appended | None:
        """Where the key stands; None where it stands there for something else."""
        known = self.entries.get(key)
        entry = known or _Entry(len(self.entries) + 1, digest, now)
        if entry.digest != digest:
            return None
        self.entries[key] = entry
        return Appended(known is None, entry.sequence, entry.first_seen)

    def _taken(
        self, key: str, payload: bytes, held: _Work | None, owner: str, now: float, until: float
    ) -> Answer:
        if held is not None and held.result is not None:
            return Done(held.result)
        if held is not None and held.owner != owner and now < held.until:
            return InProgress(held.until)
        payload = (held.payload if held else b"") or payload
        self.work[key] = _Work(owner, payload, until, until + ABANDONED_SECONDS)
        self.sweep_at = min(self.sweep_at, until + ABANDONED_SECONDS)
        return Fresh()

    def _may(self, key: str, result: bytes, owner: str, now: float) -> bool:
        held = self._known(key, now)
        return held is not None and held.owner == owner and held.result in (None, result)

    def _known(self, key: str, now: float) -> _Work | None:
        """The key's work; none where its result is forgotten, which may be before it is swept."""
        held = self.work.get(key)
        done = held is not None and held.result is not None
        return None if held is None or (done and held.until <= now) else held

    def _sweep(self, now: float) -> None:
        if now < self.sweep_at:
            return
        for key in [key for key, held in self.work.items() if held.forget_at <= now]:
            del self.work[key]
        self.sweep_at = min((held.forget_at for held in self.work.values()), default=math.inf)
