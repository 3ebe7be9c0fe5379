"""How the cases reserve keys, look at what became of them, and see a call refused."""

from collections.abc import Awaitable, Callable, Sequence

from core_caps.capabilities.dedupe import Dedupe, Done, Fresh, InProgress
from core_caps.contract.suite import expect, expect_error
from core_caps.errors import KeyCollision, LeaseExpired, Outcome

__all__ = [
    "LEASE_SECONDS",
    "TTL_SECONDS",
    "collides",
    "done",
    "fresh",
    "in_progress",
    "not_held",
    "untouched",
]

LEASE_SECONDS = 600
"""How long a reservation holds where a case does not look at that."""

TTL_SECONDS = 86_400
"""How long a result is remembered where a case does not look at that."""

_SOMEBODY = "somebody else"


async def fresh(
    dedupe: Dedupe,
    key: str,
    owner: str,
    promised: str,
    *,
    lease_seconds: float = LEASE_SECONDS,
    payload: bytes = b"",
) -> None:
    """Check that an owner is given the key."""
    answer = await dedupe.reserve(key, owner=owner, lease_seconds=lease_seconds, payload=payload)
    expect(promised, isinstance(answer, Fresh), answer)


async def in_progress(
    dedupe: Dedupe, key: str, promised: str, *, owner: str = _SOMEBODY
) -> InProgress:
    """Check that the key is kept away from somebody else, and return the answer."""
    answer = await dedupe.reserve(key, owner=owner, lease_seconds=LEASE_SECONDS)
    if not isinstance(answer, InProgress):
        expect(promised, False, answer)
    assert isinstance(answer, InProgress)
    return answer


async def done(
    dedupe: Dedupe, key: str, result: bytes, promised: str, *, owner: str = _SOMEBODY
) -> None:
    """Check that the work is said to be done, with this result."""
    answer = await dedupe.reserve(key, owner=owner, lease_seconds=LEASE_SECONDS)
    expect(promised, answer == Done(result), answer)
    assert isinstance(answer, Done)
    expect(f"{promised}, as bytes", type(answer.result) is bytes, type(answer.result))


async def not_held(promised: str, call: Awaitable[object], keys: Sequence[str]) -> None:
    """Check that a call is refused because these keys are not its owner's."""
    error = await expect_error(LeaseExpired, promised, call)
    named = sorted(error.leases) == sorted(keys)
    expect(f"{promised}, and the keys are named", named, error.leases)
    expect(f"{promised}: NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)


async def collides(promised: str, call: Awaitable[object], keys: Sequence[str]) -> None:
    """Check that a call is refused because these keys were seen with other payloads."""
    error = await expect_error(KeyCollision, promised, call)
    expect(f"{promised}, and named", sorted(error.keys) == sorted(keys), error.keys)
    expect(f"{promised}: NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)


async def untouched(
    dedupe: Dedupe, key: str, promised: str, attempt: Callable[[], Awaitable[object]]
) -> None:
    """Check that an attempt on a reserved key leaves its owner and its lease as they were."""
    before = await in_progress(dedupe, key, f"{promised}: the key is reserved")
    await attempt()
    after = await in_progress(dedupe, key, f"{promised}: the key stays with its owner")
    expect(f"{promised}: the lease stays as it was", after == before, (before, after))
