"""Queue for synchronous callers: the shapes of what `core_caps.sync.connect` yields.

What each operation promises stands in `core_caps.capabilities.queue`; a test keeps the two equal.
"""

from collections.abc import Sequence
from typing import Protocol

from core_caps.capabilities.queue import Delivery, Message

__all__ = ["SyncQueue", "SyncQueueReceiver", "SyncQueueSender"]


class SyncQueueSender(Protocol):
    """The half of SyncQueue that puts messages in."""

    def send(self, body: bytes, *, key: str = "", delay_seconds: int | None = None) -> None:
        """Send one message. Sent twice it arrives twice: a consumer knows a repeat by its `key`."""
        ...

    def send_batch(self, messages: Sequence[Message]) -> None:
        """Send several messages in one request; on failure some may be sent (outcome UNKNOWN)."""
        ...


class SyncQueueReceiver(Protocol):
    """The half of SyncQueue that takes messages out."""

    def pull(self, *, limit: int = 10, visibility_seconds: int | None = None) -> Sequence[Delivery]:
        """Up to `limit` messages, hidden from other consumers while their leases hold."""
        ...

    def ack(self, leases: Sequence[str]) -> None:
        """The messages of these leases are done with and are not delivered again."""
        ...

    def retry(self, leases: Sequence[str], *, delay_seconds: int | None = None) -> None:
        """The messages of these leases are to be delivered again, after a delay."""
        ...


class SyncQueue(SyncQueueSender, SyncQueueReceiver, Protocol):
    """A message queue."""
