"""Promises about which object is meant: by name, by id, and none by accident."""

from core_caps.capabilities.durable_object import DurableObject, ObjectRef
from core_caps.contract.key_value.values import TRICKY_NAMES
from core_caps.contract.object_storage.reading import holds, ref
from core_caps.contract.reading import refused
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("get", "put")
async def names_stay_apart(objects: DurableObject, world: World) -> None:
    """No name of an object is decoded, normalised or folded."""
    refs = [ref(world, "names", name) for name in TRICKY_NAMES]
    for number, one in enumerate(refs):
        await objects.put(one, "key", b"%d" % number)
    for number, one in enumerate(refs):
        await holds(objects, one, "key", b"%d" % number, f"{one.name!r} is an object of its own")


@promise("get", "put", "new_id")
async def a_new_id_is_an_object_of_its_own(objects: DurableObject, world: World) -> None:
    """It is empty, no other id is the same, and its id finds it again."""
    refs = [await objects.new_id() for _ in range(5)]
    ids = {one.id for one in refs}
    expect("no id is given twice", len(ids) == len(refs), refs)
    expect("an id is all there is", all(one.id and not one.name for one in refs), refs)
    for one in refs:
        await holds(objects, one, "key", None, "a new object is empty")
        await objects.put(one, "key", one.id.encode())
    for one in refs:
        again = ObjectRef(id=one.id)
        await holds(objects, again, "key", one.id.encode(), "an id finds its object again")


@promise("get", "put", "new_id")
async def an_id_is_no_name(objects: DurableObject, world: World) -> None:
    """The object of that name is another one."""
    one = await objects.new_id()
    await objects.put(one, "key", b"by id")
    named = ObjectRef(name=one.id)
    await objects.delete_all(named)
    await holds(objects, named, "key", None, "an id is no name")
    await holds(objects, one, "key", b"by id", "an id stays an id")


@promise("get", "put", "new_id")
async def an_id_that_nobody_gave_out_is_refused(objects: DurableObject, world: World) -> None:
    """Nothing is stored where nobody could find it again."""
    one = await objects.new_id()
    flipped = one.id[:-1] + ("1" if one.id[-1] == "0" else "0")
    for bad in ("no-id", "0" * 64, one.id[:-1], one.id + "0", flipped):
        await refused(f"the id {bad!r} is refused", objects.put(ObjectRef(id=bad), "key", b"value"))
        await refused(f"the id {bad!r} is refused", objects.get(ObjectRef(id=bad), "key"))


@promise("get", "put")
async def a_ref_is_a_name_or_an_id(objects: DurableObject, world: World) -> None:
    """Not neither, and not both."""
    for bad in (ObjectRef(), ObjectRef(name="a", id="b"), ObjectRef(name="\ud800")):
        await refused(f"{bad} is refused", objects.put(bad, "key", b"value"))
        await refused(f"{bad} is refused", objects.get(bad, "key"))


CASES = (
    names_stay_apart,
    a_new_id_is_an_object_of_its_own,
    an_id_is_no_name,
    an_id_that_nobody_gave_out_is_refused,
    a_ref_is_a_name_or_an_id,
)
