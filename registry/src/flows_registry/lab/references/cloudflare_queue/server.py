"""The public REST API of a queue over one state: push, batch, pull, acknowledge and retry.

https://developers.cloudflare.com/api/resources/queues/subresources/messages/
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from flows_registry.lab.references.cloudflare_kv.envelope import Refusal, answer, refused
from flows_registry.lab.references.cloudflare_kv.envelope import failure as of_the_proxy
from flows_registry.lab.references.cloudflare_queue import rules
from flows_registry.lab.references.cloudflare_queue.store import Delivered, Queue
from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response

__all__ = ["FACTORY", "CloudflareQueue"]

_ROUTE = re.compile(
    r".*?/accounts/(?P<account>[^/]+)/queues/(?P<queue>[^/]+)/messages(?:/(?P<action>[^/]+))?/?\Z"
)
_QUEUE_ID = re.compile(r"[0-9a-fA-F]{32}\Z")
_BEARER = re.compile(r"Bearer +(\S+)\Z", re.IGNORECASE)

_SCOPES: Final = ("Queues Write",)
"""What every method of messages accepts, pulls included: they take leases.
https://developers.cloudflare.com/fundamentals/api/reference/permissions/"""


class CloudflareQueue:
    """A queue with an HTTP pull consumer, in order and without duplicates: the kindest of what
    "at least once" allows. Its consumer has the documented defaults and no dead letter queue.

    Args:
        settings: `account_id` and `queue_id` are compared where they are given.
        secrets: any of their values is a valid API token.
        now: seconds since 1970; delays and leases follow it.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        now: Callable[[], float],
    ) -> None:
        self._account = settings.get("account_id")
        self._queue = settings.get("queue_id")
        self._tokens = frozenset(secrets.values())
        self._now = now
        self._queues: dict[str, Queue] = {}

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it."""
        try:
            return self._route(request)
        except Refusal as refusal:
            return refused(refusal)

    def state(self) -> Mapping[str, Any]:
        """Every message that is neither acknowledged nor given up; time alone changes nothing."""
        return {
            "queues": {
                name: {each: queue.messages[each].shown() for each in sorted(queue.messages)}
                for name, queue in sorted(self._queues.items())
                if queue.messages
            }
        }

    def reset(self) -> None:
        """Forget everything."""
        self._queues.clear()

    def scopes(self, request: Request) -> tuple[str, ...]:
        """The permissions any one of which the request needs."""
        del request
        return _SCOPES

    def _route(self, request: Request) -> Response:
        found = _ROUTE.match(request.raw_path)
        if found is None:
            raise Refusal.not_routed(request.raw_path)
        self._authenticate(request, found["account"])
        action = _ACTIONS.get(found["action"] or "")
        if action is None:
            raise Refusal.not_routed(request.raw_path)
        self._check_queue(found["queue"])
        if request.method != "POST":
            raise Refusal.not_allowed(request.method)
        queue = self._queues.setdefault(found["queue"], Queue())
        return answer(action(queue, rules.decoded_json(request.body), self._now()))

    def _authenticate(self, request: Request, account: str) -> None:
        header = request.header("authorization")
        if header is None:
            missing = "Missing X-Auth-Key, X-Auth-Email or Authorization headers"
            raise Refusal(400, 9106, missing)
        bearer = _BEARER.match(header)
        if bearer is None:
            raise Refusal(400, 6003, "Invalid request headers",
                          ((6111, "Invalid format for Authorization header"),))  # fmt: skip
        if bearer[1] not in self._tokens:
            raise Refusal(401, 10000, "Authentication error")
        # An account that the token cannot see is told like a token without the permission.
        if self._account is not None and account != self._account:
            raise Refusal(403, 10000, "Authentication error")

    def _check_queue(self, identifier: str) -> None:
        if self._queue is None or identifier == self._queue:
            return
        if _QUEUE_ID.match(identifier) is None:
            raise Refusal(400, 10107, "Malformed queue ID")
        raise Refusal(404, 10104, "Queue does not exist")


def _push(queue: Queue, fields: dict[str, Any], now: float) -> Any:
    posted = rules.message_of(fields)
    queue.put(posted, now, posted.delay_seconds or 0)
    return {"metadata": {"metrics": _metrics(queue)}}


