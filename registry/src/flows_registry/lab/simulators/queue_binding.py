"""queue/1 over a Queues binding: what the vendor's runtime says a provider must answer.

The runtime pushes to its consumers and knows no pull; `hall.mjs` holds what it pushes until it is
pulled. So attempts, retries and what is given up are the runtime's own answers, while leases are
the hall's, and none runs out.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from core_caps.capabilities.queue import Delivery, Message
from core_caps.contract.suite import Call
from core_caps.errors import InvalidArgument, LeaseExpired, Unavailable

from flows_registry.lab.simulators.adapter import Binding, BindingAdapter, Steps
from flows_registry.lab.simulators.bridge import BridgeError
from flows_registry.lab.simulators.queue_boundaries import QUEUE_BOUNDARIES

__all__ = ["QUEUE_BINDING"]

_PULL_LIMIT_MAX = 100
"""https://developers.cloudflare.com/queues/configuration/pull-consumers/"""

_REFUSED = "(15000)"
"""The runtime's code for "unknown": so it calls what the simulator refuses, which are sizes."""


def _send(
    binding: Binding, body: bytes, *, key: str = "", delay_seconds: int | None = None
) -> Steps:
    content, options = _content(body, key, delay_seconds)
    yield binding.call("$send", content, options)
    return None


def _send_batch(binding: Binding, messages: Sequence[Message]) -> Steps:
    entries: list[Mapping[str, object]] = []
    for message in messages:
        content, options = _content(message.body, message.key, message.delay_seconds)
        entries.append({"body": content, **options})
    if entries:  # the binding refuses an empty batch, the contract takes it
        yield binding.call("$send_batch", entries)
    return None


def _pull(binding: Binding, *, limit: int = 10, visibility_seconds: int | None = None) -> Steps:
    if not 1 <= limit <= _PULL_LIMIT_MAX:  # there is no pull in the binding that would refuse it
        raise InvalidArgument(f"limit is {limit}; it is 1 to {_PULL_LIMIT_MAX}")
    found = yield binding.call("$pull", limit)
    return tuple(_delivery(message, binding.ahead_seconds) for message in found)


def _ack(binding: Binding, leases: Sequence[str]) -> Steps:
    return _settled(binding, leases, {"retry": False})


def _retry(binding: Binding, leases: Sequence[str], *, delay_seconds: int | None = None) -> Steps:
    options = {} if delay_seconds is None else {"delaySeconds": delay_seconds}
    return _settled(binding, leases, {"retry": True, "options": options})


def _settled(binding: Binding, leases: Sequence[str], fate: Mapping[str, object]) -> Steps:
    expired = yield binding.call("$settle", list(dict.fromkeys(leases)), fate)
    if expired:
        raise LeaseExpired(f"{len(expired)} leases do not hold", leases=expired)
    return None


def _content(
    body: bytes, key: str, delay_seconds: int | None
) -> tuple[object, Mapping[str, object]]:
    """What is sent, in the type that keeps it whole, and the options of sending it."""
    options: dict[str, object] = {}
    if delay_seconds is not None:
        options["delaySeconds"] = delay_seconds
    if key:
        keyed = {"key": key, "base64": base64.b64encode(body).decode()}
        return keyed, {**options, "contentType": "json"}
    try:
        return body.decode(), {**options, "contentType": "text"}
    except UnicodeDecodeError:
        return body, {**options, "contentType": "bytes"}


def _delivery(message: Mapping[str, object], ahead_seconds: float) -> Delivery:
    key, body = "", message["body"]
    match body:
        case {"key": str(key), "base64": str(text)}:
            body = base64.b64decode(text)
        case str():
            body = body.encode()
        case _:
            pass
    attempts, timestamp = message["attempts"], message["timestamp"]
    assert isinstance(body, bytes)
    assert isinstance(attempts, int)
    assert isinstance(timestamp, float)
    sent_at = timestamp - ahead_seconds
    return Delivery(str(message["id"]), body, key, attempts, sent_at, str(message["lease"]))


def _error(error: BridgeError) -> Exception:
    """The error that a faithful provider raises where the binding throws."""
    if error.name in {"TypeError", "RangeError"} or error.message.endswith(_REFUSED):
        return InvalidArgument(error.message)
    return Unavailable(error.message)


def _asked(call: Call) -> Call:
    """A pull of everything that is due: of a part, no order being promised, any will do."""
    limit = call.kwargs.get("limit", 10)
    if call.operation != "pull" or not isinstance(limit, int) or limit < 1:
        return call
    return replace(call, kwargs={**call.kwargs, "limit": max(limit, _PULL_LIMIT_MAX)})


def _attempts(call: Call, value: object) -> object:
    """How often each message was delivered: the runtime counts, and so does a provider."""
    if call.operation != "pull" or not isinstance(value, Sequence):
        return None
    deliveries = [each for each in cast("Sequence[object]", value) if isinstance(each, Delivery)]
    return sorted((each.body, each.key, each.attempts) for each in deliveries)


QUEUE_BINDING = BindingAdapter(
    contract="queue/1",
    surface="Queues binding",
    pool="queue",
    operations={
        "send": _send,
        "send_batch": _send_batch,
        "pull": _pull,
        "ack": _ack,
        "retry": _retry,
    },
    error=_error,
    boundaries=QUEUE_BOUNDARIES,
    asked=_asked,
    traits=_attempts,
)
