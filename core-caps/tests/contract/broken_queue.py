"""A sound provider of Queue in memory, an unlucky one, and providers with one defect each.

A suite is worth what it catches: every class below the first two differs from the sound one in
one subtle way, and `test_queue.py` names the case that must notice.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from core_caps.capabilities.queue import Delivery, Message
from core_caps.clock import VirtualClock
from core_caps.errors import ClientClosed, InvalidArgument, LeaseExpired

LIMITS = {
    "message_size_bytes_max": 70_000,
    "batch_messages_max": 40,
    "batch_size_bytes_max": 150_000,
    "delay_seconds_max": 43_200,
    "visibility_seconds_max": 43_200,
    "pull_limit_max": 50,
    "attempts_max": 5,
}


@dataclass
class Held:
    id: str
    body: bytes
    key: str
    sent_at: float
    due_at: float
    attempts: int = 0
    lease: str = ""
    until: float = 0.0


@dataclass
class Service:
    """What the clients of one test share."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    held: list[Held] = field(default_factory=list)
    luck: random.Random = field(default_factory=lambda: random.Random(0))
    names: int = 0

    def name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}-{self.names}"


def refuse(condition: object, problem: str) -> None:
    if condition:
        raise InvalidArgument(problem)


def whole(number: object, least: int, most: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and least <= number <= most


class SoundQueue:
    """Keeps every promise of queue/1: in order, each message to one consumer at a time."""

    default_visibility_seconds = 30

    def __init__(self, service: Service) -> None:
        self.service, self.open = service, False

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open = False

    async def send(self, body: bytes, *, key: str = "", delay_seconds: int | None = None) -> None:
        self._begin()
        message = Message(body, key, delay_seconds)
        self._check(message)
        self._store(message)

    async def send_batch(self, messages: Sequence[Message]) -> None:
        self._begin()
        refuse(not isinstance(messages, list | tuple), "no list")
        self._check_batch(messages)
        for message in messages:
            self._store(message)

    async def pull(
        self, *, limit: int = 10, visibility_seconds: int | None = None
    ) -> Sequence[Delivery]:
        self._begin()
        refuse(not whole(limit, 1, LIMITS["pull_limit_max"]), "bad limit")
        self._check_seconds(visibility_seconds, "visibility_seconds_max")
        seconds = self._visible_for(visibility_seconds)
        return [self._hand_out(held, seconds) for held in self._due()[:limit]]

    async def ack(self, leases: Sequence[str]) -> None:
        self._begin()
        for held in self._settled(leases):
            self._remove(held)
        self._tell(leases)

    async def retry(self, leases: Sequence[str], *, delay_seconds: int | None = None) -> None:
        self._begin()
        self._check_seconds(delay_seconds, "delay_seconds_max")
        for held in self._settled(leases):
            if held.attempts >= LIMITS["attempts_max"]:
                self._remove(held)
            else:
                self._give_back(held, delay_seconds or 0)
        self._tell(leases)

    def _begin(self) -> None:
        if not self.open:
            raise ClientClosed("closed")

    def _check(self, message: Message) -> None:
        refuse(not isinstance(message, Message), "no message")
        refuse(not isinstance(message.body, bytes), "no bytes")
        refuse(len(message.body) > LIMITS["message_size_bytes_max"], "too long")
        refuse(not isinstance(message.key, str), "no text")
        try:
            message.key.encode()
        except UnicodeEncodeError:
            raise InvalidArgument("no UTF-8 form") from None
        self._check_seconds(message.delay_seconds, "delay_seconds_max")

    def _check_batch(self, messages: Sequence[Message]) -> None:
        refuse(len(messages) > LIMITS["batch_messages_max"], "too many")
        for message in messages:
            self._check(message)
        size = sum(len(message.body) for message in messages)
        refuse(size > LIMITS["batch_size_bytes_max"], "too long together")

    def _check_seconds(self, seconds: int | None, limit: str) -> None:
        refuse(seconds is not None and not whole(seconds, 0, LIMITS[limit]), "bad seconds")

    def _visible_for(self, visibility_seconds: int | None) -> float:
        given = visibility_seconds
        return self.default_visibility_seconds if given is None else given

    def _store(self, message: Message) -> None:
        now = self.service.clock.now()
        due_at = now + (message.delay_seconds or 0)
        self.service.held.append(
            Held(self.service.name("message"), message.body, message.key, now, due_at)
        )

    def _due(self) -> list[Held]:
        now = self.service.clock.now()
        return [held for held in self.service.held if held.due_at <= now]

    def _hand_out(self, held: Held, seconds: float) -> Delivery:
        held.attempts += 1
        held.lease = self._new_lease(held)
        held.due_at = held.until = self.service.clock.now() + seconds
        return self._delivery(held)

    def _new_lease(self, held: Held) -> str:
        return self.service.name("lease")

    def _delivery(self, held: Held) -> Delivery:
        return Delivery(held.id, held.body, held.key, held.attempts, held.sent_at, held.lease)

    def _holds(self, held: Held, lease: str) -> bool:
        return bool(lease) and held.lease == lease and self.service.clock.now() < held.until

    def _settled(self, leases: Sequence[str]) -> list[Held]:
        refuse(not isinstance(leases, list | tuple), "no list")
        refuse(not all(isinstance(lease, str) for lease in leases), "no text")
        found = [held for lease in leases for held in self.service.held if self._holds(held, lease)]
        known = {held.lease for held in found}
        self._missing = [lease for lease in leases if lease not in known]
        return found

    def _tell(self, leases: Sequence[str]) -> None:
        if self._missing:
            raise LeaseExpired("not held", leases=self._missing)

    def _remove(self, held: Held) -> None:
        self.service.held.remove(held)

    def _give_back(self, held: Held, delay_seconds: float) -> None:
        held.lease, held.due_at = "", self.service.clock.now() + delay_seconds


class UnluckyQueue(SoundQueue):
    """Honest at-least-once: it hands out twice, in any order, and forgets acknowledgements."""

    def _due(self) -> list[Held]:
        due = super()._due()
        self.service.luck.shuffle(due)
        return due

    def _hand_out(self, held: Held, seconds: float) -> Delivery:
        delivery = super()._hand_out(held, seconds)
        if self.service.luck.random() < 0.1:
            held.due_at = self.service.clock.now()
        return delivery

    def _remove(self, held: Held) -> None:
        if self.service.luck.random() < 0.05:
            held.lease = ""
        else:
            super()._remove(held)


class SendsOnly:
    """The sending half of a sound provider, and nothing of the other."""

    def __init__(self, service: Service) -> None:
        self._whole = SoundQueue(service)
        self.send, self.send_batch = self._whole.send, self._whole.send_batch

    async def __aenter__(self) -> Self:
        await self._whole.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._whole.__aexit__(*exc)


def _sends(change: Callable[[Message], Message | None]) -> Any:
    """A `_store` that stores another message, or none."""

    def store(self: Any, message: Message) -> None:
        changed = change(message)
        if changed is not None:
            SoundQueue._store(self, changed)

    return store


class EmptyBodyIsNoMessage(SoundQueue):
    _store = _sends(lambda message: message if message.body else None)


class BodiesAreText(SoundQueue):
    _store = _sends(
        lambda m: Message(m.body.decode(errors="replace").encode(), m.key, m.delay_seconds)
    )


class BodiesAreStripped(SoundQueue):
    _store = _sends(lambda m: Message(m.body.rstrip(b"\r\n\x00"), m.key, m.delay_seconds))


class ForgetsTheKey(SoundQueue):
    _store = _sends(lambda m: Message(m.body, "", m.delay_seconds))


class KeyIsStripped(SoundQueue):
    _store = _sends(lambda m: Message(m.body, m.key.split("%")[0], m.delay_seconds))


class ForgetsTheDelay(SoundQueue):
    _store = _sends(lambda m: Message(m.body, m.key))


class DropsEqualBodies(SoundQueue):
    def _store(self, message: Message) -> None:
        if not any(held.body == message.body for held in self.service.held):
            super()._store(message)


class ForgetsABatchsKeys(SoundQueue):
    async def send_batch(self, messages: Sequence[Message]) -> None:
        self._begin()
        refuse(not isinstance(messages, list | tuple), "no list")
        self._check_batch(messages)
        for message in messages:
            self._store(Message(message.body, "", message.delay_seconds))


class ForgetsABatchsDelays(SoundQueue):
    async def send_batch(self, messages: Sequence[Message]) -> None:
        await super().send_batch([Message(each.body, each.key) for each in messages])


class BatchStopsAtTheBadOne(SoundQueue):
    async def send_batch(self, messages: Sequence[Message]) -> None:
        self._begin()
        refuse(not isinstance(messages, list | tuple), "no list")
        refuse(len(messages) > LIMITS["batch_messages_max"], "too many")
        for message in messages:
            self._check(message)
            self._store(message)


class BatchLosesItsLast(SoundQueue):
    async def send_batch(self, messages: Sequence[Message]) -> None:
        await super().send_batch(messages if len(messages) < 2 else messages[:-1])


class BatchCutToItsLimit(SoundQueue):
    async def send_batch(self, messages: Sequence[Message]) -> None:
        await super().send_batch(messages[: LIMITS["batch_messages_max"]])


class BatchHasNoLimitTogether(SoundQueue):
    def _check_batch(self, messages: Sequence[Message]) -> None:
        refuse(len(messages) > LIMITS["batch_messages_max"], "too many")
        for message in messages:
            self._check(message)


class MessageCutToItsLimit(SoundQueue):
    async def send(self, body: bytes, **named: Any) -> None:
        await super().send(body[: LIMITS["message_size_bytes_max"]], **named)


class DelayCutToItsLimit(SoundQueue):
    async def send(self, body: bytes, *, delay_seconds: int | None = None, **named: Any) -> None:
        if delay_seconds is not None:
            delay_seconds = min(delay_seconds, LIMITS["delay_seconds_max"])
        await super().send(body, delay_seconds=delay_seconds, **named)


class NegativeDelayIsNone(SoundQueue):
    def _check_seconds(self, seconds: int | None, limit: str) -> None:
        negative = seconds is not None and whole(seconds, -1000, -1)
        super()._check_seconds(0 if negative else seconds, limit)


class PullTakesAnyLimit(SoundQueue):
    async def pull(self, *, limit: int = 10, **named: Any) -> Sequence[Delivery]:
        return await super().pull(limit=min(limit, LIMITS["pull_limit_max"]), **named)


class ZeroIsOne(SoundQueue):
    async def pull(self, *, limit: int = 10, **named: Any) -> Sequence[Delivery]:
        return await super().pull(limit=max(limit, 1), **named)


class PullIgnoresItsLimit(SoundQueue):
    async def pull(self, *, limit: int = 10, **named: Any) -> Sequence[Delivery]:
        refuse(not whole(limit, 1, LIMITS["pull_limit_max"]), "bad limit")
        return await super().pull(**named)


class LeaseHasNoLimit(SoundQueue):
    async def pull(self, *, visibility_seconds: int | None = None, **named: Any) -> Any:
        longest = LIMITS["visibility_seconds_max"]
        if visibility_seconds is not None and visibility_seconds > longest:
            visibility_seconds = longest
        return await super().pull(visibility_seconds=visibility_seconds, **named)


class LosesARefusedPull(SoundQueue):
    async def pull(self, *, limit: int = 10, **named: Any) -> Sequence[Delivery]:
        if not whole(limit, 1, LIMITS["pull_limit_max"]):
            await super().pull()
        return await super().pull(limit=limit, **named)


class GivesNoneWhereEmpty(SoundQueue):
    async def pull(self, **named: Any) -> Any:
        return await super().pull(**named) or None


class VisibilityIgnored(SoundQueue):
    def _visible_for(self, visibility_seconds: int | None) -> float:
        return 0


class VisibilityIsFixed(SoundQueue):
    def _visible_for(self, visibility_seconds: int | None) -> float:
        return 30


class DefaultVisibilityIsZero(SoundQueue):
    default_visibility_seconds = 0


class DeliversOnce(SoundQueue):
    def _visible_for(self, visibility_seconds: int | None) -> float:
        return 1_000_000


class RemovesWhatItHandsOut(SoundQueue):
    def _due(self) -> list[Held]:
        return [held for held in super()._due() if not held.attempts or not held.lease]


class AttemptsAreNotCounted(SoundQueue):
    def _delivery(self, held: Held) -> Delivery:
        return Delivery(held.id, held.body, held.key, 1, held.sent_at, held.lease)


class AttemptsStartAtZero(SoundQueue):
    def _delivery(self, held: Held) -> Delivery:
        attempts = held.attempts - 1
        return Delivery(held.id, held.body, held.key, attempts, held.sent_at, held.lease)


class SentAtIsWhenPulled(SoundQueue):
    def _delivery(self, held: Held) -> Delivery:
        now = self.service.clock.now()
        return Delivery(held.id, held.body, held.key, held.attempts, now, held.lease)


class SentAtInMilliseconds(SoundQueue):
    def _delivery(self, held: Held) -> Delivery:
        sent_at = held.sent_at * 1000
        return Delivery(held.id, held.body, held.key, held.attempts, sent_at, held.lease)


class IdOfTheDelivery(SoundQueue):
    def _delivery(self, held: Held) -> Delivery:
        own = f"{held.id}/{held.attempts}"
        return Delivery(own, held.body, held.key, held.attempts, held.sent_at, held.lease)


class LeaseOfTheMessage(SoundQueue):
    """A lease that every delivery of a message shares: who is late settles it for all."""

    def _new_lease(self, held: Held) -> str:
        return f"lease of {held.id}"


class AcksAnOldLease(SoundQueue):
    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.given: dict[str, str] = {}

    def _new_lease(self, held: Held) -> str:
        lease = super()._new_lease(held)
        self.given[lease] = held.id
        return lease

    def _holds(self, held: Held, lease: str) -> bool:
        return self.given.get(lease) == held.id


class OldLeaseIsSuccess(SoundQueue):
    def _tell(self, leases: Sequence[str]) -> None:
        pass


class LateAckIsSwallowed(SoundQueue):
    """Success for a lease that ran out, and the message comes again all the same."""

    def _tell(self, leases: Sequence[str]) -> None:
        known = {held.lease for held in self.service.held}
        self._missing = [lease for lease in self._missing if lease not in known]
        super()._tell(leases)


class StrangeLeaseStopsTheOthers(SoundQueue):
    async def ack(self, leases: Sequence[str]) -> None:
        self._begin()
        self._settled(leases)
        self._tell(leases)
        await super().ack(leases)


class NamesEveryLease(SoundQueue):
    def _tell(self, leases: Sequence[str]) -> None:
        self._missing = list(leases) if self._missing else []
        super()._tell(leases)


class AckIsForgotten(SoundQueue):
    def _remove(self, held: Held) -> None:
        held.lease = ""


class AckTakesTheWholePull(SoundQueue):
    def _remove(self, held: Held) -> None:
        now = self.service.clock.now()
        self.service.held[:] = [each for each in self.service.held if each.due_at <= now]


class AckTakesOneAtATime(SoundQueue):
    def _settled(self, leases: Sequence[str]) -> list[Held]:
        return super()._settled(leases)[:1]


class LosesOnRetry(SoundQueue):
    def _give_back(self, held: Held, delay_seconds: float) -> None:
        self._remove(held)


class RetryKeepsItsLease(SoundQueue):
    def _give_back(self, held: Held, delay_seconds: float) -> None:
        held.due_at = self.service.clock.now() + delay_seconds


class RetryForgetsItsDelay(SoundQueue):
    def _give_back(self, held: Held, delay_seconds: float) -> None:
        super()._give_back(held, 0)


class RetryStartsAnew(SoundQueue):
    """A retried message is sent again as a new one."""

    def _give_back(self, held: Held, delay_seconds: float) -> None:
        self._remove(held)
        self._store(Message(held.body, held.key, int(delay_seconds)))


class RetryFreesEverything(SoundQueue):
    def _give_back(self, held: Held, delay_seconds: float) -> None:
        for each in self.service.held:
            super()._give_back(each, delay_seconds)


class NeverGivesUp(SoundQueue):
    async def retry(self, leases: Sequence[str], *, delay_seconds: int | None = None) -> None:
        self._begin()
        self._check_seconds(delay_seconds, "delay_seconds_max")
        for held in self._settled(leases):
            self._give_back(held, delay_seconds or 0)
        self._tell(leases)


class GivesUpTooEarly(SoundQueue):
    def _give_back(self, held: Held, delay_seconds: float) -> None:
        if held.attempts >= LIMITS["attempts_max"] - 1:
            self._remove(held)
        else:
            super()._give_back(held, delay_seconds)


class SettlingNothingFails(SoundQueue):
    async def retry(self, leases: Sequence[str], **named: Any) -> None:
        refuse(not leases, "nothing to do")
        await super().retry(leases, **named)


class NewestFirst(SoundQueue):
    def _due(self) -> list[Held]:
        return super()._due()[::-1]


class HandsOutTwiceAtOnce(SoundQueue):
    def _hand_out(self, held: Held, seconds: float) -> Delivery:
        delivery = super()._hand_out(held, seconds)
        if held.attempts == 1:
            held.due_at = self.service.clock.now()
        return delivery


class LosesOneOfMany(SoundQueue):
    def _store(self, message: Message) -> None:
        if self.service.names % 17 != 16:
            super()._store(message)
        else:
            self.service.name("lost")


class OpenAfterClose(SoundQueue):
    def _begin(self) -> None:
        pass


class EachClientHasItsOwnQueue(SoundQueue):
    def __init__(self, service: Service) -> None:
        super().__init__(Service(service.clock))


class ClosesTheQueue(SoundQueue):
    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        self.service.held.clear()


class TakesText(SoundQueue):
    def _check(self, message: Message) -> None:
        body: Any = message.body
        if isinstance(body, str):
            message = Message(body.encode(), message.key, message.delay_seconds)
        super()._check(message)


class TripsOverTypes(SoundQueue):
    async def ack(self, leases: Sequence[str]) -> None:
        self._begin()
        "".join(leases)
        await super().ack(leases)
