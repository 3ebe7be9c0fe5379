"""Promises about results: what was committed is answered, and only its owner may commit."""

from core_caps.capabilities.dedupe import Dedupe
from core_caps.contract.dedupe_store.reading import (
    TTL_SECONDS,
    done,
    fresh,
    in_progress,
    not_held,
    untouched,
)
from core_caps.contract.reading import at, pass_time, refused
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES", "RESULTS"]

RESULTS = (
    b"",
    b"result",
    bytes(range(256)),
    b"\xff\xfe\xfd",
    b"line\r\nline\n",
    b"null",
    b"x" * 60_000,
)
"""Contents that a text encoding or a notion of emptiness would harm."""


@promise("reserve", "commit")
async def done_is_answered_with_its_result(dedupe: Dedupe, world: World) -> None:
    """To others and to the owner, byte for byte; no result is an empty one."""
    for number, result in enumerate(RESULTS):
        if len(result) > world.limits.get("result_size_bytes_max", len(result)):
            continue
        key = at(world, "done", str(number))
        await fresh(dedupe, key, "one", "a new key is fresh")
        given: object = await dedupe.commit(
            key, owner="one", result=result, ttl_seconds=TTL_SECONDS
        )
        expect("commit returns None", given is None, given)
        for owner in ("two", "one", "two"):
            await done(dedupe, key, result, "a result comes back byte for byte", owner=owner)
    key = at(world, "done", "nothing")
    await fresh(dedupe, key, "one", "a new key is fresh")
    await dedupe.commit(key, owner="one", ttl_seconds=TTL_SECONDS)
    await done(dedupe, key, b"", "no result is an empty one")


@promise("reserve", "commit")
async def the_same_commit_twice_is_once(dedupe: Dedupe, world: World) -> None:
    """So a lost answer costs nothing; another result is not kept."""
    key = at(world, "twice")
    await fresh(dedupe, key, "one", "a new key is fresh")
    for _ in range(3):
        await dedupe.commit(key, owner="one", result=b"first", ttl_seconds=TTL_SECONDS)
    await done(dedupe, key, b"first", "the result is kept")
    await not_held(
        "another result for done work is refused",
        dedupe.commit(key, owner="one", result=b"second", ttl_seconds=TTL_SECONDS),
        [key],
    )
    for result in (b"first", b"second"):
        await not_held(
            "another owner's commit of done work is refused",
            dedupe.commit(key, owner="two", result=result, ttl_seconds=TTL_SECONDS),
            [key],
        )
    await done(dedupe, key, b"first", "the first result stays")


@promise("reserve", "commit")
async def only_the_owner_commits(dedupe: Dedupe, world: World) -> None:
    """Somebody else's commit is refused and changes nothing."""
    key = at(world, "owner")
    await fresh(dedupe, key, "one", "a new key is fresh")
    await untouched(
        dedupe,
        key,
        "a commit by another owner",
        lambda: not_held(
            "a commit by another owner is refused",
            dedupe.commit(key, owner="two", result=b"theirs", ttl_seconds=TTL_SECONDS),
            [key],
        ),
    )
    await dedupe.commit(key, owner="one", result=b"ours", ttl_seconds=TTL_SECONDS)
    await done(dedupe, key, b"ours", "the owner's result is kept")


@promise("reserve", "commit")
async def what_was_never_reserved_cannot_be_committed(dedupe: Dedupe, world: World) -> None:
    """Nobody asked whether the work is to be done; the key stays fresh."""
    key = at(world, "never")
    await not_held(
        "a commit without a reservation is refused",
        dedupe.commit(key, owner="one", result=b"r", ttl_seconds=TTL_SECONDS),
        [key],
    )
    await fresh(dedupe, key, "two", "the key is fresh")


@promise("reserve", "commit", needs_time=True)
async def done_stays_done_when_its_lease_would_have_run_out(dedupe: Dedupe, world: World) -> None:
    """The result's own time counts, from the commit on."""
    key = at(world, "outlives")
    await fresh(dedupe, key, "one", "a new key is fresh", lease_seconds=120)
    await pass_time(world, 100)
    await dedupe.commit(key, owner="one", result=b"r", ttl_seconds=600)
    await pass_time(world, 300)
    await done(dedupe, key, b"r", "done work stays done")
    await pass_time(world, 290)
    await done(dedupe, key, b"r", "a result is remembered for its whole time")


