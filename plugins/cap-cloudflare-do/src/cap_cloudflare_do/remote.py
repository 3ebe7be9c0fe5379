"""Durable Objects through the bridge Worker, with httpx."""

from collections.abc import Mapping, Sequence
from functools import partial

from core_caps.capabilities.durable_object import Alarm, Item, ItemPage, ObjectRef

from cap_cloudflare_do import answers, limits
from cap_cloudflare_do.answers import coded
from cap_cloudflare_do.bridge import BridgeClient, read, write

__all__ = ["RemoteObjects"]

VALUE_ANSWER_BYTES_MAX = 2 * limits.ITEM_SIZE_BYTES_MAX
"""Of a value's answer: base64 makes four bytes of three."""

VALUES_ANSWER_BYTES_MAX = 2 * limits.TRANSACTION_SIZE_BYTES_MAX

PAGE_ANSWER_BYTES_MAX = 2 * limits.PAGE_SIZE_BYTES_MAX + 6 * (
    limits.LIST_LIMIT_MAX * limits.KEY_SIZE_BYTES_MAX
)
"""Of a page's answer: JSON escapes a byte of a key in at most six."""


class RemoteObjects(BridgeClient):
    """The objects of a bridge as one client sees them.

    Every operation may raise Unauthenticated, PermissionDenied, ContainerNotFound, RateLimited,
    Unavailable, TimedOut and ProtocolViolation, besides what it lists itself.
    """

    async def get(self, ref: ObjectRef, key: str) -> bytes | None:
        """The value, or None when the key is absent.

        Raises:
            InvalidArgument: an argument breaks a limit, or the id is none of the namespace's.
        """
        exchange = self._opened()
        content = {**self._object(ref), "key": limits.checked_key(key)}
        call = read("get", "/v1/get", content, answers.bytes_or_none, VALUE_ANSWER_BYTES_MAX)
        return await exchange.in_time("get", exchange.send(call), writes=False)

    async def get_many(self, ref: ObjectRef, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values as they are at one moment; an absent key maps to None."""
        exchange = self._opened()
        checked = limits.checked_keys(keys)
        content = {**self._object(ref), "keys": checked}
        result = partial(answers.values, keys=checked)
        call = read("get_many", "/v1/get_many", content, result, VALUES_ANSWER_BYTES_MAX)
        return await exchange.in_time("get_many", exchange.send(call), writes=False)

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
        """Up to `limit` items within these bounds; fewer where they are large."""
        exchange = self._opened()
        bounds = limits.checked_bounds(prefix, start, start_after, end, limit, reverse)
        content = {
            **self._object(ref),
            "prefix": bounds.prefix,
            "start": bounds.start,
            "start_after": bounds.start_after,
            "end": bounds.end,
            "limit": bounds.limit,
            "reverse": bounds.reverse,
        }
        result = partial(answers.page, limit=limit)
        call = read("list", "/v1/list", content, result, PAGE_ANSWER_BYTES_MAX)
        return await exchange.in_time("list", exchange.send(call), writes=False)

    async def get_alarm(self, ref: ObjectRef) -> Alarm | None:
        """The alarm, also when it rang by the object's clock, or None where none is set."""
        exchange = self._opened()
        call = read("get_alarm", "/v1/get_alarm", self._object(ref), answers.alarm)
        return await exchange.in_time("get_alarm", exchange.send(call), writes=False)

    async def put(self, ref: ObjectRef, key: str, value: bytes) -> None:
        """Store a value, replacing what was there.

        Raises:
            InvalidArgument: a limit is broken; NOT_APPLIED.
        """
        exchange = self._opened()
        limits.checked_key(key)
        checked = limits.checked_item(key, value, None)
        content = {**self._object(ref), "key": key, "value": coded(checked)}
        call = write("put", "/v1/put", content, answers.nothing)
        await exchange.in_time("put", exchange.send(call), writes=True)

    async def delete(self, ref: ObjectRef, key: str) -> None:
        """Remove a key; an absent key is success."""
        exchange = self._opened()
        content = {**self._object(ref), "key": limits.checked_key(key)}
        call = write("delete", "/v1/delete", content, answers.nothing)
        await exchange.in_time("delete", exchange.send(call), writes=True)

    async def delete_all(self, ref: ObjectRef) -> None:
        """Remove every key and the alarm."""
        exchange = self._opened()
        call = write("delete_all", "/v1/delete_all", self._object(ref), answers.nothing)
        await exchange.in_time("delete_all", exchange.send(call), writes=True)

    async def transaction(
        self, ref: ObjectRef, changes: Sequence[Item], *, if_values: Sequence[Item] | None = None
    ) -> None:
        """Store and remove several keys at once, if others are as expected; all or nothing.

        Raises:
            PreconditionFailed: something is not as expected; NOT_APPLIED.
            InvalidArgument: a limit is broken, or a key is given twice; NOT_APPLIED.
        """
        exchange = self._opened()
        checked = limits.checked_items(changes, "changes")
        expected = limits.checked_items(() if if_values is None else if_values, "if_values")
        content = {
            **self._object(ref),
            "changes": [(key, coded(value)) for key, value in checked.items()],
            "if_values": [(key, coded(value)) for key, value in expected.items()],
        }
        call = write("transaction", "/v1/transaction", content, answers.nothing)
        await exchange.in_time("transaction", exchange.send(call), writes=True)

    async def set_alarm(self, ref: ObjectRef, at: float) -> None:
        """Let the object's one alarm ring at this time.

        Raises:
            InvalidArgument: `at` is no time after 1970; NOT_APPLIED.
        """
        exchange = self._opened()
        content = {**self._object(ref), "at_ms": limits.to_ms(limits.checked_time(at))}
        call = write("set_alarm", "/v1/set_alarm", content, answers.nothing)
        await exchange.in_time("set_alarm", exchange.send(call), writes=True)

    async def delete_alarm(self, ref: ObjectRef, *, at: float | None = None) -> None:
        """Forget the alarm, or only the one of this time."""
        exchange = self._opened()
        at_ms = None if at is None else limits.to_ms(limits.checked_time(at))
        content = {**self._object(ref), "at_ms": at_ms}
        call = write("delete_alarm", "/v1/delete_alarm", content, answers.nothing)
        await exchange.in_time("delete_alarm", exchange.send(call), writes=True)

    async def new_id(self) -> ObjectRef:
        """A new object, by an id that the service makes up."""
        exchange = self._opened()
        call = read("new_id", "/v1/new_id", {}, answers.new_ref)
        return await exchange.in_time("new_id", exchange.send(call), writes=False)

    def _object(self, ref: ObjectRef) -> dict[str, object]:
        return {"object": self._named(limits.checked_ref(ref))}
