"""`retrying`: the one place where a failed call is made again.

Providers never retry. This reads what an error says of the world (`outcome`), what the service
asked for (`retry_after_seconds`) and what a repeat of the operation does (`Repeat`); never the
message.
"""

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from core_caps.calls.access import Calls, view_of
from core_caps.calls.observe import ATTEMPT
from core_caps.claims.hints import HINTS
from core_caps.claims.lattice import Effects
from core_caps.claims.manifest_shape import OperationClaim
from core_caps.claims.operation import Operation, Repeat, keys_given, operations_of
from core_caps.errors import (
    ClientClosed,
    Conflict,
    ContainerNotFound,
    EgressRefused,
    InvalidArgument,
    KeyCollision,
    LeaseExpired,
    ObjectAbsent,
    Outcome,
    PaymentDeclined,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    SignatureInvalid,
    TimedOut,
    Unauthenticated,
    Unavailable,
)

if TYPE_CHECKING:
    from core_caps.clock import Clock
    from core_caps.rng import Rng

__all__ = ["Policy", "Retrier", "retrying"]

_Provider = TypeVar("_Provider")
_Claim = Operation | OperationClaim

ATTEMPTS_MAX = 100
"""No policy may ask for more: a loop of retries ends."""

_DECIDED = (
    InvalidArgument,
    Unauthenticated,
    PermissionDenied,
    ContainerNotFound,
    Conflict,
    PreconditionFailed,
    ClientClosed,
    EgressRefused,
    ObjectAbsent,
    LeaseExpired,
    KeyCollision,
    PaymentDeclined,
    SignatureInvalid,
)
"""The same call would be answered the same: these are never repeated."""