@promise("reserve", "commit", needs_time=True)
async def done_is_forgotten_after_its_time(dedupe: Dedupe, world: World) -> None:
    """Then the key is new to everybody."""
    key = at(world, "forgotten")
    await fresh(dedupe, key, "one", "a new key is fresh", payload=b"p")
    await dedupe.commit(key, owner="one", result=b"r", ttl_seconds=600)
    await pass_time(world, 610)
    await fresh(dedupe, key, "two", "a result is forgotten after its time", payload=b"q")
    await dedupe.commit(key, owner="two", result=b"s", ttl_seconds=TTL_SECONDS)
    await done(dedupe, key, b"s", "the work can be done anew")


@promise("reserve", "commit", needs_time=True)
async def a_late_commit_counts_while_nobody_took_the_key(dedupe: Dedupe, world: World) -> None:
    """The work was done once, only slowly: it need not be done again."""
    for late in (10, 3600):
        key = at(world, "late", str(late))
        await fresh(dedupe, key, "one", "a new key is fresh", lease_seconds=60)
        await pass_time(world, 60 + late)
        await dedupe.commit(key, owner="one", result=b"late", ttl_seconds=TTL_SECONDS)
        await done(dedupe, key, b"late", f"a commit {late} s late counts")


@promise("reserve", "commit", needs_time=True)
async def a_late_commit_is_refused_when_somebody_took_the_key(dedupe: Dedupe, world: World) -> None:
    """While they work, and when they are done: their result stands."""
    key = at(world, "taken")
    await fresh(dedupe, key, "one", "a new key is fresh", lease_seconds=60)
    await pass_time(world, 70)
    await fresh(dedupe, key, "two", "a key whose lease ran out is fresh")
    await untouched(
        dedupe,
        key,
        "a late commit",
        lambda: not_held(
            "a late commit is refused when somebody took the key",
            dedupe.commit(key, owner="one", result=b"late", ttl_seconds=TTL_SECONDS),
            [key],
        ),
    )
    await dedupe.commit(key, owner="two", result=b"theirs", ttl_seconds=TTL_SECONDS)
    await not_held(
        "a late commit is refused when somebody did the work",
        dedupe.commit(key, owner="one", result=b"late", ttl_seconds=TTL_SECONDS),
        [key],
    )
    await done(dedupe, key, b"theirs", "the result of who had the key stands", owner="one")


@promise("reserve", "commit", limits=("result_size_bytes_max",))
async def the_greatest_result_works_and_one_byte_more_does_not(
    dedupe: Dedupe, world: World
) -> None:
    """The documented maximum comes back whole; one byte more commits nothing."""
    greatest = world.limits["result_size_bytes_max"]
    key = at(world, "result-max")
    result = b"\x00\xffresult" * (greatest // 8) + b"x" * (greatest % 8)
    await fresh(dedupe, key, "one", "a new key is fresh")
    await refused(
        f"a result of {greatest + 1} bytes is refused",
        dedupe.commit(key, owner="one", result=result + b"x", ttl_seconds=TTL_SECONDS),
    )
    await in_progress(dedupe, key, "a refused result commits nothing")
    await dedupe.commit(key, owner="one", result=result, ttl_seconds=TTL_SECONDS)
    await done(dedupe, key, result, f"a result of {greatest} bytes comes back whole")


CASES = (
    done_is_answered_with_its_result,
    the_same_commit_twice_is_once,
    only_the_owner_commits,
    what_was_never_reserved_cannot_be_committed,
    done_stays_done_when_its_lease_would_have_run_out,
    done_is_forgotten_after_its_time,
    a_late_commit_counts_while_nobody_took_the_key,
    a_late_commit_is_refused_when_somebody_took_the_key,
    the_greatest_result_works_and_one_byte_more_does_not,
)
