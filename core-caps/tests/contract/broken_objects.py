"""A sound provider of DurableObject in memory, and providers with one defect each.

A suite is worth what it catches: every class below the first differs from it in one subtle way,
and `test_objects.py` names the case that must notice.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from core_caps.capabilities.durable_object import Alarm, Item, ItemPage, ObjectRef
from core_caps.clock import VirtualClock
from core_caps.errors import ClientClosed, InvalidArgument, PreconditionFailed

LIMITS = {
    "key_size_bytes_max": 2048,
    "item_size_bytes_max": 100_000,
    "transaction_keys_max": 128,
    "list_limit_max": 1000,
}
PAGE_BYTES_MAX = 250_000


@dataclass
class One:
    values: dict[str, bytes] = field(default_factory=dict)
    alarm: float | None = None


@dataclass
class Service:
    """What the clients of one test share."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    objects: dict[ObjectRef, One] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)


def refuse(condition: object, problem: str) -> None:
    if condition:
        raise InvalidArgument(problem)


class SoundObjects:
    """Keeps every promise of durable_object/1."""

    def __init__(self, service: Service) -> None:
        self.service, self.open = service, False

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open = False

    async def get(self, ref: ObjectRef, key: str) -> bytes | None:
        return (await self._one(ref)).values.get(self._key(key))

    async def get_many(self, ref: ObjectRef, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        one = await self._one(ref)
        self._sequence(keys)
        refuse(len(keys) > LIMITS["transaction_keys_max"], "too many")
        return {key: one.values.get(self._key(key)) for key in keys}

    async def list(
        self,
        ref: ObjectRef,
        *,
        prefix: str = "",
        start: str | None = None,
        start_after: str | None = None,
        end: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> ItemPage:
        one = await self._one(ref)
        self._text(prefix)
        for bound in (start, start_after, end):
            if bound is not None:
                self._text(bound)
        refuse(start is not None and start_after is not None, "two beginnings")
        refuse(type(limit) is not int or not 1 <= limit <= LIMITS["list_limit_max"], "limit")
        refuse(type(reverse) is not bool, "reverse")
        within = self._within(one, prefix, start, start_after, end)
        chosen = self._cut(one, within[::-1] if reverse else within, limit)
        items = tuple(Item(key, one.values[key]) for key in chosen)
        return ItemPage(items, len(within) > len(items))

    async def get_alarm(self, ref: ObjectRef) -> Alarm | None:
        one = await self._one(ref)
        return None if one.alarm is None else Alarm(one.alarm, self._now() >= one.alarm)

    async def put(self, ref: ObjectRef, key: str, value: bytes) -> None:
        one = await self._one(ref)
        checked = self._key(key)
        one.values[checked] = self._value(key, value)

    async def delete(self, ref: ObjectRef, key: str) -> None:
        (await self._one(ref)).values.pop(self._key(key), None)

    async def delete_all(self, ref: ObjectRef) -> None:
        one = await self._one(ref)
        one.values.clear()
        one.alarm = None

    async def transaction(
        self, ref: ObjectRef, changes: Sequence[Item], *, if_values: Sequence[Item] | None = None
    ) -> None:
        one = await self._one(ref)
        self._items(changes)
        self._items(() if if_values is None else if_values)
        if not self._as_expected(one, if_values or ()):
            raise PreconditionFailed("not as expected")
        self._apply(one, changes)

    async def set_alarm(self, ref: ObjectRef, at: float) -> None:
        one = await self._one(ref)
        one.alarm = self._time(at)

    async def delete_alarm(self, ref: ObjectRef, *, at: float | None = None) -> None:
        one = await self._one(ref)
        if at is None or self._time(at) == one.alarm:
            one.alarm = None

    async def new_id(self) -> ObjectRef:
        self._begin()
        self.service.ids.append(f"{16 * len(self.service.ids) + 5:064x}")
        return ObjectRef(id=self.service.ids[-1])

    def _begin(self) -> None:
        if not self.open:
            raise ClientClosed("closed")

    async def _one(self, ref: ObjectRef) -> One:
        self._begin()
        refuse(not isinstance(ref, ObjectRef), "no ref")
        refuse(not isinstance(ref.name, str) or not isinstance(ref.id, str), "no text")
        refuse(bool(ref.name) == bool(ref.id), "not one of the two")
        self._text(ref.name)
        refuse(ref.id and ref.id not in self.service.ids, "nobody's id")
        await asyncio.sleep(0)
        return self.service.objects.setdefault(self._called(ref), One())

    def _called(self, ref: ObjectRef) -> ObjectRef:
        return ref

    def _text(self, text: str) -> str:
        refuse(not isinstance(text, str), "no text")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidArgument("no UTF-8 form") from None
        return text

    def _key(self, key: str) -> str:
        self._text(key)
        refuse(not key or len(key.encode()) > LIMITS["key_size_bytes_max"], "no key")
        return key

    def _value(self, key: str, value: bytes) -> bytes:
        refuse(not isinstance(value, bytes | bytearray), "no bytes")
        refuse(len(key.encode()) + len(value) > LIMITS["item_size_bytes_max"], "too large")
        return bytes(value)

    def _sequence(self, items: object) -> None:
        refuse(not isinstance(items, list | tuple), "no sequence")

    def _items(self, items: Sequence[Item]) -> None:
        self._sequence(items)
        refuse(len(items) > LIMITS["transaction_keys_max"], "too many")
        refuse(not all(isinstance(item, Item) for item in items), "another kind")
        keys = [self._key(item.key) for item in items]
        refuse(len(set(keys)) < len(keys), "twice")
        for item in items:
            if item.value is not None:
                self._value(item.key, item.value)

    def _as_expected(self, one: One, items: Sequence[Item]) -> bool:
        return all(one.values.get(item.key) == item.value for item in items)

    def _apply(self, one: One, changes: Sequence[Item]) -> None:
        for item in changes:
            if item.value is None:
                one.values.pop(item.key, None)
            else:
                one.values[item.key] = item.value

    def _time(self, at: float) -> float:
        number = isinstance(at, int | float) and not isinstance(at, bool)
        refuse(not number or not math.isfinite(at) or not 0 < at < 8.64e12, "no time")
        return float(at)

    def _now(self) -> float:
        return self.service.clock.now()

    def _within(
        self,
        one: One,
        prefix: str,
        start: str | None,
        start_after: str | None,
        end: str | None,
    ) -> Sequence[str]:
        return [
            key
            for key in sorted(one.values, key=self._order)
            if key.startswith(prefix)
            and (start is None or key.encode() >= start.encode())
            and (start_after is None or key.encode() > start_after.encode())
            and (end is None or key.encode() < end.encode())
        ]

    def _order(self, key: str) -> Any:
        return key.encode()

    def _cut(self, one: One, keys: Sequence[str], limit: int) -> Sequence[str]:
        size = 0
        for number, key in enumerate(keys[:limit]):
            size += len(one.values[key])
            if number and size > PAGE_BYTES_MAX:
                return keys[:number]
        return keys[:limit]


class AbsentIsEmpty(SoundObjects):
    async def get(self, ref: ObjectRef, key: str) -> bytes | None:
        return await super().get(ref, key) or b""


class EmptyIsAbsent(SoundObjects):
    async def get(self, ref: ObjectRef, key: str) -> bytes | None:
        return await super().get(ref, key) or None


class ValueIsABuffer(SoundObjects):
    async def get(self, ref: ObjectRef, key: str) -> Any:
        value = await super().get(ref, key)
        return None if value is None else bytearray(value)


class FirstPutStays(SoundObjects):
    async def put(self, ref: ObjectRef, key: str, value: bytes) -> None:
        if await self.get(ref, key) is None:
            await super().put(ref, key, value)


class KeepsTheBuffer(SoundObjects):
    def _value(self, key: str, value: bytes) -> bytes:
        super()._value(key, value)
        return value


class KeysAreFolded(SoundObjects):
    def _key(self, key: str) -> str:
        return super()._key(key).casefold()


class DeletesByPrefix(SoundObjects):
    async def delete(self, ref: ObjectRef, key: str) -> None:
        one = await self._one(ref)
        for each in [each for each in one.values if each.startswith(self._key(key))]:
            del one.values[each]


class DeleteOfNothingFails(SoundObjects):
    async def delete(self, ref: ObjectRef, key: str) -> None:
        refuse(await self.get(ref, key) is None, "absent")
        await super().delete(ref, key)


class ManyLeavesAbsentOut(SoundObjects):
    async def get_many(self, ref: ObjectRef, keys: Sequence[str]) -> Mapping[str, Any]:
        found = await super().get_many(ref, keys)
        return {key: value for key, value in found.items() if value is not None}


class ManyLosesEmptyValues(SoundObjects):
    async def get_many(self, ref: ObjectRef, keys: Sequence[str]) -> Mapping[str, Any]:
        found = await super().get_many(ref, keys)
        return {key: value or None for key, value in found.items()}


class DeleteAllForgetsTheAlarm(SoundObjects):
    async def delete_all(self, ref: ObjectRef) -> None:
        (await self._one(ref)).values.clear()


class DeleteAllOfAPage(SoundObjects):
    async def delete_all(self, ref: ObjectRef) -> None:
        one = await self._one(ref)
        for key in list(one.values)[:64]:
            del one.values[key]
        one.alarm = None


class DeleteAllOfAllObjects(SoundObjects):
    async def delete_all(self, ref: ObjectRef) -> None:
        await self._one(ref)
        self.service.objects.clear()


class AnswersMixedUp(SoundObjects):
    async def get(self, ref: ObjectRef, key: str) -> bytes | None:
        self.asked = (ref, key)
        await asyncio.sleep(0)
        return await super().get(*self.asked)


class OneObjectForAll(SoundObjects):
    def _called(self, ref: ObjectRef) -> ObjectRef:
        return ObjectRef(name="one")


class NamesAreFolded(SoundObjects):
    def _called(self, ref: ObjectRef) -> ObjectRef:
        return ObjectRef(ref.name.replace("%2F", "/"), ref.id)


class IdsAreNames(SoundObjects):
    def _called(self, ref: ObjectRef) -> ObjectRef:
        return ObjectRef(name=ref.name or ref.id)


class AnyIdWillDo(SoundObjects):
    async def _one(self, ref: ObjectRef) -> One:
        if isinstance(ref, ObjectRef) and isinstance(ref.id, str):
            self.service.ids.append(ref.id)
        return await super()._one(ref)


class SameIdTwice(SoundObjects):
    async def new_id(self) -> ObjectRef:
        await super().new_id()
        return ObjectRef(id=self.service.ids[0])


class NeitherIsAnObject(SoundObjects):
    async def _one(self, ref: ObjectRef) -> One:
        both = isinstance(ref, ObjectRef) and not ref.name and not ref.id
        return await super()._one(ObjectRef(name="default") if both else ref)


class Utf16Order(SoundObjects):
    def _order(self, key: str) -> Any:
        return key.encode("utf-16-be")


class NumbersInOrder(SoundObjects):
    def _order(self, key: str) -> Any:
        return key.casefold().encode()


class ReverseIgnored(SoundObjects):
    async def list(self, ref: ObjectRef, *, reverse: bool = False, **bounds: Any) -> ItemPage:
        refuse(type(reverse) is not bool, "reverse")
        return await super().list(ref, **bounds)


class ReverseSwapsBounds(SoundObjects):
    async def list(self, ref: ObjectRef, *, reverse: bool = False, **bounds: Any) -> ItemPage:
        if reverse is True and "start" in bounds and "end" in bounds:
            bounds["start"], bounds["end"] = bounds["end"], bounds["start"]
        return await super().list(ref, reverse=reverse, **bounds)


class EndIncluded(SoundObjects):
    async def list(self, ref: ObjectRef, *, end: Any = None, **bounds: Any) -> ItemPage:
        return await super().list(ref, end=end and f"{end}\x00", **bounds)


class StartAfterIncluded(SoundObjects):
    async def list(self, ref: ObjectRef, *, start_after: Any = None, **bounds: Any) -> ItemPage:
        if start_after is not None and "start" not in bounds:
            return await super().list(ref, start=start_after, **bounds)
        return await super().list(ref, start_after=start_after, **bounds)


class EmptyEndIsNone(SoundObjects):
    async def list(self, ref: ObjectRef, *, end: Any = None, **bounds: Any) -> ItemPage:
        return await super().list(ref, end=None if end == "" else end, **bounds)


class PrefixIsAPattern(SoundObjects):
    def _within(self, one: One, prefix: str, *bounds: Any) -> Sequence[str]:
        return super()._within(one, prefix.rstrip("%"), *bounds)


class PrefixOrStart(SoundObjects):
    def _within(
        self, one: One, prefix: str, start: Any, start_after: Any, end: Any
    ) -> Sequence[str]:
        return super()._within(one, prefix, None if prefix else start, start_after, end)


class AlwaysMore(SoundObjects):
    async def list(self, ref: ObjectRef, **bounds: Any) -> ItemPage:
        page = await super().list(ref, **bounds)
        return ItemPage(page.items, len(page.items) >= bounds.get("limit", 100))


class NeverMore(SoundObjects):
    async def list(self, ref: ObjectRef, **bounds: Any) -> ItemPage:
        return ItemPage((await super().list(ref, **bounds)).items)


class LargePagesAreCut(SoundObjects):
    async def list(self, ref: ObjectRef, **bounds: Any) -> ItemPage:
        page = await super().list(ref, **bounds)
        large = sum(len(item.value or b"") for item in page.items) > PAGE_BYTES_MAX / 2
        return ItemPage(page.items, page.more and not large)


class TwoBeginnings(SoundObjects):
    async def list(self, ref: ObjectRef, *, start_after: Any = None, **bounds: Any) -> ItemPage:
        if start_after is not None:
            bounds.pop("start", None)
        return await super().list(ref, start_after=start_after, **bounds)


class LimitHasNoEnd(SoundObjects):
    async def list(self, ref: ObjectRef, *, limit: Any = 100, **bounds: Any) -> ItemPage:
        most = LIMITS["list_limit_max"]
        refused = type(limit) is not int or limit < 1
        return await super().list(ref, limit=limit if refused else min(limit, most), **bounds)


class ChangesOneByOne(SoundObjects):
    """A read may come between two changes."""

    async def transaction(self, ref: ObjectRef, changes: Any, *, if_values: Any = None) -> None:
        await super().transaction(ref, [], if_values=if_values)
        self._items(changes)
        one = await self._one(ref)
        for item in changes:
            self._apply(one, [item])
            await asyncio.sleep(0)


class AppliesBeforeItChecks(SoundObjects):
    """The keys before the bad one are stored."""

    async def transaction(self, ref: ObjectRef, changes: Any, *, if_values: Any = None) -> None:
        if if_values is None and isinstance(changes, list):
            for item in changes[:-1]:
                await super().transaction(ref, [item])
        await super().transaction(ref, changes, if_values=if_values)


class RemovesNothing(SoundObjects):
    def _apply(self, one: One, changes: Sequence[Item]) -> None:
        super()._apply(one, [item for item in changes if item.value is not None])


class ConditionsIgnored(SoundObjects):
    def _as_expected(self, one: One, items: Sequence[Item]) -> bool:
        return True


class OneConditionIsEnough(SoundObjects):
    def _as_expected(self, one: One, items: Sequence[Item]) -> bool:
        return not items or any(one.values.get(item.key) == item.value for item in items)


class AbsenceIsEmptiness(SoundObjects):
    def _as_expected(self, one: One, items: Sequence[Item]) -> bool:
        return all((one.values.get(item.key) or b"") == (item.value or b"") for item in items)


class ConditionsOnChangedKeysOnly(SoundObjects):
    async def transaction(self, ref: ObjectRef, changes: Any, *, if_values: Any = None) -> None:
        kept = if_values
        if isinstance(if_values, list) and isinstance(changes, list):
            keys = {getattr(item, "key", None) for item in changes}
            kept = [item for item in if_values if getattr(item, "key", None) in keys]
        await super().transaction(ref, changes, if_values=kept)


class LooksThenSets(SoundObjects):
    """Two who expect the same at once both win."""

    async def transaction(self, ref: ObjectRef, changes: Any, *, if_values: Any = None) -> None:
        await super().transaction(ref, [], if_values=if_values)
        await asyncio.sleep(0)
        await super().transaction(ref, changes)


class LastOfTwiceWins(SoundObjects):
    def _items(self, items: Sequence[Item]) -> None:
        self._sequence(items)
        for item in items:
            super()._items([item])
        refuse(len(items) > LIMITS["transaction_keys_max"], "too many")


class TransactionsOfAnySize(SoundObjects):
    def _items(self, items: Sequence[Item]) -> None:
        self._sequence(items)
        for start in range(0, len(items), 100):
            super()._items(items[start : start + 100])
        keys = [item.key for item in items]
        refuse(len(set(keys)) < len(keys), "twice")


class AlarmsInSeconds(SoundObjects):
    def _time(self, at: float) -> float:
        return float(int(super()._time(at)))


class FirstAlarmStays(SoundObjects):
    async def set_alarm(self, ref: ObjectRef, at: float) -> None:
        one = await self._one(ref)
        if one.alarm is None:
            await super().set_alarm(ref, at)


class EarliestAlarmStays(SoundObjects):
    async def set_alarm(self, ref: ObjectRef, at: float) -> None:
        one = await self._one(ref)
        one.alarm = min(self._time(at), one.alarm or math.inf)


class OneAlarmForAll(SoundObjects):
    async def delete_alarm(self, ref: ObjectRef, *, at: float | None = None) -> None:
        await super().delete_alarm(ref, at=at)
        for one in self.service.objects.values():
            one.alarm = None


class PastAlarmsAreRefused(SoundObjects):
    async def set_alarm(self, ref: ObjectRef, at: float) -> None:
        refuse(self._time(at) < self._now(), "past")
        await super().set_alarm(ref, at)


class RingsOnce(SoundObjects):
    """Who was away when it rang never hears of it."""

    async def get_alarm(self, ref: ObjectRef) -> Alarm | None:
        alarm = await super().get_alarm(ref)
        if alarm is not None and alarm.rang:
            (await self._one(ref)).alarm = None
        return alarm


class NeverRings(SoundObjects):
    async def get_alarm(self, ref: ObjectRef) -> Alarm | None:
        alarm = await super().get_alarm(ref)
        set_long_ago = alarm is not None and self._now() - alarm.at > 3000
        return alarm and Alarm(alarm.at, alarm.rang and set_long_ago)


class RingsEarly(SoundObjects):
    async def get_alarm(self, ref: ObjectRef) -> Alarm | None:
        alarm = await super().get_alarm(ref)
        return alarm and Alarm(alarm.at, self._now() > alarm.at - 60)


class DeletesAnyAlarm(SoundObjects):
    async def delete_alarm(self, ref: ObjectRef, *, at: float | None = None) -> None:
        if at is not None:
            self._time(at)
        await super().delete_alarm(ref)


class OtherAlarmIsAnError(SoundObjects):
    async def delete_alarm(self, ref: ObjectRef, *, at: float | None = None) -> None:
        one = await self._one(ref)
        refuse(at is not None and one.alarm != at, "another")
        await super().delete_alarm(ref, at=at)


class EpochIsATime(SoundObjects):
    def _time(self, at: float) -> float:
        return 0.001 if at == 0 and not isinstance(at, bool) else super()._time(at)


class KeysAreCut(SoundObjects):
    def _key(self, key: str) -> str:
        cut = isinstance(key, str) and key.isascii()
        return super()._key(key[: LIMITS["key_size_bytes_max"]] if cut else key)


class EmptyKeyIsAKey(SoundObjects):
    def _key(self, key: str) -> str:
        return super()._key(key or "\x00") if isinstance(key, str) else super()._key(key)


class LettersCount(SoundObjects):
    def _value(self, key: str, value: bytes) -> bytes:
        return super()._value("k" * len(key), value)


class TripsOverTypes(SoundObjects):
    def _sequence(self, items: Any) -> None:
        refuse(isinstance(items, str | bytes), "no sequence")
        len(items)


class OpenAfterClose(SoundObjects):
    async def __aexit__(self, *exc: object) -> None:
        pass


class EachClientHasItsOwnStore(SoundObjects):
    def __init__(self, service: Service) -> None:
        super().__init__(Service(service.clock))


class ClosesTheStore(SoundObjects):
    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        self.service.objects.clear()


class ReadsAreCached(SoundObjects):
    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.cache: dict[tuple[ObjectRef, str], Any] = {}

    async def get(self, ref: ObjectRef, key: str) -> bytes | None:
        value = await super().get(ref, key)
        return self.cache.setdefault((ref, key), value)

    async def put(self, ref: ObjectRef, key: str, value: bytes) -> None:
        await super().put(ref, key, value)
        self.cache[ref, key] = bytes(value)
