"""The one retrier: what is repeated, how long it waits, when it gives up and what it then says."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, Protocol

import pytest
from core_caps import BlobStore, KeyValue, Policy, SeededRng, VirtualClock, limited, retrying
from core_caps.calls.observe import ATTEMPT
from core_caps.capabilities.queue import Message
from core_caps.claims.operation import Repeat, operation
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
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.feature("AL-07")


class Steady:
    """Randomness that always gives the longest wait."""

    def random(self) -> float:
        return 1.0 - 2**-53

    def token(self, size_bytes: int) -> bytes:
        return b"0" * size_bytes


class Sends(Protocol):
    @operation("resource::queue::publish", repeat=Repeat.UNSAFE)
    async def send(self) -> str: ...

    @operation("resource::queue::publish", repeat=Repeat.KEYED, key="once")
    async def send_keyed(self, *, once: str | None = None) -> str: ...

    @operation("resource::queue::publish", repeat=Repeat.KEYED, key="messages.key")
    async def send_batch(self, messages: Sequence[Message]) -> str: ...

    @operation("resource::queue::publish")
    async def send_safely(self) -> str: ...


class Failing:
    """A provider that fails as told, one error for each attempt, and then answers."""

    def __init__(self, *errors: BaseException | None) -> None:
        self.errors = list(errors)
        self.attempts: list[int] = []
        self.bodies: list[bytes] = []

    async def _answer(self) -> Any:
        self.attempts.append(ATTEMPT.get())
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return b"done"

    async def get(self, key: str, **conditions: object) -> bytes:
        return await self._answer()

    async def put(self, key: str, value: Any, **conditions: object) -> bytes:
        if hasattr(value, "__aiter__"):
            async for chunk in value:
                self.bodies.append(chunk)
                if self.errors and isinstance(self.errors[0], Unavailable):
                    break
        return await self._answer()

    async def send_keyed(self, *, once: str | None = None) -> bytes:
        return await self._answer()

    async def send_batch(self, messages: Sequence[Message]) -> bytes:
        return await self._answer()

    send = send_safely = _answer

    def open(self, key: str) -> AsyncIterator[bytes]:
        self.attempts.append(ATTEMPT.get())
        return self._chunks(self.errors.pop(0) if self.errors else None)

    async def _chunks(self, error: BaseException | None) -> AsyncIterator[bytes]:
        if isinstance(error, RateLimited):
            raise error
        yield b"first"
        if error is not None:
            raise error
        yield b"last"


def over(
    provider: Failing, policy: Policy | None = None, protocol: type[Any] = KeyValue
) -> tuple[Any, VirtualClock]:
    clock = VirtualClock(auto=True)
    wrapped = retrying(limited(provider, protocol), policy or Policy(), clock=clock, rng=Steady())
    return wrapped, clock


TRANSIENT: Sequence[ProviderError] = (
    RateLimited("429"),
    Unavailable("503"),
    Unavailable("refused", outcome=Outcome.NOT_APPLIED),
    Unavailable("answer lost", outcome=Outcome.APPLIED),
    TimedOut("silence"),
    ProtocolViolation("truncated"),
)


@pytest.mark.parametrize("error", TRANSIENT, ids=str)
@pytest.mark.parametrize("call", ["get", "put"])
async def test_what_may_pass_is_repeated_where_twice_is_once(
    error: ProviderError, call: str
) -> None:
    provider = Failing(error, error)
    kv, _ = over(provider)
    assert await (kv.get("k") if call == "get" else kv.put("k", b"v")) == b"done"
    assert provider.attempts == [1, 2, 3]


@pytest.mark.parametrize(
    "error",
    [
        InvalidArgument("400"),
        Unauthenticated("401"),
        PermissionDenied("403"),
        ContainerNotFound("404"),
        Conflict("409"),
        PreconditionFailed("412"),
        ClientClosed("closed"),
        ObjectAbsent("absent"),
        LeaseExpired("held no more", leases=["a"]),
        KeyCollision("one key, two payloads", keys=["a"]),
        PaymentDeclined("402"),
        EgressRefused("elsewhere"),
        SignatureInvalid("forged"),
        Conflict("409", retry_after_seconds=0.1),
        ProviderError("of a kind nobody knows"),
        ValueError("no provider's error at all"),
    ],
    ids=str,
)
async def test_what_was_decided_is_never_repeated(error: Exception) -> None:
    provider = Failing(error)
    kv, _ = over(provider)
    with pytest.raises(type(error)) as raised:
        await kv.get("k")
    assert raised.value is error
    assert provider.attempts == [1]


async def test_a_foreign_error_that_says_when_to_come_back_is_repeated() -> None:
    class QueueFull(ProviderError):
        code = ""

    provider = Failing(QueueFull("full", retry_after_seconds=1, outcome=Outcome.NOT_APPLIED))
    kv, clock = over(provider)
    assert await kv.get("k") == b"done"
    assert clock.monotonic() >= 1


@pytest.mark.parametrize(
    ("call", "outcome", "attempts"),
    [
        ("send", Outcome.NOT_APPLIED, 2),
        ("send", Outcome.UNKNOWN, 1),
        ("send", Outcome.APPLIED, 1),
        ("send_keyed", Outcome.NOT_APPLIED, 2),
        ("send_keyed", Outcome.UNKNOWN, 1),
        ("send_safely", Outcome.UNKNOWN, 2),
        ("send_safely", Outcome.APPLIED, 2),
    ],
)
async def test_an_unknown_outcome_is_repeated_only_where_that_is_safe(
    call: str, outcome: Outcome, attempts: int
) -> None:
    provider = Failing(Unavailable("5xx", outcome=outcome))
    queue, _ = over(provider, protocol=Sends)
    if attempts == 1:
        with pytest.raises(Unavailable):
            await getattr(queue, call)()
    else:
        assert await getattr(queue, call)() == b"done"
    assert len(provider.attempts) == attempts


@pytest.mark.feature("CK-03")
async def test_a_key_makes_every_outcome_safe_to_repeat() -> None:
    provider = Failing(Unavailable("lost", outcome=Outcome.UNKNOWN))
    queue, _ = over(provider, protocol=Sends)
    assert await queue.send_keyed(once="k") == b"done"
    assert len(provider.attempts) == 2


@pytest.mark.feature("CK-03", "PH2-06")
async def test_a_batch_is_repeated_where_each_of_its_messages_has_a_key() -> None:
    keyed, bare = Message(b"a", key="1"), Message(b"b")
    for messages, attempts in (([keyed, Message(b"b", key="2")], 2), ([keyed, bare], 1), ([], 1)):
        for args, named in (((messages,), {}), ((), {"messages": messages})):
            provider = Failing(Unavailable("lost", outcome=Outcome.UNKNOWN))
            queue, _ = over(provider, protocol=Sends)
            with suppress(Unavailable):
                await queue.send_batch(*args, **named)
            assert len(provider.attempts) == attempts


@pytest.mark.feature("CK-03")
async def test_empty_text_is_no_key() -> None:
    provider = Failing(Unavailable("lost", outcome=Outcome.UNKNOWN))
    queue, _ = over(provider, protocol=Sends)
    with pytest.raises(Unavailable):
        await queue.send_keyed(once="")


@pytest.mark.parametrize("condition", ["if_match", "if_none_match"])
async def test_a_conditional_write_may_have_spoiled_its_own_condition(condition: str) -> None:
    provider = Failing(TimedOut("silence"))
    blob, _ = over(provider, protocol=BlobStore)
    with pytest.raises(TimedOut):
        await blob.put("k", b"v", **{condition: "*"})
    assert await blob.put("k", b"v", **{condition: None}) == b"done"
    provider = Failing(TimedOut("silence"))
    blob, _ = over(provider, protocol=BlobStore)
    assert await blob.get("k", **{condition: "etag"}) == b"done"
    assert provider.attempts == [1, 2]


async def test_once_something_may_be_applied_the_last_refusal_does_not_hide_it() -> None:
    provider = Failing(Unavailable("lost"), RateLimited("429"), PermissionDenied("403"))
    kv, _ = over(provider)
    with pytest.raises(PermissionDenied) as raised:
        await kv.put("k", b"v")
    assert raised.value.outcome is Outcome.UNKNOWN


async def test_the_raised_error_says_how_often_it_was_tried() -> None:
    kv, _ = over(Failing(*[Unavailable("503") for _ in range(9)]), Policy(max_attempts=3))
    with pytest.raises(Unavailable) as raised:
        await kv.get("k")
    assert raised.value.attempts == 3
    assert "(3 attempts)" in str(raised.value)


class TestWaiting:
    async def test_waits_double_up_to_the_cap(self) -> None:
        kv, clock = over(
            Failing(*[Unavailable("503") for _ in range(4)]),
            Policy(max_attempts=5, base_seconds=1, cap_seconds=3),
        )
        await kv.get("k")
        assert clock.monotonic() == pytest.approx(1 + 2 + 3 + 3)

    async def test_never_less_than_the_service_asks(self) -> None:
        provider = Failing(RateLimited("429", retry_after_seconds=7))
        kv, clock = over(provider, Policy(base_seconds=0))
        await kv.get("k")
        assert clock.monotonic() == 7

    @pytest.mark.parametrize("asked", [20.5, 3600, math.inf, 1e300])
    async def test_what_asks_for_too_much_is_not_waited_for(self, asked: float) -> None:
        error = RateLimited("429", retry_after_seconds=asked)
        provider = Failing(error)
        kv, clock = over(provider)
        with pytest.raises(RateLimited) as raised:
            await kv.get("k")
        assert raised.value is error
        assert raised.value.retry_after_seconds == asked
        assert (provider.attempts, clock.monotonic()) == ([1], 0)

    @pytest.mark.parametrize("asked", [math.nan, -1.0, -math.inf])
    async def test_nonsense_is_not_waited_for(self, asked: float) -> None:
        kv, clock = over(Failing(RateLimited("429", retry_after_seconds=asked)))
        assert await kv.get("k") == b"done"
        assert clock.monotonic() == pytest.approx(0.2)

    async def test_no_attempt_starts_after_the_deadline(self) -> None:
        provider = Failing(*[Unavailable("503") for _ in range(50)])
        policy = Policy(max_attempts=50, base_seconds=4, cap_seconds=4, deadline_seconds=10)
        kv, clock = over(provider, policy)
        with pytest.raises(Unavailable):
            await kv.get("k")
        assert len(provider.attempts) == 3
        assert clock.monotonic() <= 10

    async def test_cancellation_is_immediate(self) -> None:
        clock = VirtualClock()
        provider = Failing(Unavailable("503"))
        kv = retrying(limited(provider, KeyValue), clock=clock, rng=Steady())
        task = asyncio.create_task(kv.get("k"))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert provider.attempts == [1]

    @given(
        attempt=st.integers(1, 100),
        asked=st.none() | st.floats(0, 20),
        chance=st.floats(0, 1, exclude_max=True),
    )
    def test_every_wait_is_within_its_bounds(
        self, attempt: int, asked: float | None, chance: float
    ) -> None:
        policy = Policy(max_attempts=100)
        wait = policy.wait_seconds(attempt, asked, chance)
        assert (asked or 0) <= wait <= policy.cap_seconds

    @pytest.mark.parametrize(
        "fields",
        [
            {"max_attempts": 0},
            {"max_attempts": 101},
            {"max_attempts": 1.5},
            {"max_attempts": "3"},
            {"max_attempts": True},
            {"base_seconds": "1"},
            {"cap_seconds": None},
            {"base_seconds": -1},
            {"cap_seconds": math.inf},
            {"deadline_seconds": math.nan},
        ],
    )
    def test_a_policy_without_bounds_is_refused(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="must be"):
            Policy(**fields)

    async def test_one_seed_gives_the_same_waits(self) -> None:
        elapsed: list[float] = []
        for _ in range(2):
            clock = VirtualClock(auto=True)
            provider = Failing(Unavailable("503"), Unavailable("503"))
            kv = retrying(limited(provider, KeyValue), clock=clock, rng=SeededRng(3))
            await kv.get("k")
            elapsed.append(clock.monotonic())
        assert elapsed[0] == elapsed[1] > 0


class TestStreams:
    async def test_a_read_is_repeated_while_nothing_arrived(self) -> None:
        provider = Failing(RateLimited("429"), RateLimited("429"))
        blob, _ = over(provider, protocol=BlobStore)
        assert [chunk async for chunk in blob.open("k")] == [b"first", b"last"]
        assert provider.attempts == [1, 2, 3]
        assert ATTEMPT.get() == 1

    async def test_a_read_is_not_repeated_once_something_arrived(self) -> None:
        provider = Failing(Unavailable("reset"))
        blob, _ = over(provider, protocol=BlobStore)
        chunks: list[bytes] = []

        async def read() -> None:
            async for chunk in blob.open("k"):
                chunks.append(chunk)

        with pytest.raises(Unavailable):
            await read()
        assert (chunks, provider.attempts) == ([b"first"], [1])

    async def test_leaving_early_closes_the_source(self) -> None:
        closed: list[str] = []

        class Endless(Failing):
            async def _chunks(self, error: BaseException | None) -> AsyncIterator[bytes]:
                try:
                    while True:
                        yield b"x"
                finally:
                    closed.append("k")

        blob, _ = over(Endless(), protocol=BlobStore)
        chunks = blob.open("k")
        await anext(chunks)
        await chunks.aclose()
        assert closed == ["k"]

    async def source(self) -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def test_a_stream_that_was_touched_is_not_sent_again(self) -> None:
        provider = Failing(Unavailable("reset"))
        blob, _ = over(provider, protocol=BlobStore)
        with pytest.raises(Unavailable) as raised:
            await blob.put("k", self.source())
        assert (provider.bodies, raised.value.attempts) == ([b"a"], 1)

    async def test_a_stream_that_was_not_touched_is(self) -> None:
        class Refusing(Failing):
            async def put(self, key: str, value: Any, **conditions: object) -> bytes:
                if self.errors:
                    return await self._answer()
                return await super().put(key, value)

        provider = Refusing(RateLimited("429"))
        blob, _ = over(provider, protocol=BlobStore)
        assert await blob.put("k", self.source()) == b"done"
        assert provider.bodies == [b"a", b"b"]

    async def test_a_stream_that_a_failed_attempt_closed_is_gone(self) -> None:
        class Closing(Failing):
            async def put(self, key: str, value: Any, **conditions: object) -> bytes:
                if self.errors:
                    await value.aclose()
                    return await self._answer()
                return await super().put(key, value)

        blob, _ = over(Closing(RateLimited("429")), protocol=BlobStore)
        with pytest.raises(RateLimited):
            await blob.put("k", self.source())


def test_what_does_not_say_its_operations_is_refused() -> None:
    with pytest.raises(TypeError, match="protocol=KeyValue"):
        retrying(Failing())
    assert dir(retrying(Failing(), protocol=KeyValue)) == ["get", "put"]
