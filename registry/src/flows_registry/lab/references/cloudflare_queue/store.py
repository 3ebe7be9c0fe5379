"""A queue's messages: when each is due, how often it was delivered, under which leases."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

from flows_registry.lab.references.cloudflare_queue.rules import MAX_RETRIES, Posted

__all__ = ["Delivered", "Queue"]


@dataclass(slots=True)
class Stored:
    """A message in the queue.

    Attributes:
        due_at: when it may be delivered, in seconds since 1970.
        delay_seconds: what was asked for, when it was posted or last marked for retry.
        lease: its last delivery's, or "" before the first and once it was marked for retry.
    """

    id: str
    posted: Posted
    sent_at: float
    due_at: float
    turn: int
    delay_seconds: int
    attempts: int = 0
    lease: str = ""

    def shown(self) -> dict[str, Any]:
        """The message as a state shows it: everything but the bytes themselves."""
        return {
            "content_type": self.posted.content_type,
            "sha256": hashlib.sha256(self.posted.content).hexdigest(),
            "size_bytes": len(self.posted.content),
            "attempts": self.attempts,
            "delay_seconds": self.delay_seconds,
            "leased": bool(self.lease),
        }


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message in the hands of a consumer."""

    message: Stored
    lease: str


@dataclass(slots=True)
class Queue:
    """Messages by id, and the message of each lease that was given out.

    Leases are remembered when they run out: the service takes a late acknowledgement.
    https://developers.cloudflare.com/queues/configuration/pull-consumers/#4-acknowledge-messages
    """

    messages: dict[str, Stored] = field(default_factory=dict[str, Stored])
    leases: dict[str, str] = field(default_factory=dict[str, str])
    turns: int = 0

    def put(self, posted: Posted, now: float, delay_seconds: int) -> None:
        turn = self._turn()
        name = _digest(f"message {turn}").hex()[:32]
        self.messages[name] = Stored(name, posted, now, now + delay_seconds, turn, delay_seconds)

    def pull(self, count: int, now: float, visibility_seconds: float) -> list[Delivered]:
        """Deliver what is due, in the order in which it became so."""
        for message in [each for each in self.messages.values() if each.due_at <= now]:
            self._give_up(message)
        due = [each for each in self.messages.values() if each.due_at <= now]
        due.sort(key=lambda each: (each.due_at, each.turn))
        return [self._deliver(each, now + visibility_seconds) for each in due[:count]]

    def ack(self, lease: str) -> bool:
        """Whether the lease's message was there to be removed."""
        message = self.messages.pop(self.leases.pop(lease, ""), None)
        return message is not None

    def retry(self, lease: str, now: float, delay_seconds: int) -> bool:
        """Whether the lease's message was there to be marked; only its last lease may do so."""
        message = self.messages.get(self.leases.pop(lease, ""))
        if message is None or message.lease != lease:
            return False
        message.lease, message.due_at, message.turn = "", now + delay_seconds, self._turn()
        message.delay_seconds = delay_seconds
        self._give_up(message)
        return True

    def _give_up(self, message: Stored) -> None:
        """Remove what was delivered as often as it may be; no dead letter queue is configured."""
        if message.attempts > MAX_RETRIES:
            del self.messages[message.id]

    def _deliver(self, message: Stored, until: float) -> Delivered:
        message.attempts += 1
        message.due_at = until
        message.lease = _lease(self._turn())
        self.leases[message.lease] = message.id
        return Delivered(message, message.lease)

    def _turn(self) -> int:
        self.turns += 1
        return self.turns


def _lease(turn: int) -> str:
    """Opaque, in the form of the service's own: an encrypted token of five parts."""
    raw = _digest(f"lease {turn}")
    parts = (b'{"alg":"dir"}', b"", raw[:12], raw, raw[16:])
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
