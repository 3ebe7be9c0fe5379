"""Cloudflare Queues in this process, with the vendor's rules and limits, at least once on purpose.

What a consumer must live with happens here, on a seed: a message comes twice, out of order, and
again although it was acknowledged.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self

from core_caps.capabilities.queue import Delivery, Message
from core_caps.clock import Clock
from core_caps.errors import ClientClosed
from core_caps.rng import Rng, SeededRng

from cap_cloudflare_queue import errors, limits
from cap_cloudflare_queue.config import MockConfig
from cap_cloudflare_queue.deliveries import Consumer, Held, Queues, StoredQueue, shuffled
from cap_cloudflare_queue.envelopes import stored_size

__all__ = ["MockQueue"]

_STORES: dict[str, Queues] = {}
"""The named stores of this process: they outlive their clients, as the service does."""

_NAME_BYTES = 16
"""Of a message's name and a lease's: 32 hexadecimal digits, as the service's ids have."""


class MockQueue:
    """A queue as one consumer of the service sees it."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._names = rng
        self._fate = SeededRng(config.seed)
        self._queues = _STORES.setdefault(config.store, Queues()) if config.store else Queues()
        self._consumer = Consumer(
            config.max_retries + 1,
            config.dead_letter_queue,
            config.retry_delay_seconds,
            config.retention_seconds,
        )
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    async def send(self, body: bytes, *, key: str = "", delay_seconds: int | None = None) -> None:
        """Send one message.

        Raises:
            InvalidArgument: a limit is broken; NOT_APPLIED.
        """
        await self._begin()
        message = Message(
            limits.checked_body(body), limits.checked_key(key), limits.checked_delay(delay_seconds)
        )
        self._put([message])

    async def send_batch(self, messages: Sequence[Message]) -> None:
        """Send several messages, all of them or none.

        Raises:
            InvalidArgument: a limit is broken, by one message or by all; NOT_APPLIED.
        """
        await self._begin()
        self._put(limits.checked_messages(messages))

    async def pull(
        self, *, limit: int = 10, visibility_seconds: int | None = None
    ) -> Sequence[Delivery]:
        """Up to `limit` messages, hidden from other consumers while their leases hold.

        Of the deliveries `duplicate_rate` leave their message where others get it, too, as the
        same attempt.

        Raises:
            InvalidArgument: `limit` is not 1 to 100, or `visibility_seconds` not 1 to 43 200.
        """
        await self._begin()
        limits.checked_limit(limit)
        seconds = limits.checked_visibility(visibility_seconds)
        if seconds is None:
            seconds = self._config.visibility_timeout_seconds
        now = self._clock.now()
        due = self._queues.due(self._config.queue, self._consumer, now)
        if self._config.reorder:
            due = shuffled(due, self._fate)
        return tuple(self._delivered(message, now + seconds) for message in due[:limit])

    async def ack(self, leases: Sequence[str]) -> None:
        """The messages of these leases are done with; of the leases `lost_ack_rate` are forgotten.

        Raises:
            InvalidArgument: it is no sequence of texts; NOT_APPLIED.
            LeaseExpired: some of these leases do not hold; `leases` names them, and the others
                are settled.
        """
        await self._begin()
        asked = limits.checked_leases(leases)
        taken = self._taken(asked)
        for message in taken.values():
            if not self._happens(self._config.lost_ack_rate):
                self._stored.messages.pop(message.id, None)
        _refuse_expired("ack", asked, taken)

    async def retry(self, leases: Sequence[str], *, delay_seconds: int | None = None) -> None:
        """The messages of these leases are to be delivered again, after a delay.

        Raises:
            InvalidArgument: it is no sequence of texts, or the delay is not 0 to 86 400;
                NOT_APPLIED.
            LeaseExpired: some of these leases do not hold; `leases` names them, and the others
                are settled.
        """
        await self._begin()
        asked = limits.checked_leases(leases)
        seconds = limits.checked_delay(delay_seconds)
        if seconds is None:
            seconds = self._config.retry_delay_seconds
        taken = self._taken(asked)
        due_at = self._clock.now() + seconds
        for message in taken.values():
            self._queues.retry(self._config.queue, message, self._consumer, due_at)
        _refuse_expired("retry", asked, taken)

    @property
    def _stored(self) -> StoredQueue:
        return self._queues.named(self._config.queue)

    async def _begin(self) -> None:
        """Refuse a closed client, and let others run as a real request would."""
        if self._open:
            await asyncio.sleep(0)
        if not self._open:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )

    def _put(self, messages: Sequence[Message]) -> None:
        limits.checked_sizes([stored_size(message.body, message.key) for message in messages])
        now = self._clock.now()
        for message in messages:
            delay = message.delay_seconds
            if delay is None:
                delay = self._config.delivery_delay_seconds
            name = self._names.token(_NAME_BYTES).hex()
            self._stored.put(Held(name, message.body, message.key, now, now + delay))

    def _delivered(self, message: Held, until: float) -> Delivery:
        lease = self._names.token(_NAME_BYTES).hex()
        again = self._happens(self._config.duplicate_rate)
        self._stored.hand_out(message, lease, until, again=again)
        return Delivery(
            message.id, message.body, message.key, message.attempts, message.sent_at, lease
        )

    def _taken(self, leases: Sequence[str]) -> Mapping[str, Held]:
        """The messages of those leases that hold, once each."""
        now = self._clock.now()
        taken = {lease: self._stored.take(lease, now) for lease in leases}
        return {lease: message for lease, message in taken.items() if message is not None}

    def _happens(self, rate: float) -> bool:
        return self._fate.random() < rate


def _refuse_expired(operation: str, asked: Sequence[str], taken: Mapping[str, Held]) -> None:
    expired = [lease for lease in asked if lease not in taken]
    if expired:
        raise errors.expired(operation, expired, len(asked))