def _push_batch(queue: Queue, fields: dict[str, Any], now: float) -> Any:
    common = rules.delay(fields.get("delay_seconds")) or 0
    for posted in rules.batch_of(fields):
        own = posted.delay_seconds
        queue.put(posted, now, common if own is None else own)
    return {"metadata": {"metrics": _metrics(queue)}}


def _pull(queue: Queue, fields: dict[str, Any], now: float) -> Any:
    count = rules.number(
        fields.get("batch_size", rules.BATCH_SIZE_DEFAULT),
        1,
        rules.PULL_BATCH_SIZE_MAX,
        "batch_size",
    )
    visibility_ms = rules.number(
        fields.get("visibility_timeout_ms", rules.VISIBILITY_MS_DEFAULT),
        0,
        rules.VISIBILITY_MS_MAX,
        "visibility_timeout_ms",
    )
    delivered = queue.pull(count, now, visibility_ms / 1000)
    return {
        "message_backlog_count": len(queue.messages),
        "messages": [_shown(each) for each in delivered],
        "metadata": {"metrics": _metrics(queue)},
    }


def _settle(queue: Queue, fields: dict[str, Any], now: float) -> Any:
    acks = rules.settlements_of(fields.get("acks"), "acks")
    retries = rules.settlements_of(fields.get("retries"), "retries")
    warnings: dict[str, str] = {}
    counts = {"ackCount": 0, "retryCount": 0}
    for lease, _ in acks:
        _count(queue.ack(lease), lease, "ackCount", counts, warnings)
    for lease, delay in retries:
        _count(queue.retry(lease, now, delay or 0), lease, "retryCount", counts, warnings)
    return {**counts, "warnings": warnings}


def _count(
    settled: bool, lease: str, counter: str, counts: dict[str, int], warnings: dict[str, str]
) -> None:
    if settled:
        counts[counter] += 1
    else:  # that such a lease is counted nowhere and warned of is ours: only the map is published
        warnings[lease] = "the lease is not known, or its message is settled"


_ACTIONS: Final[Mapping[str, Callable[[Queue, dict[str, Any], float], Any]]] = {
    "": _push,
    "batch": _push_batch,
    "pull": _pull,
    "ack": _settle,
}


def _shown(delivered: Delivered) -> dict[str, Any]:
    """Text as it is, everything else in base64.

    Source: https://developers.cloudflare.com/queues/configuration/pull-consumers/#content-types
    """
    message, posted = delivered.message, delivered.message.posted
    plain = posted.content_type == "text"
    return {
        "body": posted.content.decode() if plain else base64.b64encode(posted.content).decode(),
        "id": message.id,
        "timestamp_ms": round(message.sent_at * 1000),
        "attempts": message.attempts,
        "metadata": {
            "CF-Content-Type": posted.content_type,
            "CF-sourceMessageSource": "api",
        },
        "lease_id": delivered.lease,
    }


def _metrics(queue: Queue) -> dict[str, int]:
    held = queue.messages.values()
    return {
        "backlog_bytes": sum(len(each.posted.content) for each in held),
        "backlog_count": len(held),
        "oldest_message_timestamp_ms": round(min((e.sent_at for e in held), default=0) * 1000),
    }


_FAILURES: Final[Mapping[int, tuple[int, str]]] = {
    400: (10207, "the request body does not match the expected schema"),
    401: (10000, "Authentication error"),
    403: (10000, "Authentication error"),
    404: (10104, "Queue does not exist"),
    405: (10000, "method not allowed for the api_token authentication scheme"),
    413: (10204, "message length exceeds limit"),
    429: (10250, "Queue is overloaded"),
    500: (15000, "Unknown error"),
    503: (15000, "Unknown error"),
}


def failure(status: int) -> Response:
    """The documented answer for a status; the proxy's own 5xx are pages of HTML.

    Source: https://developers.cloudflare.com/queues/reference/error-codes/
    """
    if status not in _FAILURES and status >= 500:
        return of_the_proxy(status)
    code, message = _FAILURES.get(status, _FAILURES[400])
    return refused(Refusal(status, code, message))


FACTORY = ReferenceFactory(wire="cloudflare-queue", create=CloudflareQueue, failure=failure)
