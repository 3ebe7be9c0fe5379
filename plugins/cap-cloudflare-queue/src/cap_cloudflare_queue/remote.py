"""Cloudflare Queues through the vendor's public REST API, with httpx."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Self, TypeVar

from core_caps.capabilities.queue import Delivery, Message
from core_caps.clock import Clock
from core_caps.errors import ClientClosed
from core_caps.http.envelope import envelope
from core_caps.http.exchange import Call, Exchange, Service
from core_caps.http.json_bodies import written_json
from core_caps.rng import Rng

from cap_cloudflare_queue import answers, errors, leases, limits
from cap_cloudflare_queue.config import RemoteConfig
from cap_cloudflare_queue.envelopes import Encoded, encoded

__all__ = ["RemoteQueue"]

ENVELOPE_BYTES_MAX = 4 * 1024 * 1024
"""Of an answer without messages: a warning for each of some thousand leases fits."""

PULL_ANSWER_BYTES_MAX = limits.PULL_LIMIT_MAX * (6 * limits.MESSAGE_SIZE_BYTES_MAX + 16 * 1024)
"""Of a pull's answer: JSON escapes a byte in at most six."""
_Result = TypeVar("_Result")


class RemoteQueue:
    """A queue as one client of the REST API sees it.

    To pull, the queue needs an HTTP consumer: `wrangler queues consumer http add`. Nothing is ever
    repeated; every error states its outcome: what may have arrived is UNKNOWN. Every operation may
    raise Unauthenticated, PermissionDenied, ContainerNotFound, RateLimited, Unavailable, TimedOut
    and ProtocolViolation, besides what it lists itself.
    """

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._exchange: Exchange | None = None

    def __repr__(self) -> str:
        return f"RemoteQueue({self._config.base_url}, queue {self._config.queue_id})"

    async def __aenter__(self) -> Self:
        self._exchange = Exchange(_service(self._config), self._clock)
        return self

    async def __aexit__(self, *exc: object) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.close()

    async def send(self, body: bytes, *, key: str = "", delay_seconds: int | None = None) -> None:
        """Send one message. Text without a key is stored as it is, for any consumer to read.

        Raises:
            InvalidArgument: a limit is broken; NOT_APPLIED.
        """
        exchange = self._opened()
        message = encoded(limits.checked_body(body), limits.checked_key(key))
        limits.checked_delay(delay_seconds)
        limits.checked_sizes([message.size_bytes])
        content = _pushed(message, delay_seconds)
        await exchange.in_time("send", _push(exchange, "send", "/messages", content), writes=True)

    async def send_batch(self, messages: Sequence[Message]) -> None:
        """Send several messages in one request; on failure some may be sent (UNKNOWN).

        Raises:
            InvalidArgument: a limit is broken, by one message or by all; NOT_APPLIED.
        """
        exchange = self._opened()
        checked = limits.checked_messages(messages)
        coded = [encoded(message.body, message.key) for message in checked]
        limits.checked_sizes([each.size_bytes for each in coded])
        if coded:
            pairs = zip(coded, checked, strict=True)
            content = {"messages": [_pushed(each, sent.delay_seconds) for each, sent in pairs]}
            push = _push(exchange, "send_batch", "/messages/batch", content)
            await exchange.in_time("send_batch", push, writes=True)

    async def pull(
        self, *, limit: int = 10, visibility_seconds: int | None = None
    ) -> Sequence[Delivery]:
        """Up to `limit` messages, hidden from other consumers while their leases hold.

        A pull whose answer is lost has handed its messages to nobody: they come again when their
        leases run out, with one attempt more.

        Raises:
            InvalidArgument: `limit` is not 1 to 100, or `visibility_seconds` not 1 to 43 200.
        """
        exchange = self._opened()
        content: dict[str, object] = {"batch_size": limits.checked_limit(limit)}
        ends_at: float | None = None
        if limits.checked_visibility(visibility_seconds) is not None:
            assert visibility_seconds is not None
            content["visibility_timeout_ms"] = visibility_seconds * 1000
            # Counted from before the request: it is never later than the service's own end.
            ends_at = self._clock.now() + visibility_seconds
        read = partial(answers.pulled, limit=limit)
        call = _call("pull", "/messages/pull", content, read, PULL_ANSWER_BYTES_MAX)
        found = await exchange.in_time("pull", exchange.send(call), writes=True)
        return tuple(_delivery(message, ends_at) for message in found)

    async def ack(self, leases: Sequence[str]) -> None:
        """The messages of these leases are done with and are not delivered again.

        Raises:
            InvalidArgument: it is no sequence of texts; NOT_APPLIED.
            LeaseExpired: some of these leases do not hold; `leases` names them, and the others
                are settled.
        """
        await self._settle("ack", leases, {}, None)

    async def retry(self, leases: Sequence[str], *, delay_seconds: int | None = None) -> None:
        """The messages of these leases are to be delivered again, after a delay.

        Raises:
            InvalidArgument: it is no sequence of texts, or the delay is not 0 to 86 400;
                NOT_APPLIED.
            LeaseExpired: some of these leases do not hold; `leases` names them, and the others
                are settled.
        """
        delay = {} if delay_seconds is None else {"delay_seconds": delay_seconds}
        await self._settle("retry", leases, delay, delay_seconds)

    async def _settle(
        self,
        operation: str,
        named: Sequence[str],
        more: Mapping[str, object],
        delay_seconds: int | None,
    ) -> None:
        exchange = self._opened()
        asked = limits.checked_leases(named)
        limits.checked_delay(delay_seconds)
        now = self._clock.now()
        opened = {lease: leases.opened(lease) for lease in asked}
        holding = {
            lease.id: name
            for name, lease in opened.items()
            if lease is not None and lease.holds(now)
        }
        failed: set[str] = set(asked) - set(holding.values())
        if holding:
            entries = [{"lease_id": lease_id, **more} for lease_id in holding]
            call = _settling(operation, entries, list(holding))
            unsettled = await exchange.in_time(operation, exchange.send(call), writes=True)
            failed |= {holding[lease_id] for lease_id in unsettled}
        if failed:
            expired = [given for given in asked if given in failed]
            raise errors.expired(operation, expired, len(asked))

    def _opened(self) -> Exchange:
        if self._exchange is None:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        return self._exchange