_TRANSIENT = (RateLimited, Unavailable, TimedOut, ProtocolViolation)
"""These may pass. A class of a third party's own may, too, when it says how long to wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How often, and for how long, to try. All times are in seconds, by the injected clock.

    Attributes:
        max_attempts: attempts in all, the first included.
        base_seconds: the longest wait before the second attempt; it doubles with each attempt.
        cap_seconds: no wait is longer; a service that asks for more is not waited for.
        deadline_seconds: no attempt starts later than this after the first one began. An attempt
            under way is bounded by the provider's own timeout.
    """

    max_attempts: int = 4
    base_seconds: float = 0.2
    cap_seconds: float = 20.0
    deadline_seconds: float = 60.0

    def __post_init__(self) -> None:
        if type(self.max_attempts) is not int or not 1 <= self.max_attempts <= ATTEMPTS_MAX:
            raise ValueError(f"max_attempts must be 1 to {ATTEMPTS_MAX}, not {self.max_attempts!r}")
        for name in ("base_seconds", "cap_seconds", "deadline_seconds"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a finite number of seconds, not {value!r}")

    def wait_seconds(self, attempt: int, asked_seconds: float | None, chance: float) -> float:
        """The wait after an attempt, from 1; never less than the service asked for.

        Args:
            attempt: the attempt that failed.
            asked_seconds: the service's Retry-After, or None.
            chance: a number in [0, 1) that spreads callers who failed together.
        """
        doubled = self.base_seconds * 2.0 ** (attempt - 1)
        wait = chance * min(self.cap_seconds, doubled)
        if asked_seconds is None:
            return wait
        return max(asked_seconds, min(self.cap_seconds, asked_seconds + wait))


DEFAULT_POLICY = Policy()


def retrying(
    provider: _Provider,
    policy: Policy = DEFAULT_POLICY,
    *,
    clock: "Clock | None" = None,
    rng: "Rng | None" = None,
    protocol: type | None = None,
) -> _Provider:
    """The same capability, with failed calls repeated where a repeat is safe.

    A call is repeated when its error is transient and nothing was applied, or when its operation
    is `Repeat.SAFE`, or keyed and given its idempotency key, each item of a batch its own. A
    conditional write is not repeated after an UNKNOWN outcome: its condition may fail on its own
    first attempt. A stream is repeated only while nothing of it was consumed. Once an attempt may
    have been applied, the error that is raised says so, whatever the last attempt's own outcome.

    Args:
        provider: what `connect` yields, or any provider with `protocol` given.
        policy: how often and for how long.
        clock: waits on this clock; the machine's unless given.
        rng: spreads the waits; the system's randomness unless given.
        protocol: the protocol whose operations the provider has, where it is not a view.

    Raises:
        TypeError: the provider's operations are not known: give `protocol`.
    """
    if clock is None:
        from core_caps.clock import SystemClock

        clock = SystemClock()
    if rng is None:
        from core_caps.rng import SystemRng

        rng = SystemRng()
    shape = type(provider) if protocol is None else protocol
    operations = operations_of(shape)
    if not operations:
        raise TypeError(
            f"{type(provider).__qualname__} does not say which operations it has: "
            "retrying(provider, protocol=KeyValue); a synchronous provider is connected with retry="
        )
    retrier = Retrier(policy, clock, rng)
    calls: Calls = {
        name: retrier.call(getattr(provider, name), operation)
        for name, operation in operations.items()
        if hasattr(provider, name)
    }
    return cast("_Provider", view_of(shape, calls))


class Retrier:
    """A policy with its clock and randomness; it keeps nothing between calls."""

    def __init__(self, policy: Policy, clock: "Clock", rng: "Rng") -> None:
        self._policy = policy
        self._clock = clock
        self._rng = rng

    def call(self, call: Callable[..., Any], operation: _Claim) -> Callable[..., Any]:
        """The same call, repeated where what is claimed of its operation makes that safe."""

        async def run(*args: Any, **kwargs: Any) -> Any:
            repeat = _repeat(operation, args, kwargs)
            attempts = _Attempts(self._policy, self._clock, self._rng, repeat)
            args = tuple(attempts.argument(value) for value in args)
            kwargs = {name: attempts.argument(value) for name, value in kwargs.items()}
            while True:
                token = ATTEMPT.set(attempts.number)
                try:
                    return await call(*args, **kwargs)
                except ProviderError as error:
                    failed = error
                finally:
                    ATTEMPT.reset(token)
                await attempts.after(failed)

        async def stream(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            repeat = _repeat(operation, args, kwargs)
            attempts = _Attempts(self._policy, self._clock, self._rng, repeat)
            while True:
                source: Any = None
                try:
                    # Only while the stream is made: what reads it runs in this same context.
                    token = ATTEMPT.set(attempts.number)
                    try:
                        source = call(*args, **kwargs)
                    finally:
                        ATTEMPT.reset(token)
                    async for chunk in source:
                        attempts.consumed = True
                        yield chunk
                    return
                except ProviderError as error:
                    failed = error
                finally:
                    await _close(source)
                await attempts.after(failed)

        return stream if operation.streams else run


class _Attempts:
    """The attempts of one call.

    Attributes:
        number: the attempt under way, from 1.
        consumed: part of a stream is gone; there is nothing left to repeat with.
    """

    def __init__(self, policy: Policy, clock: "Clock", rng: "Rng", repeat: Repeat) -> None:
        self._policy = policy
        self._clock = clock
        self._rng = rng
        self._repeat = repeat
        self._started = clock.monotonic()
        self._worst = Outcome.NOT_APPLIED
        self.number = 1
        self.consumed = False

    def argument(self, value: Any) -> Any:
        return _Once(value, self) if hasattr(value, "__aiter__") else value

    async def after(self, error: ProviderError) -> None:
        """Wait for the next attempt, or raise what the last one met."""
        if error.outcome is Outcome.APPLIED or self._worst is Outcome.NOT_APPLIED:
            self._worst = error.outcome
        wait = self._wait_seconds(error)
        if wait is None:
            error.attempts = self.number
            error.outcome = self._worst
            raise error
        await self._clock.sleep(wait)
        self.number += 1

    def _wait_seconds(self, error: ProviderError) -> float | None:
        """How long to wait, or None where the call must not be made again."""
        policy, asked = self._policy, error.retry_after_seconds
        if self.consumed or self.number >= policy.max_attempts or isinstance(error, _DECIDED):
            return None
        if asked is None and not isinstance(error, _TRANSIENT):
            return None
        if error.outcome is not Outcome.NOT_APPLIED and self._repeat is not Repeat.SAFE:
            return None
        if asked is not None:
            asked = 0.0 if math.isnan(asked) else max(0.0, asked)
            if asked > policy.cap_seconds:
                return None
        wait = policy.wait_seconds(self.number, asked, self._rng.random())
        elapsed = self._clock.monotonic() - self._started
        return wait if elapsed + wait <= policy.deadline_seconds else None


class _Once:
    """A stream argument that tells when it was touched: from then on no attempt has all of it."""

    def __init__(self, source: AsyncIterator[Any], attempts: _Attempts) -> None:
        self._source = source
        self._attempts = attempts

    def __aiter__(self) -> "_Once":
        return self

    async def __anext__(self) -> Any:
        if not self._attempts.consumed:
            self._attempts.consumed = True
            self._source = aiter(self._source)
        return await anext(self._source)

    async def aclose(self) -> None:
        self._attempts.consumed = True
        await _close(self._source)


def _repeat(operation: _Claim, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Repeat:
    if operation.repeat is Repeat.KEYED and keys_given(operation, args, kwargs):
        return Repeat.SAFE
    conditional = any(kwargs.get(name) is not None for name in operation.conditions)
    if operation.repeat is Repeat.SAFE and conditional:
        # The first attempt may spoil the condition of the second.
        return Repeat.KEYED if _writes(operation) else Repeat.SAFE
    return operation.repeat


@cache
def _writes(operation: _Claim) -> bool:
    known = [HINTS[hint].floor.effects for hint in operation.hints if hint in HINTS]
    # A hint of a plugin's own family is taken for a write: the cautious side.
    return len(known) < len(operation.hints) or max(known) is Effects.EFFECTFUL


async def _close(stream: object) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
