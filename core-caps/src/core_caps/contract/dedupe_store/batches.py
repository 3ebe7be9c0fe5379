"""Promises about batches: they are the single operations, several at a time, all or none."""

import asyncio
import random

from core_caps.capabilities.dedupe import (
    Commit,
    Dedupe,
    Done,
    Fresh,
    InProgress,
    Reservation,
)
from core_caps.contract.dedupe_store.committing import RESULTS
from core_caps.contract.dedupe_store.reading import (
    LEASE_SECONDS,
    TTL_SECONDS,
    collides,
    done,
    fresh,
    in_progress,
    not_held,
    untouched,
)
from core_caps.contract.reading import at, refused
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_MANY = 250


@promise("reserve", "reserve_many", "commit")
async def reserve_many_answers_in_the_order_of_its_keys(dedupe: Dedupe, world: World) -> None:
    """Each key as `reserve` would answer it."""
    new, mine, theirs, finished = (at(world, "order", name) for name in "abcd")
    await fresh(dedupe, mine, "one", "a new key is fresh")
    await fresh(dedupe, theirs, "two", "a new key is fresh")
    await fresh(dedupe, finished, "two", "a new key is fresh")
    await dedupe.commit(finished, owner="two", result=b"r", ttl_seconds=TTL_SECONDS)
    keys = [finished, new, theirs, mine]
    answers = await dedupe.reserve_many(
        [Reservation(key) for key in keys], owner="one", lease_seconds=LEASE_SECONDS
    )
    kinds = [type(answer) for answer in answers]
    expect("each key is answered in its place", kinds == [Done, Fresh, InProgress, Fresh], answers)
    expect("Done has its result", answers[0] == Done(b"r"), answers[0])
    await in_progress(dedupe, new, "a key that was fresh in a batch is reserved")
    until = await in_progress(dedupe, theirs, "a batch is told until when", owner="three")
    expect("as a single reservation is", answers[2] == until, (answers[2], until))


@promise("reserve_many", "commit_many", "release_many")
async def a_batch_of_nothing_is_success(dedupe: Dedupe, world: World) -> None:
    """No keys, no answers."""
    answers = await dedupe.reserve_many([], owner="one", lease_seconds=LEASE_SECONDS)
    expect("no keys, no answers", list(answers) == [], answers)
    await dedupe.commit_many((), owner="one", ttl_seconds=TTL_SECONDS)
    await dedupe.release_many([], owner="one")


@promise("reserve", "reserve_many", "commit_many", "release_many")
async def a_batch_may_be_large(dedupe: Dedupe, world: World) -> None:
    """As many keys as a consumer pulls together, and more."""
    count = min(_MANY, world.limits.get("batch_keys_max", _MANY))
    keys = [at(world, "large", f"{number:03}") for number in range(count)]
    random.Random(0).shuffle(keys)  # noqa: S311 (repeatable on purpose)
    reservations = [Reservation(key, key.encode()) for key in keys]
    answers = await dedupe.reserve_many(reservations, owner="one", lease_seconds=LEASE_SECONDS)
    expect("every key is fresh", list(answers) == [Fresh()] * count, answers[:5])
    await dedupe.commit_many(
        [Commit(key, key.encode()) for key in keys[:-10]], owner="one", ttl_seconds=TTL_SECONDS
    )
    await dedupe.release_many(keys[-10:], owner="one")
    answers = await dedupe.reserve_many(reservations, owner="two", lease_seconds=LEASE_SECONDS)
    wanted = [*(Done(key.encode()) for key in keys[:-10]), *[Fresh()] * min(10, count)]
    expect("each key has what became of it", list(answers) == wanted, answers[-12:])


@promise("reserve", "reserve_many")
async def a_collision_reserves_nothing_of_its_batch(dedupe: Dedupe, world: World) -> None:
    """Each key that collides is named; no lease begins and none begins anew."""
    mine, bad, worse, new = (at(world, "all-or-none", name) for name in "abcd")
    await fresh(dedupe, mine, "one", "a new key is fresh", lease_seconds=120)
    for key in (bad, worse):
        await fresh(dedupe, key, "two", "a new key is fresh", payload=b"p")
    batch = [Reservation(new), Reservation(mine), Reservation(bad, b"q"), Reservation(worse, b"q")]
    await untouched(
        dedupe,
        mine,
        "a batch that collides",
        lambda: collides(
            "a collision refuses its batch",
            dedupe.reserve_many(batch, owner="one", lease_seconds=LEASE_SECONDS),
            [bad, worse],
        ),
    )
    await fresh(dedupe, new, "three", "nothing of a batch that collides is reserved")


@promise("reserve", "reserve_many", "commit_many")
async def a_key_given_twice_is_refused(dedupe: Dedupe, world: World) -> None:
    """A batch has one answer for a key, and one result."""
    key, other = at(world, "given-twice", "a"), at(world, "given-twice", "b")
    batch = [Reservation(other), Reservation(key), Reservation(key)]
    await refused(
        "a key given twice is refused",
        dedupe.reserve_many(batch, owner="one", lease_seconds=LEASE_SECONDS),
    )
    for each in (key, other):
        await fresh(dedupe, each, "two", "nothing of a refused batch is reserved")
    commits = [Commit(other, b"r"), Commit(key, b"r"), Commit(key, b"s")]
    await refused(
        "a key given twice is refused",
        dedupe.commit_many(commits, owner="two", ttl_seconds=TTL_SECONDS),
    )
    for each in (key, other):
        await in_progress(dedupe, each, "nothing of a refused batch is committed")


