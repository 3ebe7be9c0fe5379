"""At least one way to use each operation: what the certifier meets with faults."""

from core_caps.capabilities.queue import Message
from core_caps.contract.suite import PERSONAL_CONTENT, Call, Exercise, Result

__all__ = ["EXERCISES"]

_BYTES = bytes(range(256)) * 100
_LEASE = {"visibility_seconds": 600}

_SEND = Call("send", (PERSONAL_CONTENT,), {"key": "greeting"})
_THREE = Call("send_batch", ([Message(b"a", "1"), Message(_BYTES, "2"), Message(b"", "3")],))
_PULL = Call("pull", (), _LEASE)
_PULLED = Result(1, "*.lease")


def _send(name: str, body: bytes, **named: object) -> Exercise:
    return Exercise(name, Call("send", (body,), named), probe=(Call("pull"),))


EXERCISES = (
    _send("send", PERSONAL_CONTENT),
    _send("send empty", b""),
    _send("send binary", _BYTES),
    _send("send with key", PERSONAL_CONTENT, key="f3a1/é+\U0001f511"),
    _send("send with key, at once", PERSONAL_CONTENT, key="greeting", delay_seconds=0),
    Exercise("send with delay", Call("send", (PERSONAL_CONTENT,), {"delay_seconds": 60})),
    Exercise("send_batch", _THREE, probe=(Call("pull"),)),
    Exercise(
        "send_batch of some without key",
        Call("send_batch", ([Message(b"a"), Message(b"b", "k", 0), Message(_BYTES)],)),
        probe=(Call("pull"),),
    ),
    Exercise("pull", _PULL, (_SEND,)),
    Exercise("pull for as long as the queue says", Call("pull"), (_SEND,)),
    Exercise("pull several", _PULL, (_THREE, _SEND)),
    Exercise("pull one", Call("pull", (), {"limit": 1, **_LEASE}), (_SEND,)),
    Exercise("pull nothing", _PULL),
    Exercise("ack", Call("ack", (_PULLED,)), (_SEND, _PULL)),
    Exercise("ack several", Call("ack", (_PULLED,)), (_THREE, _PULL)),
    Exercise(
        "retry", Call("retry", (_PULLED,), {"delay_seconds": 0}), (_SEND, _PULL), (Call("pull"),)
    ),
    Exercise("retry several", Call("retry", (_PULLED,)), (_THREE, _PULL)),
    Exercise("retry later", Call("retry", (_PULLED,), {"delay_seconds": 60}), (_SEND, _PULL)),
)
