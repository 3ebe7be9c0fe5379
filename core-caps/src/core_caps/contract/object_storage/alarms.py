"""Promises about alarms: one for each object, which rings at its time and cannot be missed."""

import math

from core_caps.capabilities.durable_object import Alarm, DurableObject, ObjectRef
from core_caps.contract.object_storage.reading import holds, ref
from core_caps.contract.reading import pass_time, refused
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_FAR = 4_102_444_800.0
"""2100-01-01."""


@promise("get_alarm", "set_alarm", "delete_alarm")
async def an_alarm_is_what_was_set_last(objects: DurableObject, world: World) -> None:
    """None before and after, one at a time, to the millisecond."""
    one = ref(world, "set")
    expect("no alarm is None", await objects.get_alarm(one) is None, "an alarm")
    for at in (_FAR, _FAR - 3600.25, _FAR + 0.001):
        done: object = await objects.set_alarm(one, at)
        expect("set_alarm returns None", done is None, done)
        await _is(objects, world, one, at, rang=False)
    for _ in range(2):
        gone: object = await objects.delete_alarm(one)
        expect("delete_alarm returns None", gone is None, gone)
        expect("a deleted alarm is None", await objects.get_alarm(one) is None, "an alarm")


@promise("get_alarm", "set_alarm", "delete_alarm", "put", "get")
async def alarms_stay_apart(objects: DurableObject, world: World) -> None:
    """Each object has its own, and no key is touched by it."""
    one, other = ref(world, "apart", "a"), ref(world, "apart", "b")
    await objects.put(one, "key", b"value")
    await objects.set_alarm(one, _FAR)
    await objects.set_alarm(other, _FAR + 60)
    await objects.delete_alarm(one)
    await _is(objects, world, other, _FAR + 60, rang=False)
    await holds(objects, one, "key", b"value", "a deleted alarm takes no key with it")


@promise("get_alarm", "set_alarm")
async def a_time_that_is_past_rings_at_once(objects: DurableObject, world: World) -> None:
    """However long ago that is."""
    one = ref(world, "past")
    for at in (world.clock.now() - 3600, 1.0):
        await objects.set_alarm(one, at)
        await _is(objects, world, one, at, rang=True)


@promise("get_alarm", "set_alarm", "delete_alarm", needs_time=True)
async def an_alarm_rings_at_its_time(objects: DurableObject, world: World) -> None:
    """Not before, and then until somebody deletes it: who was away hears it, too."""
    one = ref(world, "ring")
    at = world.clock.now() + 600
    await objects.set_alarm(one, at)
    await pass_time(world, 590)
    await _is(objects, world, one, at, rang=False)
    await pass_time(world, 20)
    for _ in range(2):
        async with world.reopen() as other:
            await _is(other, world, one, at, rang=True)
        await pass_time(world, 86_400)
    await objects.delete_alarm(one, at=at)
    expect("a deleted alarm is None", await objects.get_alarm(one) is None, "an alarm")


@promise("get_alarm", "set_alarm", needs_time=True)
async def an_alarm_that_is_set_again_rings_then(objects: DurableObject, world: World) -> None:
    """The earlier time does not ring."""
    one = ref(world, "again")
    now = world.clock.now()
    await objects.set_alarm(one, now + 60)
    await objects.set_alarm(one, now + 600)
    await pass_time(world, 120)
    await _is(objects, world, one, now + 600, rang=False)
    await pass_time(world, 500)
    await _is(objects, world, one, now + 600, rang=True)


@promise("get_alarm", "set_alarm", "delete_alarm")
async def only_the_alarm_that_is_meant_is_deleted(objects: DurableObject, world: World) -> None:
    """One that was set meanwhile stays, and that is success."""
    one = ref(world, "meant")
    await objects.set_alarm(one, _FAR)
    for other in (_FAR + 1, _FAR - 0.001, 1.0):
        await objects.delete_alarm(one, at=other)
        await _is(objects, world, one, _FAR, rang=False)
    alarm = await objects.get_alarm(one)
    await objects.delete_alarm(one, at=alarm.at if alarm else None)
    expect("the alarm that is meant is deleted", await objects.get_alarm(one) is None, "an alarm")


@promise("get_alarm", "set_alarm")
async def no_time_is_refused(objects: DurableObject, world: World) -> None:
    """Before 1970, at its first moment, never."""
    one = ref(world, "no-time")
    await objects.set_alarm(one, _FAR)
    for bad in (0, -1.0, math.nan, math.inf):
        await refused(f"an alarm at {bad} is refused", objects.set_alarm(one, bad))
    await _is(objects, world, one, _FAR, rang=False)


async def _is(
    objects: DurableObject, world: World, one: ObjectRef, at: float, *, rang: bool
) -> None:
    alarm = await objects.get_alarm(one)
    near = isinstance(alarm, Alarm) and abs(alarm.at - at) < 0.0011
    expect(f"the alarm is at {at}", near, alarm)
    assert alarm is not None
    expect(
        f"at {world.clock.now()} it {'rang' if rang else 'did not ring'}", alarm.rang is rang, alarm
    )


CASES = (
    an_alarm_is_what_was_set_last,
    alarms_stay_apart,
    a_time_that_is_past_rings_at_once,
    an_alarm_rings_at_its_time,
    an_alarm_that_is_set_again_rings_then,
    only_the_alarm_that_is_meant_is_deleted,
    no_time_is_refused,
)
