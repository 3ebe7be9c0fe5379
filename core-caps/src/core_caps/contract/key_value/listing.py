"""Promises about listings: every key once, in byte order, page by page."""

from core_caps.capabilities.key_value import KeyValue, Page
from core_caps.contract.key_value.reading import listed, lists
from core_caps.contract.key_value.values import TRICKY_NAMES
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import World, expect, promise
from core_caps.errors import InvalidArgument

__all__ = ["CASES"]

_PAGED = (*(f"{number:03}" for number in range(15)), *"ABYZ", *"abyz")
"""In byte order; letters that differ in their case alone are keys of their own."""


@promise("list")
async def a_listing_of_nothing_is_empty(kv: KeyValue, world: World) -> None:
    """No keys, no cursor, no error."""
    page = await kv.list(prefix=at(world, "list-nothing"))
    expect("a listing of nothing is one empty page", page.keys == [], page.keys)
    expect("an empty listing has no further page", page.cursor is None, page.cursor)


@promise("list", "put")
async def keys_are_listed_in_byte_order(kv: KeyValue, world: World) -> None:
    """UTF-8 bytes decide: neither letter case, nor numbers, nor UTF-16 (U+FF5E before U+1F511)."""
    names = ("b", "a", "B", "10", "9", "é", "z", "\uff5e", "\U0001f511", "a/b", "a-b", "ab")
    keys = [at(world, "order", name) for name in names]
    for key in keys:
        await kv.put(key, b"")
    await lists(
        kv,
        world,
        at(world, "order"),
        sorted(keys, key=str.encode),
        "keys are listed in the order of their UTF-8 bytes",
    )


@promise("list", "put")
async def tricky_names_are_listed_exactly(kv: KeyValue, world: World) -> None:
    """A listing names each key as it was put, and each can be a prefix."""
    keys = sorted((at(world, "list-tricky", name) for name in TRICKY_NAMES), key=str.encode)
    for key in keys:
        await kv.put(key, b"")
    await lists(kv, world, at(world, "list-tricky"), keys, "keys are listed as they were put")
    for key in keys:
        matching = [other for other in keys if other.startswith(key)]
        await lists(kv, world, key, matching, f"the prefix {key!r} is taken literally")


@promise("list", "put")
async def a_prefix_selects_by_plain_text(kv: KeyValue, world: World) -> None:
    """No wildcard, no pattern, no folder: only names that begin with it, itself included."""
    names = (
        "user:1",
        "user:10",
        "user:2",
        "user",
        "users",
        "User:1",
        "u%r:1",
        "u_er:1",
        "x/user:1",
    )
    keys = sorted((at(world, "prefix", name) for name in names), key=str.encode)
    for key in keys:
        await kv.put(key, b"")
    for prefix in ("user:1", "user", "u%r", "u_er", "u*", "user:1/", "zzz", ""):
        full = at(world, "prefix", prefix)
        matching = [key for key in keys if key.startswith(full)]
        await lists(kv, world, full, matching, f"the prefix {prefix!r} selects by plain text")


@promise("list", "put")
async def pages_lose_and_repeat_nothing(kv: KeyValue, world: World) -> None:
    """While nothing changes, the pages together are the listing, whatever their size; the last
    holds no more to its prefix than the first."""
    keys = [at(world, "pages", name) for name in _PAGED]
    for key in (*keys, at(world, "page", "0"), at(world, "pages~", "0")):
        await kv.put(key, b"")
    prefix = at(world, "pages")
    for limit in (1000, 1, 7, 10, 11, 22, 23, 24):
        await lists(
            kv, world, prefix, keys, f"pages of {limit} lose and repeat nothing", limit=limit
        )


@promise("list", "put")
async def the_first_page_has_no_more_than_its_limit(kv: KeyValue, world: World) -> None:
    """A page short of the listing has a cursor; the last has none."""
    keys = [at(world, "limit", f"{number}") for number in range(4)]
    for key in keys:
        await kv.put(key, b"")
    prefix = at(world, "limit")
    await lists(kv, world, prefix, keys, "all keys are listed")
    first = await kv.list(prefix=prefix, limit=3)
    expect("a page has at most `limit` keys", len(first.entries) <= 3, first.keys)
    expect("a page short of the listing has a cursor", first.cursor is not None, first)
    whole = await kv.list(prefix=prefix, limit=1000)
    expect("a page that holds the whole listing ends it", whole.cursor is None, whole.cursor)


