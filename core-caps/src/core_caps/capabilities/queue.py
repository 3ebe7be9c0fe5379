"""Queue: messages that are delivered at least once, and again until somebody acknowledges them.

`QueueSender` and `QueueReceiver` are the two halves a flow may be limited to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core_caps.claims.operation import Repeat, capability, operation

__all__ = ["Delivery", "Message", "Queue", "QueueReceiver", "QueueSender", "QueueTrigger"]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent.

    Attributes:
        body: the content, any bytes.
        key: the idempotency key by which a consumer knows a repeat, or "" for none.
        delay_seconds: how long it stays hidden; None leaves that to the queue.
    """

    body: bytes
    key: str = ""
    delay_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in the hands of one consumer, for as long as its lease holds.

    Attributes:
        id: the queue's name for the message, the same in every delivery of it.
        body: the content.
        key: the idempotency key it was sent with, or "".
        attempts: which delivery this is, from 1.
        sent_at: when it was sent, in seconds since 1970.
        lease: pass it to `ack` or `retry`; another delivery of the message has another. Opaque.
    """

    id: str
    body: bytes
    key: str
    attempts: int
    sent_at: float
    lease: str


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """How a queue calls a flow. A host makes its consumers of it.

    Attributes:
        queue_name: the queue.
        max_batch_size: messages handed over together, at most.
        max_batch_timeout_seconds: how long a batch waits to fill.
        max_retries: deliveries after the first before the message is given up.
        visibility_timeout_seconds: how long a delivered message stays hidden from others.
        dead_letter_queue: where what is given up goes; None drops it.
    """

    queue_name: str
    max_batch_size: int = 10
    max_batch_timeout_seconds: int = 5
    max_retries: int = 3
    visibility_timeout_seconds: int = 30
    dead_letter_queue: str | None = None


class QueueSender(Protocol):
    """The half of Queue that puts messages in."""

    @operation("resource::queue::publish", repeat=Repeat.KEYED, key="key", travels=True)
    async def send(self, body: bytes, *, key: str = "", delay_seconds: int | None = None) -> None:
        """Send one message. Sent twice it arrives twice: a consumer knows a repeat by its `key`.

        Args:
            body: the content, any bytes.
            key: the idempotency key that travels with it.
            delay_seconds: hide it for so long; None leaves that to the queue.

        Raises:
            InvalidArgument: a limit of the service is broken; NOT_APPLIED.
        """
        ...

    @operation("resource::queue::publish", repeat=Repeat.KEYED, key="messages.key", travels=True)
    async def send_batch(self, messages: Sequence[Message]) -> None:
        """Send several messages in one request; on failure some may be sent (outcome UNKNOWN).

        It may be made again where each message has a key. No messages are success.

        Raises:
            InvalidArgument: a limit of the service is broken; NOT_APPLIED.
        """
        ...


class QueueReceiver(Protocol):
    """The half of Queue that takes messages out."""

    @operation("resource::queue::consume")
    async def pull(
        self, *, limit: int = 10, visibility_seconds: int | None = None
    ) -> Sequence[Delivery]:
        """Up to `limit` messages, hidden from other consumers while their leases hold.

        A message that is neither acknowledged nor retried in time is delivered again. No order is
        promised beyond the provider's `ordering`; an empty sequence means nothing is due.

        Args:
            limit: messages at most.
            visibility_seconds: how long the leases hold; None leaves that to the queue.

        Raises:
            InvalidArgument: `limit` or `visibility_seconds` is out of range.
        """
        ...

    @operation("resource::queue::consume")
    async def ack(self, leases: Sequence[str]) -> None:
        """The messages of these leases are done with and are not delivered again.

        Raises:
            LeaseExpired: some of these leases do not hold, as after an earlier `ack` or a
                visibility that ran out; `leases` names them, and the others are settled.
        """
        ...

    @operation("resource::queue::consume")
    async def retry(self, leases: Sequence[str], *, delay_seconds: int | None = None) -> None:
        """The messages of these leases are to be delivered again, after a delay.

        A message that was delivered as often as the queue allows goes to its dead-letter queue,
        or is dropped where it has none.

        Raises:
            LeaseExpired: some of these leases do not hold; `leases` names them, and the others
                are settled.
        """
        ...


@capability("queue", version=1)
class Queue(QueueSender, QueueReceiver, Protocol):
    """A message queue."""
