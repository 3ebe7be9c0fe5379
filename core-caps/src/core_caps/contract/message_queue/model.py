"""What an honest queue may answer: histories, a model that follows, and what may be compared.

At least once means that a message may come twice and in any order, also after it was settled. So
the model is told what came: it knows what was sent, what must be due, and which leases may hold.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from core_caps.capabilities.queue import Delivery, Message
from core_caps.contract.suite import Call, Result
from core_caps.errors import InvalidArgument, LeaseExpired

__all__ = ["QueueModel", "comparable", "generate", "read_back"]

_ATTEMPTS_SURE = 3
"""A queue may give up a message that was delivered so often."""

_LEASE_SECONDS = 600
"""Longer than a history takes."""

_MESSAGES = (
    (b"", ""),
    (b"plain", ""),
    (b"a", "a"),
    (b"b", "b/é%2F"),
    (bytes(range(256)), "c"),
    (b"\xff", "0"),
    (b"x" * 5000, "x"),
)

_Sent = tuple[bytes, str]
"""A message as its receivers tell it from others: body and key."""


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over a few messages, some of them sent again, with a few refused calls."""
    makers: dict[str, Callable[[random.Random, str, Sequence[Call]], Call]] = {
        "send": _send,
        "send_batch": _send_batch,
        "pull": _pull,
        "ack": _settle,
        "retry": _settle,
    }
    weights = {"send": 4, "send_batch": 2, "pull": 4, "ack": 2, "retry": 2}
    names = [name for name in makers if name in operations]
    calls: list[Call] = []
    for name in source.choices(names, [weights[name] for name in names], k=length):
        calls.append(makers[name](source, name, calls))
    return calls


@dataclass(slots=True)
class _Pull:
    """What one call gave, and whether its leases hold: True, False, or None where who knows."""

    given: Sequence[_Sent] = ()
    holds: bool | None = True


class QueueModel:
    """What was sent, what is surely due, and the leases that were given out. No time passes."""

    def __init__(self) -> None:
        self._sent: set[_Sent] = set()
        self._keys: set[str] = set()
        self._due: Counter[_Sent] = Counter()
        self._delivered: Counter[_Sent] = Counter()
        self._calls: list[_Pull] = []

    def apply(self, call: Call) -> object:
        """An answer that an honest queue gives.

        Raises:
            InvalidArgument: the protocol refuses the call; nothing changed.
            LeaseExpired: a lease that was settled before does not hold.
        """
        answer = self._due_now(call) if call.operation == "pull" else None
        if _is_refused(call):
            self.accepts(call, None, InvalidArgument.__name__)
            raise InvalidArgument(f"{call.operation} is refused")
        if not self.accepts(call, answer):
            self.accepts(call, None, LeaseExpired.__name__)
            raise LeaseExpired("settled before")
        return answer

    def accepts(self, call: Call, answer: object, error: str = "") -> bool:
        """Whether an honest queue may answer so."""
        if _is_refused(call):
            accepted = error == InvalidArgument.__name__
        elif call.operation in ("ack", "retry"):
            accepted = self._may_settle(call, error)
        elif call.operation == "pull":
            accepted = not error and self._may_give(call, answer)
        else:
            accepted = not error and answer is None
        if accepted:
            self._go_on(call, answer, error)
        return accepted

    def lost(self, call: Call, applied: bool | None) -> None:
        """A call whose answer was lost: what it may have done is not sure any more."""
        made = _Pull()
        if applied is not False and not _is_refused(call):
            if call.operation == "pull":
                self._due.clear()
            elif call.operation in ("ack", "retry"):
                self._leased(call).holds = None
            else:
                self._send(call, surely=applied is True)
        self._calls.append(made)

    def state(self) -> object:
        """The messages that are surely due, each with how often."""
        return sorted(self._due.elements())

    def _may_give(self, call: Call, answer: object) -> bool:
        """Anything that was sent, any number of times; nothing only where nothing is due."""
        given = _pairs(answer)
        if given is None or len(given) > _limit(call):
            return False
        return set(given) <= self._sent if given else not +self._due

    def _may_settle(self, call: Call, error: str) -> bool:
        leased = self._leased(call)
        holds = leased.holds if leased.given else True
        if error:
            return error == LeaseExpired.__name__ and holds is not True
        return holds is not False

    def _go_on(self, call: Call, answer: object, error: str) -> None:
        made = _Pull()
        if call.operation == "pull":
            made = _Pull(_pairs(answer) or ())
            self._take(made.given)
        elif call.operation in ("ack", "retry") and not _is_refused(call):
            leased = self._leased(call)
            if call.operation == "retry" and leased.holds and not error:
                self._give_back(leased.given)
            leased.holds = False
        elif not error:
            self._send(call, surely=True)
        self._calls.append(made)

    def _take(self, given: Sequence[_Sent]) -> None:
        for earlier in self._calls:
            if earlier.holds and not set(given).isdisjoint(earlier.given):
                earlier.holds = None  # it may be the same message, delivered again
        self._due -= Counter(given)
        self._delivered.update(given)

    def _give_back(self, given: Iterable[_Sent]) -> None:
        self._due.update(each for each in given if self._delivered[each] < _ATTEMPTS_SURE)

    def _send(self, call: Call, *, surely: bool) -> None:
        for message in _messages(call):
            sent = (message.body, message.key)
            self._sent.add(sent)
            # A queue may drop what it knows by its key, and have a delay of its own.
            if surely and message.delay_seconds == 0 and message.key not in self._keys:
                self._due[sent] += 1
            if message.key:
                self._keys.add(message.key)

    def _leased(self, call: Call) -> _Pull:
        leases = call.args[0]
        if isinstance(leases, Result):
            return self._calls[leases.step]
        return _Pull([(b"", "")] if leases else (), holds=False)

    def _due_now(self, call: Call) -> Sequence[_Sent]:
        return sorted(self._due.elements())[: max(0, _limit(call))]