def _service(config: RemoteConfig) -> Service:
    base = config.base_url.rstrip("/")
    return Service(
        distribution="cap-cloudflare-queue",
        url=f"{base}/accounts/{config.account_id}/queues/{config.queue_id}",
        failures=errors.FAILURES,
        headers={"Authorization": f"Bearer {config.api_token.reveal()}"},
        secrets=(config.api_token,),
        timeout_seconds=config.timeout_seconds,
        connect_timeout_seconds=config.connect_timeout_seconds,
        transport=config.transport,
    )


def _call(
    operation: str,
    path: str,
    content: object,
    read: Callable[[bytes, str], _Result],
    size_bytes_max: int,
) -> Call[_Result]:
    body = written_json(content)
    return Call(operation, "POST", path, True, read, size_bytes_max, body=body)


def _pushed(message: Encoded, delay_seconds: int | None) -> Mapping[str, object]:
    content: dict[str, object] = {"body": message.body, "content_type": message.content_type}
    if delay_seconds is not None:
        content["delay_seconds"] = delay_seconds
    return content


async def _push(
    exchange: Exchange, operation: str, path: str, content: Mapping[str, object]
) -> None:
    await exchange.send(_call(operation, path, content, envelope, ENVELOPE_BYTES_MAX))


def _settling(
    operation: str, entries: Sequence[Mapping[str, object]], asked: Sequence[str]
) -> Call[Sequence[str]]:
    field, counter = ("acks", "ackCount") if operation == "ack" else ("retries", "retryCount")
    content = {"acks": (), "retries": (), field: entries}
    read = partial(answers.unsettled, counter=counter, asked=asked)
    return _call(operation, "/messages/ack", content, read, ENVELOPE_BYTES_MAX)


def _delivery(message: answers.Pulled, ends_at: float | None) -> Delivery:
    return Delivery(
        id=message.id,
        body=message.content.body,
        key=message.content.key,
        attempts=message.attempts,
        sent_at=message.sent_at,
        lease=leases.sealed(message.lease_id, ends_at),
    )