@promise("reserve", "reserve_many")
async def one_bad_key_refuses_its_batch(dedupe: Dedupe, world: World) -> None:
    """Nothing of it is reserved."""
    good = at(world, "bad-key")
    await refused(
        "an empty key refuses its batch",
        dedupe.reserve_many(
            [Reservation(good), Reservation("")], owner="one", lease_seconds=LEASE_SECONDS
        ),
    )
    await fresh(dedupe, good, "two", "nothing of a refused batch is reserved")


@promise("reserve", "commit_many", "commit")
async def commit_many_keeps_each_result(dedupe: Dedupe, world: World) -> None:
    """Each under its own key, again with success."""
    results = {at(world, "commits", str(n)): result for n, result in enumerate(RESULTS[:-1])}
    for key in results:
        await fresh(dedupe, key, "one", "a new key is fresh")
    commits = [Commit(key, result) for key, result in results.items()]
    for _ in range(2):
        given: object = await dedupe.commit_many(commits, owner="one", ttl_seconds=TTL_SECONDS)
        expect("commit_many returns None", given is None, given)
    for key, result in results.items():
        await done(dedupe, key, result, "each key has its own result")


@promise("reserve", "commit", "commit_many")
async def commit_many_keeps_all_or_none(dedupe: Dedupe, world: World) -> None:
    """What is not the owner's is named, and the others stay in progress."""
    mine, own, theirs, never = (at(world, "commit-all", name) for name in "abcd")
    for key in (mine, own):
        await fresh(dedupe, key, "one", "a new key is fresh")
    await fresh(dedupe, theirs, "two", "a new key is fresh")
    await not_held(
        "a commit of others' keys is refused",
        dedupe.commit_many(
            [Commit(mine, b"r"), Commit(theirs, b"r"), Commit(own, b"r"), Commit(never, b"r")],
            owner="one",
            ttl_seconds=TTL_SECONDS,
        ),
        [theirs, never],
    )
    for key in (mine, own, theirs):
        await in_progress(dedupe, key, "nothing of a refused batch is committed", owner="three")
    await dedupe.commit_many(
        [Commit(mine, b"r"), Commit(own, b"s")], owner="one", ttl_seconds=TTL_SECONDS
    )
    await done(dedupe, own, b"s", "what is the owner's can be committed alone")


@promise("reserve", "release_many", "commit")
async def release_many_gives_back_what_is_the_owners(dedupe: Dedupe, world: World) -> None:
    """Others' keys, unknown ones and done work are passed over; a key may be given twice."""
    mine, theirs, finished, never = (at(world, "releases", name) for name in "abcd")
    for key, owner in ((mine, "one"), (theirs, "two"), (finished, "one")):
        await fresh(dedupe, key, owner, "a new key is fresh")
    await dedupe.commit(finished, owner="one", result=b"r", ttl_seconds=TTL_SECONDS)
    await dedupe.release_many([never, theirs, mine, finished, mine], owner="one")
    await fresh(dedupe, mine, "three", "a released key is fresh at once")
    await in_progress(dedupe, theirs, "others' keys stay theirs")
    await done(dedupe, finished, b"r", "a release undoes no result")


@promise("reserve_many")
async def batches_at_once_share_the_keys(dedupe: Dedupe, world: World) -> None:
    """Owners with the same keys in other orders: each key is fresh for exactly one of them."""
    keys = [at(world, "share", f"{number:02}") for number in range(20)]
    source = random.Random(7)  # noqa: S311 (repeatable on purpose)
    orders = [source.sample(keys, len(keys)) for _ in range(6)]
    async with world.reopen() as other:
        given = await asyncio.gather(
            *(
                client.reserve_many(
                    [Reservation(key) for key in order],
                    owner=f"owner-{number}",
                    lease_seconds=LEASE_SECONDS,
                )
                for number, (order, client) in enumerate(
                    zip(orders, (dedupe, other) * 3, strict=True)
                )
            )
        )
    owners = dict.fromkeys(keys, 0)
    for order, answers in zip(orders, given, strict=True):
        for key, answer in zip(order, answers, strict=True):
            owners[key] += isinstance(answer, Fresh)
    wrong = {key: count for key, count in owners.items() if count != 1}
    expect("each key is fresh for exactly one of many at once", not wrong, wrong)


@promise("reserve", "reserve_many", limits=("batch_keys_max",))
async def the_greatest_batch_works_and_one_key_more_does_not(dedupe: Dedupe, world: World) -> None:
    """One more reserves nothing."""
    greatest = world.limits["batch_keys_max"]
    batch = [Reservation(at(world, "batch-max", str(number))) for number in range(greatest + 1)]
    await refused(
        f"{greatest + 1} keys are refused",
        dedupe.reserve_many(batch, owner="one", lease_seconds=LEASE_SECONDS),
    )
    await fresh(dedupe, batch[0].key, "two", "nothing of a refused batch is reserved")
    answers = await dedupe.reserve_many(batch[1:], owner="one", lease_seconds=LEASE_SECONDS)
    expect(f"{greatest} keys work", list(answers) == [Fresh()] * greatest, answers[:5])


CASES = (
    reserve_many_answers_in_the_order_of_its_keys,
    a_batch_of_nothing_is_success,
    a_batch_may_be_large,
    a_collision_reserves_nothing_of_its_batch,
    a_key_given_twice_is_refused,
    one_bad_key_refuses_its_batch,
    commit_many_keeps_each_result,
    commit_many_keeps_all_or_none,
    release_many_gives_back_what_is_the_owners,
    batches_at_once_share_the_keys,
    the_greatest_batch_works_and_one_key_more_does_not,
)