def comparable(call: Call, result: object) -> object:
    """What a pull gave as bodies and keys in one order; a lease, an id and a time are opaque, and
    how often a message was delivered before is the queue's luck."""
    if call.operation != "pull" or not isinstance(result, Sequence):
        return result
    items = cast("Sequence[object]", result)
    if not all(isinstance(each, Delivery) for each in items):
        return cast("object", result)
    return sorted((each.body, each.key) for each in cast("Sequence[Delivery]", items))


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Everything that is held is given back, and then pulled until there is no more."""
    pulls = [number for number, call in enumerate(calls) if call.operation == "pull"]
    copies = sum(len(_messages(call)) for call in calls)
    return [
        *(Call("retry", (Result(n, "*.lease"),), {"delay_seconds": 0}) for n in pulls),
        *[Call("pull", (), {"visibility_seconds": _LEASE_SECONDS})] * (copies // 5 + 2),
    ]


def _send(source: random.Random, operation: str, _: Sequence[Call]) -> Call:
    body, key = source.choice(_MESSAGES)
    named: dict[str, object] = {"key": key} if key else {}
    delay = _delay(source)
    if delay is not None:
        named["delay_seconds"] = delay
    return Call(operation, (body,), named)


def _send_batch(source: random.Random, operation: str, _: Sequence[Call]) -> Call:
    chosen = source.choices(_MESSAGES, k=source.randint(0, 4))
    return Call(operation, ([Message(body, key, _delay(source)) for body, key in chosen],))


def _delay(source: random.Random) -> int | None:
    return source.choices((0, None, -1), (16, 3, 1))[0]


def _pull(source: random.Random, operation: str, _: Sequence[Call]) -> Call:
    limit = source.choices((10, 1, 2, 0), (10, 4, 5, 1))[0]
    return Call(operation, (), {"limit": limit, "visibility_seconds": _LEASE_SECONDS})


def _settle(source: random.Random, operation: str, before: Sequence[Call]) -> Call:
    pulls = [number for number, call in enumerate(before) if call.operation == "pull"]
    leases: object = Result(source.choice(pulls[-3:]), "*.lease") if pulls else ()
    return Call(operation, (leases,), {"delay_seconds": 0} if operation == "retry" else {})


def _is_refused(call: Call) -> bool:
    delays = [message.delay_seconds for message in _messages(call)]
    delays.append(cast("int | None", call.kwargs.get("delay_seconds")))
    return any((delay or 0) < 0 for delay in delays) or _limit(call) < 1


def _limit(call: Call) -> int:
    return cast("int", call.kwargs.get("limit", 10))


def _messages(call: Call) -> Sequence[Message]:
    if call.operation == "send":
        named = call.kwargs
        key, delay = (
            cast("str", named.get("key", "")),
            cast("int | None", named.get("delay_seconds")),
        )
        return [Message(cast("bytes", call.args[0]), key, delay)]
    return cast("Sequence[Message]", call.args[0]) if call.operation == "send_batch" else ()


def _pairs(answer: object) -> list[_Sent] | None:
    """The messages that a pull gave, or None where it is no answer of a pull."""
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        return None
    try:
        return [(body, key) for body, key in cast("Sequence[_Sent]", answer)]
    except (TypeError, ValueError):
        return None
