"""Histories at the edges of what the vendor documents for Queues, for `queue/1`.

https://developers.cloudflare.com/queues/platform/limits/ and
https://developers.cloudflare.com/queues/configuration/batching-retries/
"""

from collections.abc import Mapping

from core_caps.capabilities.queue import Message
from core_caps.contract.suite import Call, Result

__all__ = ["QUEUE_BOUNDARIES"]

_MOST = b"m" * 128_000  # https://developers.cloudflare.com/queues/platform/limits/
_PULL = Call("pull", (), {"limit": 10, "visibility_seconds": 600})
_DAY = 86_400  # https://github.com/cloudflare/cloudflare-docs/pull/28335


def _until_given_up(deliveries: int, settled_by: str) -> tuple[Call, ...]:
    """A message that fails as often as it is delivered, and a last look for it."""
    calls: list[Call] = [Call("send", (b"poison",), {"key": "k"})]
    for _ in range(deliveries):
        calls += [_PULL, Call(settled_by, (Result(len(calls), "*.lease"),))]
    return (*calls, _PULL)


QUEUE_BOUNDARIES: Mapping[str, tuple[Call, ...]] = {
    "message of 128000 bytes": (Call("send", (_MOST,)), _PULL),
    "message of 128001 bytes": (Call("send", (_MOST + b"m",)), _PULL),
    "batch of 100 messages": (Call("send_batch", ([Message(b"m")] * 100,)),),
    "batch of 101 messages": (Call("send_batch", ([Message(b"m")] * 101,)), _PULL),
    "batch of 256000 bytes": (Call("send_batch", ([Message(_MOST)] * 2,)), _PULL),
    "batch of 256001 bytes": (
        Call("send_batch", ([Message(_MOST), Message(_MOST), Message(b"m")],)),
        _PULL,
    ),
    "batch of 300000 bytes": (Call("send_batch", ([Message(_MOST[:100_000])] * 3,)), _PULL),
    "empty batch": (Call("send_batch", ([],)), _PULL),
    "delay of a day": (Call("send", (b"m",), {"delay_seconds": _DAY}), _PULL),
    "delay of a day and a second": (Call("send", (b"m",), {"delay_seconds": _DAY + 1}), _PULL),
    "negative delay": (Call("send", (b"m",), {"delay_seconds": -1}), _PULL),
    "some of a batch delayed": (
        Call(
            "send_batch", ([Message(b"now"), Message(b"later", "", 60), Message(b"too", "k", 0)],)
        ),
        _PULL,
    ),
    "empty body, and bytes that are no text": (
        Call("send", (b"",)),
        Call("send", (bytes(range(256)),)),
        Call("send", (b"",), {"key": "é"}),
        _PULL,
    ),
    "retried until it is given up": _until_given_up(4, "retry"),
    "acknowledged at once": _until_given_up(1, "ack"),
    "retried later": (
        Call("send", (b"m",)),
        _PULL,
        Call("retry", (Result(1, "*.lease"),), {"delay_seconds": 60}),
        _PULL,
    ),
    "a lease settles once": (
        Call("send", (b"m",)),
        _PULL,
        Call("ack", (Result(1, "*.lease"),)),
        Call("ack", (Result(1, "*.lease"),)),
        Call("retry", (Result(1, "*.lease"),)),
        _PULL,
    ),
    "an earlier lease is none": (
        Call("send", (b"m",)),
        _PULL,
        Call("retry", (Result(1, "*.lease"),)),
        _PULL,
        Call("ack", (Result(1, "*.lease"),)),
        Call("ack", (Result(3, "*.lease"),)),
        _PULL,
    ),
    "a dozen retried, then acknowledged": (
        Call("send_batch", ([Message(b"m", f"k{number}") for number in range(12)],)),
        Call("pull", (), {"limit": 12, "visibility_seconds": 600}),
        Call("retry", (Result(1, "*.lease"),)),
        Call("pull", (), {"limit": 12, "visibility_seconds": 600}),
        Call("ack", (Result(3, "*.lease"),)),
        _PULL,
    ),
}
