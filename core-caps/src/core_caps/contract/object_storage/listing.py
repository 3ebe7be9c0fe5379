"""Promises about listings: what lies within the bounds, once each, in the bytes' order."""

from typing import Any

from core_caps.capabilities.durable_object import DurableObject, Item
from core_caps.contract.object_storage.reading import listed, ref
from core_caps.contract.reading import refused
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_KEYS = (
    "B",
    "a",
    "a-b",
    "a/b",
    "ab",
    "b",
    "user",
    "user:1",
    "user:10",
    "z",
    "é",
    "\uff5e",
    "\U0001f511",
)
"""In the order of their UTF-8 bytes; UTF-16 has the last two the other way round."""


@promise("list", "transaction")
async def items_are_listed_in_byte_order(objects: DurableObject, world: World) -> None:
    """Each with its value, forwards and backwards."""
    one = ref(world, "order")
    await objects.transaction(one, [Item(key, key.encode()) for key in reversed(_KEYS)])
    page = await objects.list(one)
    wanted = [Item(key, key.encode()) for key in _KEYS]
    expect("items come in the order of their keys' UTF-8", list(page.items) == wanted, page)
    page = await objects.list(one, reverse=True)
    expect("in reverse the last come first", list(page.items) == wanted[::-1], page)


@promise("list", "transaction")
async def bounds_select_by_plain_text(objects: DurableObject, world: World) -> None:
    """A beginning is included or not, an end never is, and all bounds hold together."""
    one = ref(world, "bounds")
    await objects.transaction(one, [Item(key, b"") for key in _KEYS])
    for bounds in _BOUNDS:
        keys = [key for key in _KEYS if _within(key.encode(), **bounds)]
        for reverse in (False, True):
            page = await objects.list(one, **bounds, reverse=reverse)
            found = [item.key for item in page.items]
            shown = f"list({bounds}, reverse={reverse}) gives what lies within"
            expect(shown, found == (keys[::-1] if reverse else keys), found)
            expect(f"{shown}, and that is all", not page.more, page.more)


@promise("list", "transaction")
async def pages_lose_and_repeat_nothing(objects: DurableObject, world: World) -> None:
    """Whatever their size, and in reverse, too."""
    one = ref(world, "pages")
    keys = [*(f"{number:03}" for number in range(17)), "A", "B", "Z", "a", "b", "z"]
    await objects.transaction(one, [Item(key, b"") for key in keys])
    for limit in (1, 7, 22, 23, 24):
        found = [item.key for item in await listed(objects, one, limit=limit)]
        expect(f"pages of {limit} lose and repeat nothing", found == keys, found)
    backwards: list[str] = []
    more = True
    while more and len(backwards) < len(keys):
        end = backwards[-1] if backwards else None
        page = await objects.list(one, end=end, limit=5, reverse=True)
        backwards += [item.key for item in page.items]
        more = page.more
    expect("in reverse, too", backwards == keys[::-1] and not more, backwards)


@promise("list", "transaction")
async def a_page_says_whether_there_is_more(objects: DurableObject, world: World) -> None:
    """Exactly as many as the limit is not more."""
    one = ref(world, "more")
    await objects.transaction(one, [Item(key, b"") for key in "abc"])
    for limit, more in ((2, True), (3, False), (4, False)):
        page = await objects.list(one, limit=limit)
        expect(f"three items, a limit of {limit}: more is {more}", page.more is more, page)


@promise("list", "transaction")
async def a_listing_of_nothing_in_particular_is_refused(
    objects: DurableObject, world: World
) -> None:
    """A limit is at least one, and there is one beginning."""
    one = ref(world, "refused")
    await objects.transaction(one, [Item("a", b"")])
    for limit in (0, -1):
        await refused(f"a limit of {limit} is refused", objects.list(one, limit=limit))
    if most := world.limits.get("list_limit_max"):
        await objects.list(one, limit=most)
        await refused(f"a limit of {most + 1} is refused", objects.list(one, limit=most + 1))
    await refused("two beginnings are refused", objects.list(one, start="a", start_after="a"))


@promise("list", "put")
async def a_listing_of_large_values_ends(objects: DurableObject, world: World) -> None:
    """A page may be short of its limit; together they have every value, whole."""
    one = ref(world, "large")
    size = min(1_000_000, world.limits.get("item_size_bytes_max", 1_000_000) - 10)
    for number in range(9):
        await objects.put(one, f"k{number}", bytes([number]) * size)
    found = await listed(objects, one)
    whole = [item.value == bytes([number]) * size for number, item in enumerate(found)]
    expect("large values are listed whole", whole == [True] * 9, whole)
    await objects.delete_all(one)


_BOUNDS: tuple[dict[str, Any], ...] = (
    {"prefix": "user"},
    {"prefix": "user:1"},
    {"prefix": "a%"},
    {"start": "a/b"},
    {"start_after": "a/b"},
    {"start": "a0", "end": "user:1"},
    {"start": "a", "end": "a"},
    {"start": "z", "end": "a"},
    {"end": "b"},
    {"end": ""},
    {"start": "", "prefix": ""},
    {"prefix": "user", "start": "user:1"},
    {"prefix": "user", "start_after": "user:1"},
    {"prefix": "user", "start": "a", "end": "user:10"},
    {"prefix": "user", "end": "zz"},
    {"prefix": "a", "start": "b"},
    {"start": "\uff5e"},
    {"start_after": "\uff5e"},
)


def _within(
    key: bytes,
    *,
    prefix: str = "",
    start: str | None = None,
    start_after: str | None = None,
    end: str | None = None,
) -> bool:
    begun = start is None or key >= start.encode()
    passed = start_after is None or key > start_after.encode()
    return (
        key.startswith(prefix.encode()) and begun and passed and (end is None or key < end.encode())
    )


CASES = (
    items_are_listed_in_byte_order,
    bounds_select_by_plain_text,
    pages_lose_and_repeat_nothing,
    a_page_says_whether_there_is_more,
    a_listing_of_nothing_in_particular_is_refused,
    a_listing_of_large_values_ends,
)
