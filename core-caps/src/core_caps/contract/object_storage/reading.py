"""How the cases name objects, look at what is stored, and see a call refused."""

from collections.abc import Awaitable, Callable

from core_caps.capabilities.durable_object import DurableObject, Item, ItemPage, ObjectRef
from core_caps.contract.reading import at, refused
from core_caps.contract.suite import World, expect, expect_error, violated
from core_caps.errors import Outcome, PreconditionFailed

__all__ = ["holds", "listed", "not_met", "ref", "refused_whole", "same", "stored"]

_PAGES_MAX = 400


def ref(world: World, case: str, name: str = "") -> ObjectRef:
    """An object of this case alone."""
    return ObjectRef(name=at(world, case, name))


async def holds(
    objects: DurableObject, ref: ObjectRef, key: str, value: bytes | None, promised: str
) -> None:
    """Check that the key has this value, or that it is absent."""
    found = await objects.get(ref, key)
    expect(promised, found == value, found if found is None else found[:80])
    # A bytearray equals bytes, and would change under its reader.
    expect(f"{promised}, as bytes", value is None or type(found) is bytes, type(found))


async def stored(objects: DurableObject, ref: ObjectRef) -> dict[str, bytes | None]:
    """Everything that an object holds."""
    return {item.key: item.value for item in await listed(objects, ref)}


async def listed(objects: DurableObject, ref: ObjectRef, *, limit: int = 100) -> list[Item]:
    """All items of an object, page after page."""
    items: list[Item] = []
    for _ in range(_PAGES_MAX):
        after = items[-1].key if items else None
        page = await objects.list(ref, start_after=after, limit=limit)
        items += _checked(page, limit)
        if not page.more:
            return items
    return violated("a listing ends", f"no end after {_PAGES_MAX} pages of at most {limit} items")


async def not_met(promised: str, call: Awaitable[object]) -> None:
    """Check that a call is refused because something is not as expected."""
    error = await expect_error(PreconditionFailed, promised, call)
    expect(f"{promised}: NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)


async def refused_whole(
    objects: DurableObject, ref: ObjectRef, promised: str, call: Callable[[], Awaitable[object]]
) -> None:
    """Check that a call is refused and leaves the object as it was."""
    before = await stored(objects, ref)
    await refused(promised, call())
    after = await stored(objects, ref)
    expect(f"{promised}: nothing changes", after == before, sorted(after))


def same(found: bytes | None, value: bytes) -> str:
    """ "the same", or in few words what there is instead of a value too long to show."""
    if found == value:
        return "the same"
    return "None" if found is None else f"{len(found)} bytes, other ones"


def _checked(page: ItemPage, limit: int) -> list[Item]:
    items = list(page.items)
    expect(f"a page has at most {limit} items", len(items) <= limit, len(items))
    expect("a page that is not the last is not empty", bool(items) or not page.more, page)
    expect("a listed item has a value", all(item.value is not None for item in items), items[:3])
    return items
