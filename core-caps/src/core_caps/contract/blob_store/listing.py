"""Promises about listings: every object once, in byte order, page by page."""

from core_caps.capabilities.blob_store import BlobStore
from core_caps.contract.blob_store.reading import listed
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_NAMES = ("B", "a", "a/1", "a/2", "a0", "b/x/1", "b/x/2", "b/y", "c", "é", "\uffee", "\U0001f511")


async def _stored(store: BlobStore, world: World, case: str) -> tuple[str, list[str]]:
    prefix = at(world, case)
    keys = sorted((prefix + name for name in _NAMES), key=str.encode)
    for key in reversed(keys):
        await store.put(key, key.encode())
    await seen(
        world,
        "a listing shows what was put",
        lambda: listed(store, prefix),
        lambda found: len(found[0]) == len(keys),
    )
    return prefix, keys


@promise("list", "put")
async def a_listing_is_in_byte_order(store: BlobStore, world: World) -> None:
    """Of the keys' UTF-8, which is not the order of UTF-16; each with its size."""
    prefix, keys = await _stored(store, world, "order")
    objects, prefixes = await listed(store, prefix)
    expect("a listing is in byte order", [info.key for info in objects] == keys, objects)
    expect("without a delimiter nothing is folded", prefixes == [], prefixes)
    sizes = [info.size_bytes for info in objects]
    expect("a listing tells sizes", sizes == [len(key.encode()) for key in keys], sizes)


@promise("list", "put")
async def a_prefix_selects(store: BlobStore, world: World) -> None:
    """Exactly the keys that start with it; it need not end at a slash."""
    prefix, keys = await _stored(store, world, "prefix")
    for name in ("a", "a/", "a/1", "b/x", "é", "zz", "A"):
        wanted = [key for key in keys if key.startswith(prefix + name)]
        page = await store.list(prefix=prefix + name)
        expect(f"the prefix {name!r} selects", page.keys == wanted, page.keys)


@promise("list", "put")
async def pages_cover_everything_once(store: BlobStore, world: World) -> None:
    """Whatever their size; the last page holds no more to its prefix than the first."""
    prefix, keys = await _stored(store, world, "pages")
    await store.put(at(world, "pages~", "a"), b"")
    for limit in (1, 2, 3, len(keys) - 1, len(keys), len(keys) + 1):
        objects, _ = await listed(store, prefix, limit=limit)
        found = [info.key for info in objects]
        expect(f"pages of {limit} cover everything once, in order", found == keys, found)


@promise("list", "put")
async def the_last_page_has_no_cursor(store: BlobStore, world: World) -> None:
    """And an earlier one has."""
    prefix, keys = await _stored(store, world, "cursor")
    whole = await store.list(prefix=prefix, limit=len(keys))
    expect("a page that holds everything is the last", whole.cursor is None, whole.cursor)
    first = await store.list(prefix=prefix, limit=len(keys) - 1)
    expect("a page that does not has a cursor", first.cursor is not None, first)
    nothing = await store.list(prefix=at(world, "cursor-never"))
    expect(
        "an empty listing is empty",
        (list(nothing.objects), list(nothing.prefixes), nothing.cursor) == ([], [], None),
        nothing,
    )


@promise("list", "put")
async def a_delimiter_folds(store: BlobStore, world: World) -> None:
    """Keys with the delimiter after the prefix appear as one common prefix."""
    prefix, _ = await _stored(store, world, "fold")
    plain = ["B", "a", "a0", "c", "é", "\uffee", "\U0001f511"]
    for limit in (1, 2, 3, 1000):
        objects, prefixes = await listed(store, prefix, delimiter="/", limit=limit)
        expect(
            f"keys without the delimiter are listed (pages of {limit})",
            [info.key for info in objects] == [prefix + name for name in plain],
            [info.key for info in objects],
        )
        expect(
            f"the others are folded, each prefix once (pages of {limit})",
            prefixes == [prefix + "a/", prefix + "b/"],
            prefixes,
        )
    deeper = await store.list(prefix=prefix + "b/", delimiter="/")
    expect(
        "folding starts after the prefix",
        (deeper.keys, list(deeper.prefixes)) == ([prefix + "b/y"], [prefix + "b/x/"]),
        deeper,
    )
    other = await store.list(prefix=prefix, delimiter="x/")
    expect("any text delimits", list(other.prefixes) == [prefix + "b/x/"], other.prefixes)


@promise("list", "put", "delete")
async def a_deleted_object_is_not_listed(store: BlobStore, world: World) -> None:
    """Nor its folder, when it was the last."""
    prefix, keys = await _stored(store, world, "gone")
    for name in ("b/x/1", "b/x/2", "c"):
        await store.delete(prefix + name)
        keys.remove(prefix + name)
    await seen(
        world,
        "deleted objects are not listed",
        lambda: listed(store, prefix),
        lambda found: [info.key for info in found[0]] == keys,
    )
    folded = await store.list(prefix=prefix + "b/", delimiter="/")
    expect("an empty folder is not listed", list(folded.prefixes) == [], folded.prefixes)


@promise("list", "put", "delete")
async def a_page_goes_on_after_its_last_key(store: BlobStore, world: World) -> None:
    """Also when that key, and a later one, were deleted meanwhile."""
    prefix, keys = await _stored(store, world, "resume")
    first = await store.list(prefix=prefix, limit=3)
    await store.delete(keys[2])
    await store.delete(keys[4])
    await seen(
        world,
        "a page goes on after the last key of the one before",
        lambda: store.list(prefix=prefix, cursor=first.cursor),
        lambda page: page.keys == [keys[3], *keys[5:]],
    )


@promise("list", "put")
async def a_cursor_that_is_not_ours_is_refused(store: BlobStore, world: World) -> None:
    """Mistyped, foreign, or of another listing."""
    prefix, _ = await _stored(store, world, "foreign")
    page = await store.list(prefix=prefix, limit=2)
    cursor = page.cursor or ""
    for bad in ("", "nonsense", "é", cursor[:-4], cursor + "AAAA", cursor.swapcase()):
        await refused(f"the cursor {bad!r} is refused", store.list(prefix=prefix, cursor=bad))
    await refused(
        "a cursor of another listing is refused", store.list(prefix=prefix + "a", cursor=cursor)
    )


@promise("list", limits=("list_limit_max",))
async def a_limit_out_of_range_is_refused(store: BlobStore, world: World) -> None:
    """Zero, negative, and above the documented maximum; the maximum works."""
    greatest = world.limits["list_limit_max"]
    for limit in (0, -1, greatest + 1):
        await refused(f"a limit of {limit} is refused", store.list(limit=limit))
    await store.list(prefix=at(world, "limit"), limit=greatest)


CASES = (
    a_listing_is_in_byte_order,
    a_prefix_selects,
    pages_cover_everything_once,
    the_last_page_has_no_cursor,
    a_delimiter_folds,
    a_deleted_object_is_not_listed,
    a_page_goes_on_after_its_last_key,
    a_cursor_that_is_not_ours_is_refused,
    a_limit_out_of_range_is_refused,
)
