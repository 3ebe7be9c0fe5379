"""Observation: one record for every call, and no cost where nobody listens.

A record says what was called, how it ended, how long it took and how many bytes went each way.
It never holds a key, a value, a message or a secret.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from core_caps.errors import CapsError, Outcome, ProviderError

if TYPE_CHECKING:
    from core_caps.clock import Clock

__all__ = ["ATTEMPT", "CallRecord", "Observer", "observed"]

ATTEMPT: ContextVar[int] = ContextVar("core_caps_attempt", default=1)
"""Which attempt of a call is under way, from 1; `retrying` sets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """How one call went.

    Attributes:
        capability: the capability's short name, `kv`.
        operation: the operation's name.
        hints: what the operation touches.
        status: `ok`, `error`, or `cancelled`.
        outcome: what a call that did not succeed did to the world; None when it succeeded.
        error: the diagnostic code of the error, or the exception's class name where it has none.
        bytes_in: payload bytes given to the call.
        bytes_out: payload bytes that it returned; of a stream, those that were read.
        duration_seconds: from the call to its end (a stream's last chunk), by the injected clock.
        attempt: which attempt it was, from 1.
    """

    capability: str
    operation: str
    hints: tuple[str, ...]
    status: Literal["ok", "error", "cancelled"]
    outcome: Outcome | None
    error: str | None
    bytes_in: int
    bytes_out: int
    duration_seconds: float
    attempt: int


Observer = Callable[[CallRecord], None]
"""Listens to calls. It is called after the call ended; what it raises is logged and dropped."""


def observed(
    call: Callable[..., Any],
    *,
    capability: str,
    operation: str,
    hints: tuple[str, ...],
    streams: bool,
    observer: Observer,
    clock: "Clock",
) -> Callable[..., Any]:
    """The same call, recorded: a coroutine function, or an iterator's maker where it `streams`."""

    def started() -> "_Watch":
        return _Watch(capability, operation, hints, observer, clock)

    async def run(*args: Any, **kwargs: Any) -> Any:
        watch = started()
        try:
            result = await call(*watch.given(args), **watch.given_by_name(kwargs))
        except BaseException as error:
            watch.end(error)
            raise
        watch.bytes_out = _size(result)
        watch.end(None)
        return result

    def open_stream(*args: Any, **kwargs: Any) -> Any:
        watch = started()
        try:
            stream = call(*watch.given(args), **watch.given_by_name(kwargs))
        except BaseException as error:
            watch.end(error)
            raise
        return watch.through(stream)

    return open_stream if streams else run


class _Watch:
    """One call being watched."""

    __slots__ = ("_about", "_attempt", "_clock", "_observer", "_start", "bytes_in", "bytes_out")

    def __init__(
        self,
        capability: str,
        operation: str,
        hints: tuple[str, ...],
        observer: Observer,
        clock: "Clock",
    ) -> None:
        self._about = (capability, operation, hints)
        self._observer = observer
        self._clock = clock
        self._attempt = ATTEMPT.get()
        self._start = clock.monotonic()
        self.bytes_in = 0
        self.bytes_out = 0

    def given(self, args: Sequence[Any]) -> list[Any]:
        return [self._argument(value) for value in args]

    def given_by_name(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._argument(value) for name, value in kwargs.items()}

    def _argument(self, value: Any) -> Any:
        if hasattr(value, "__aiter__"):
            return self._counted(value)
        self.bytes_in += _size(value)
        return value

    async def _counted(self, source: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for chunk in source:
                self.bytes_in += _size(chunk)
                yield chunk
        finally:
            await _close(source)

    async def through(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for chunk in stream:
                self.bytes_out += _size(chunk)
                yield chunk
        except GeneratorExit:
            await _close(stream)
            self.end(None)  # the reader left early, as it may
            raise
        except BaseException as error:
            self.end(error)
            raise
        self.end(None)

    def end(self, error: BaseException | None) -> None:
        capability, operation, hints = self._about
        status, outcome, code = _verdict(error)
        record = CallRecord(
            capability=capability,
            operation=operation,
            hints=hints,
            status=status,
            outcome=outcome,
            error=code,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            duration_seconds=self._clock.monotonic() - self._start,
            attempt=self._attempt,
        )
        try:
            self._observer(record)
        except Exception:
            import logging

            logging.getLogger(__name__).exception("an observer of calls failed")


def _verdict(
    error: BaseException | None,
) -> tuple[Literal["ok", "error", "cancelled"], Outcome | None, str | None]:
    from asyncio import CancelledError  # a running call has imported it already

    if error is None:
        return "ok", None, None
    name = type(error).__name__
    if isinstance(error, CancelledError | GeneratorExit | KeyboardInterrupt):
        return "cancelled", Outcome.UNKNOWN, name
    outcome = error.outcome if isinstance(error, ProviderError) else Outcome.UNKNOWN
    code = error.code if isinstance(error, CapsError) and error.code else name
    return "error", outcome, code


def _size(value: Any, depth: int = 2) -> int:
    """The payload bytes in a value: bytes, and bytes inside mappings, sequences and dataclasses."""
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, memoryview):
        return value.nbytes
    if depth == 0 or value is None or isinstance(value, str | int | float):
        return 0
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)
        return sum(_size(item, depth - 1) for item in entries.values())
    if isinstance(value, list | tuple):
        return sum(_size(item, depth - 1) for item in cast("Sequence[Any]", value))
    if is_dataclass(value) and not isinstance(value, type):
        return sum(_size(getattr(value, item.name), depth - 1) for item in fields(value))
    return 0


async def _close(stream: object) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