@promise("list", "put", "delete")
async def a_listing_follows_puts_and_deletes(kv: KeyValue, world: World) -> None:
    """A put key appears once, however often put; a deleted one disappears."""
    prefix = at(world, "follow")
    keys = [at(world, "follow", name) for name in "abc"]
    for key in (*keys, keys[1]):
        await kv.put(key, b"")
    await lists(kv, world, prefix, keys, "each key is listed once")
    await kv.delete(keys[1])
    await lists(kv, world, prefix, [keys[0], keys[2]], "a deleted key is not listed")


@promise("list", "put")
async def a_listing_shows_metadata(kv: KeyValue, world: World) -> None:
    """What is kept beside the value is listed with its key; without any it is None."""
    with_metadata, without = at(world, "list-metadata", "a"), at(world, "list-metadata", "b")
    await kv.put(with_metadata, b"value", metadata={"size": 5, "tags": ["x"]})
    await kv.put(without, b"value")
    await seen(
        world,
        "a listing shows metadata",
        lambda: listed(kv, at(world, "list-metadata")),
        lambda lines: (
            [(line.key, line.metadata) for line in lines]
            == [(with_metadata, {"size": 5, "tags": ["x"]}), (without, None)]
        ),
    )


@promise("list", "put")
async def a_bad_cursor_is_refused(kv: KeyValue, world: World) -> None:
    """A text that no listing gave is InvalidArgument, not a place to start from."""
    await kv.put(at(world, "cursor", "a"), b"")
    prefix = at(world, "cursor")
    for cursor in ("not-a-cursor", "AAAA", "\x00", "é"):
        await refused("a bad cursor is refused", kv.list(prefix=prefix, cursor=cursor))


@promise("list", "put")
async def a_cursor_stays_with_its_prefix(kv: KeyValue, world: World) -> None:
    """Used with another prefix it is refused, or lists that prefix and nothing else."""
    for name in ("x/1", "x/2", "y/1", "y/2"):
        await kv.put(at(world, "foreign", name), b"")
    page = await seen(
        world,
        "a page short of the listing has a cursor",
        lambda: kv.list(prefix=at(world, "foreign", "x/"), limit=1),
        lambda page: page.cursor is not None,
    )
    other = at(world, "foreign", "y/")
    try:
        strange: Page = await kv.list(prefix=other, cursor=page.cursor)
    except InvalidArgument:
        return
    outside = [key for key in strange.keys if not key.startswith(other)]
    expect("a cursor of another prefix lists nothing outside this one", not outside, outside)


@promise("list")
async def a_limit_out_of_range_is_refused(kv: KeyValue, world: World) -> None:
    """Zero and less are no page size."""
    for limit in (0, -1):
        await refused(f"limit={limit} is refused", kv.list(limit=limit))


@promise("list", limits=("list_limit_max",))
async def the_greatest_limit_works_and_one_more_does_not(kv: KeyValue, world: World) -> None:
    """The documented maximum is a page size; one more is InvalidArgument."""
    greatest = world.limits["list_limit_max"]
    page = await kv.list(prefix=at(world, "list-max"), limit=greatest)
    expect("the greatest limit works", page.keys == [], page.keys)
    await refused("one more than the greatest limit is refused", kv.list(limit=greatest + 1))


CASES = (
    a_listing_of_nothing_is_empty,
    keys_are_listed_in_byte_order,
    tricky_names_are_listed_exactly,
    a_prefix_selects_by_plain_text,
    pages_lose_and_repeat_nothing,
    the_first_page_has_no_more_than_its_limit,
    a_listing_follows_puts_and_deletes,
    a_listing_shows_metadata,
    a_bad_cursor_is_refused,
    a_cursor_stays_with_its_prefix,
    a_limit_out_of_range_is_refused,
    the_greatest_limit_works_and_one_more_does_not,
)
