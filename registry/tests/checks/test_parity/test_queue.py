"""A faithful queue passes against the real simulator, in any order; drifted twins are refused."""

import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from core_caps.capabilities.queue import Delivery, Message
from core_caps.contract.queue import CONTRACT
from core_caps.errors import InvalidArgument, LeaseExpired
from flows_registry.checks.parity import Effort, parity
from flows_registry.lab.simulators.sides import ParitySubject, Run
from flows_registry.verdict import Verdict

pytestmark = pytest.mark.feature("DC-04", "PH2-06")

LITTLE = Effort(histories=4, length=10, shrink_seconds=2.0)
Running = Callable[..., Run]


class Faithful:
    """What the vendor documents for Queues, without time: what is delayed never comes."""

    delay_seconds_max = 86_400
    batch_messages_max = 100
    deliveries_max = 4

    def __init__(self) -> None:
        self.waiting: list[Delivery] = []
        self.held: dict[str, Delivery] = {}
        self.names = itertools.count()
        self.luck = random.Random(5)

    def checked_delay(self, seconds: int | None) -> bool:
        """Whether the message is due at once."""
        if seconds is not None and not 0 <= seconds <= self.delay_seconds_max:
            raise InvalidArgument(f"delay {seconds}")
        return not seconds

    def kept_key(self, key: str) -> str:
        return key

    async def send(self, body: bytes, *, key: str = "", delay_seconds: int | None = None) -> None:
        await self.send_batch([Message(body, key, delay_seconds)])

    async def send_batch(self, messages: Sequence[Message]) -> None:
        sizes = [len(message.body) for message in messages]
        if len(sizes) > self.batch_messages_max or sum(sizes) > 256_000:
            raise InvalidArgument("batch")
        if max(sizes, default=0) > 128_000:
            raise InvalidArgument("message")
        due = [self.checked_delay(message.delay_seconds) for message in messages]
        for message, at_once in zip(messages, due, strict=True):
            if at_once:
                name, key = str(next(self.names)), self.kept_key(message.key)
                self.waiting.append(Delivery(name, message.body, key, 0, 0.0, ""))

    async def pull(
        self, *, limit: int = 10, visibility_seconds: int | None = None
    ) -> Sequence[Delivery]:
        if not 1 <= limit <= 100:
            raise InvalidArgument(f"limit {limit}")
        self.luck.shuffle(self.waiting)
        given, self.waiting = self.waiting[:limit], self.waiting[limit:]
        found = [self.delivered(each) for each in given]
        self.held.update({each.lease: each for each in found})
        return tuple(found)

    def delivered(self, each: Delivery) -> Delivery:
        attempts = each.attempts + 1
        return Delivery(each.id, each.body, each.key, attempts, 0.0, f"{each.id}/{attempts}")

    def taken(self, lease: str) -> Delivery | None:
        return self.held.pop(lease, None)

    async def ack(self, leases: Sequence[str]) -> None:
        self.refused([lease for lease in leases if self.taken(lease) is None])

    async def retry(self, leases: Sequence[str], *, delay_seconds: int | None = None) -> None:
        at_once = self.checked_delay(delay_seconds)
        expired: list[str] = []
        for lease in leases:
            found = self.taken(lease)
            if found is None:
                expired.append(lease)
            elif at_once and found.attempts < self.deliveries_max:
                self.waiting.append(found)
        self.refused(expired)

    def refused(self, expired: list[str]) -> None:
        if expired:
            raise LeaseExpired("leases", leases=expired)


class NeverGivenUp(Faithful):
    deliveries_max = 100


class GivenUpTooEarly(Faithful):
    deliveries_max = 3


class AttemptsNotCounted(Faithful):
    def delivered(self, each: Delivery) -> Delivery:
        found = super().delivered(each)
        return Delivery(each.id, each.body, each.key, 1, 0.0, found.lease)


class DelayIgnored(Faithful):
    def checked_delay(self, seconds: int | None) -> bool:
        super().checked_delay(seconds)
        return True


class DelayOfHalfADay(Faithful):
    delay_seconds_max = 43_200


class SmallBatches(Faithful):
    batch_messages_max = 99


class KeyLost(Faithful):
    def kept_key(self, key: str) -> str:
        return ""


class LeaseForEver(Faithful):
    def taken(self, lease: str) -> Delivery | None:
        return self.held.get(lease)


TWINS = {
    NeverGivenUp: "pull",
    GivenUpTooEarly: "pull",
    AttemptsNotCounted: "pull",
    DelayIgnored: "pull",
    DelayOfHalfADay: "send",
    SmallBatches: "send_batch",
    KeyLost: "pull",
    LeaseForEver: "ack",
}


def subject(run: Run) -> ParitySubject:
    operations = frozenset(CONTRACT.spec.operations)
    return ParitySubject(CONTRACT, operations, run, remotes={"remote": "cloudflare-queue"})


def test_a_faithful_mock_and_remote_pass(simulator: str, running: Running) -> None:
    run = running(mock=lambda _: Faithful(), remote=lambda _: Faithful())
    results = parity(subject(run), effort=Effort(seed=7))

    assert [(result.backend, result.verdict) for result in results] == [
        ("mock", Verdict.PASSED),
        ("remote", Verdict.PASSED),
    ], [result.findings for result in results]
    for result in results:
        assert result.facts["simulator"] == simulator
        assert set(result.facts["steps_by_operation"]) == set(CONTRACT.spec.operations)
        assert result.facts["divergences_met"] == {"queue-batch-size": 1}


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_a_drifted_mock_is_refused(twin: type[Faithful], simulator: str, running: Running) -> None:
    run = running(mock=lambda _: twin(), remote=lambda _: Faithful())
    mock, remote = parity(subject(run), effort=LITTLE)

    assert mock.verdict is Verdict.REFUSED
    assert remote.verdict is Verdict.PASSED
    assert {finding.code for finding in mock.findings} == {"PARITY001"}
    named: list[Any] = [each for each in mock.findings if f" in {TWINS[twin]} " in each.message]
    assert named, [finding.message for finding in mock.findings]
