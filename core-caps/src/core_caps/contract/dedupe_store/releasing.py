"""Promises about keys that are given back: the work was not done, and anybody may take it."""

from core_caps.capabilities.dedupe import Dedupe
from core_caps.contract.dedupe_store.reading import (
    LEASE_SECONDS,
    TTL_SECONDS,
    done,
    fresh,
    not_held,
    untouched,
)
from core_caps.contract.reading import at, pass_time
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("reserve", "release")
async def a_released_key_is_fresh_at_once(dedupe: Dedupe, world: World) -> None:
    """For anybody, and whatever the lease was."""
    key = at(world, "released")
    for owner in ("one", "two", "one"):
        await fresh(dedupe, key, owner, "a released key is fresh at once")
        result: object = await dedupe.release(key, owner=owner)
        expect("release returns None", result is None, result)
    await dedupe.release(key, owner="one")
    await dedupe.release(at(world, "released", "never"), owner="one")
    await fresh(dedupe, key, "three", "releasing what is free is success")


@promise("reserve", "commit", "release")
async def who_released_a_key_cannot_commit_it(dedupe: Dedupe, world: World) -> None:
    """Whether somebody took it meanwhile, or nobody did."""
    key = at(world, "gave-back")
    await fresh(dedupe, key, "one", "a new key is fresh")
    await dedupe.release(key, owner="one")
    for _ in range(2):
        await not_held(
            "a commit after a release is refused",
            dedupe.commit(key, owner="one", result=b"r", ttl_seconds=TTL_SECONDS),
            [key],
        )
        await fresh(dedupe, key, "two", "the key is fresh for others")


@promise("reserve", "release")
async def only_the_owner_releases(dedupe: Dedupe, world: World) -> None:
    """For others it is success, and changes nothing."""
    key = at(world, "not-theirs")
    await fresh(dedupe, key, "one", "a new key is fresh")
    await untouched(
        dedupe, key, "a release by another owner", lambda: dedupe.release(key, owner="two")
    )


@promise("reserve", "commit", "release")
async def a_release_undoes_no_result(dedupe: Dedupe, world: World) -> None:
    """Done work stays done, whoever gives its key back."""
    key = at(world, "release-done")
    await fresh(dedupe, key, "one", "a new key is fresh")
    await dedupe.commit(key, owner="one", result=b"r", ttl_seconds=TTL_SECONDS)
    for owner in ("one", "two"):
        await dedupe.release(key, owner=owner)
        await done(dedupe, key, b"r", "a release undoes no result")


@promise("reserve", "release", needs_time=True)
async def a_late_release_disturbs_nobody(dedupe: Dedupe, world: World) -> None:
    """Somebody took the key when its lease had run out, and keeps it."""
    key = at(world, "late-release")
    await fresh(dedupe, key, "one", "a new key is fresh", lease_seconds=60)
    await pass_time(world, 70)
    await fresh(dedupe, key, "two", "a key whose lease ran out is fresh")
    await untouched(dedupe, key, "a late release", lambda: dedupe.release(key, owner="one"))
    await pass_time(world, LEASE_SECONDS + 10)
    await fresh(dedupe, key, "three", "and its lease runs out as it should")


CASES = (
    a_released_key_is_fresh_at_once,
    who_released_a_key_cannot_commit_it,
    only_the_owner_releases,
    a_release_undoes_no_result,
    a_late_release_disturbs_nobody,
)
