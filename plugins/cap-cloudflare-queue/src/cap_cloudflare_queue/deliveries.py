"""The queues of the mock: messages, leases, attempts, and where a message goes that is given up.

Time is what the caller says it is. What falls due is worked off when somebody looks: a lease that
ran out, a message that was delivered as often as its consumer allows, one that is too old.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from core_caps.rng import Rng

__all__ = ["Consumer", "Held", "Queues", "StoredQueue", "shuffled"]


@dataclass(slots=True)
class Held:
    """A message in a queue.

    Attributes:
        due_at: when it may be handed out: after its delay, or when its last lease runs out.
        attempts: how often it was handed out, a duplicate not counted.
        again: it was handed out and left for others: the next delivery is the same attempt.
    """

    id: str
    body: bytes
    key: str
    sent_at: float
    due_at: float
    turn: int = 0
    attempts: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Consumer:
    """The settings of a queue's consumer, as far as they decide what becomes of a message."""

    deliveries_max: int
    dead_letter_queue: str
    retry_delay_seconds: float
    retention_seconds: float


@dataclass(slots=True)
class StoredQueue:
    """A queue: its messages by id, and the leases that were given out for them."""

    messages: dict[str, Held] = field(default_factory=dict[str, Held])
    leases: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])
    turns: "itertools.count[int]" = field(default_factory=itertools.count)

    def put(self, message: Held) -> None:
        message.turn = next(self.turns)
        self.messages[message.id] = message

    def hand_out(self, message: Held, lease: str, until: float, *, again: bool) -> None:
        """Give out a lease; the message is hidden while it holds, unless others get it again."""
        message.attempts += not message.again
        message.again = again
        self.leases[lease] = (message.id, until)
        if not again:
            message.due_at = until

    def take(self, lease: str, now: float) -> Held | None:
        """The message of a lease that holds, which is spent by this; None where it does not."""
        found = self.leases.pop(lease, None)
        if found is None or now >= found[1]:
            return None
        return self.messages.get(found[0])

    def forget_leases(self, now: float) -> None:
        """Drop the leases that ran out and those of messages that are gone."""
        gone = [
            name
            for name, (message, until) in self.leases.items()
            if now >= until or message not in self.messages
        ]
        for name in gone:
            del self.leases[name]


class Queues:
    """All queues of one store, by name."""

    def __init__(self) -> None:
        self._queues: dict[str, StoredQueue] = {}

    def named(self, name: str) -> StoredQueue:
        """The queue; it comes into being when it is first named, as the service makes it."""
        return self._queues.setdefault(name, StoredQueue())

    def due(self, name: str, consumer: Consumer, now: float) -> list[Held]:
        """What may be handed out now, in the order in which it became due."""
        queue = self.named(name)
        queue.forget_leases(now)
        due: list[Held] = []
        for message in list(queue.messages.values()):
            if now - message.sent_at >= consumer.retention_seconds:
                del queue.messages[message.id]
            elif message.due_at <= now:
                if message.attempts >= consumer.deliveries_max and not message.again:
                    self.give_up(name, message, consumer, message.due_at)
                else:
                    due.append(message)
        return sorted(due, key=lambda message: (message.due_at, message.turn))

    def give_up(self, name: str, message: Held, consumer: Consumer, at: float) -> None:
        """Move a message to the dead letter queue, with its name and the time it was sent."""
        del self.named(name).messages[message.id]
        if consumer.dead_letter_queue:
            message.attempts, message.again, message.due_at = 0, False, at
            self.named(consumer.dead_letter_queue).put(message)

    def retry(self, name: str, message: Held, consumer: Consumer, due_at: float) -> None:
        """Hand a message out again, or give it up where it was handed out often enough."""
        if message.attempts >= consumer.deliveries_max:
            self.give_up(name, message, consumer, due_at)
        else:
            message.again, message.due_at = False, due_at
            message.turn = next(self.named(name).turns)


def shuffled(messages: Iterable[Held], rng: Rng) -> list[Held]:
    """The messages in an order that the source draws."""
    return [message for _, _, message in sorted((rng.random(), m.turn, m) for m in messages)]
