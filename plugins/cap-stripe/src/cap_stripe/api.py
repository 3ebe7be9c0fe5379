"""The official SDK as it is asked: one request a call, nothing repeated, one kind of errors.

How the requests travel is what the backends differ in.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import stripe
from core_caps.clock import Clock
from core_caps.errors import InvalidArgument, ObjectAbsent, ProviderError
from core_caps.http.failures import Malformed, retry_after_seconds, shown

from cap_stripe import answers, errors, sdk
from cap_stripe.ids import checked_id, is_id

__all__ = ["Api"]

_Result = TypeVar("_Result")
_Asked = Coroutine[Any, Any, stripe.StripeObject]


class Api:
    """One account through the SDK, and what its answers and exceptions mean.

    Args:
        client: the SDK's.
        clock: tells how long until a Retry-After.
        timeout_seconds: the longest that one call takes; None is as long as it takes.
        hidden: texts that no error may show.

    Attributes:
        v1: what the SDK offers; its parameters are typed more narrowly than can be built up.
    """

    def __init__(
        self,
        client: stripe.StripeClient,
        clock: Clock,
        *,
        timeout_seconds: float | None = None,
        hidden: Sequence[str] = (),
    ) -> None:
        self.v1: Any = client.v1
        self._clock = clock
        self._seconds = timeout_seconds
        self._hidden = hidden

    async def found(
        self,
        operation: str,
        kind: str,
        id: str,
        ask: Callable[[str], _Asked],
        read: Callable[[object], _Result],
    ) -> _Result | None:
        """What has this id, or None; what was deleted is absent, too."""
        if not is_id(checked_id(kind, id)):
            return None
        try:
            return await self._answered(operation, ask(id), answers.unless_deleted(read))
        except ObjectAbsent:
            return None

    async def listed(
        self, operation: str, asked: _Asked, read: Callable[[object], _Result]
    ) -> _Result:
        """A page; a cursor that names nothing is an argument that is wrong."""
        try:
            return await self._answered(operation, asked, read)
        except ObjectAbsent as problem:
            said = problem.message
        raise InvalidArgument(
            said, hint="pass on the cursor of the same listing; a customer must exist"
        )

    async def written(
        self,
        operation: str,
        asked: _Asked,
        read: Callable[[object], _Result],
        key: str,
        *,
        only_state: bool = False,
    ) -> _Result:
        """What was written under this key.

        Args:
            operation: what was asked.
            asked: the request.
            read: `answer → what was written`.
            key: its idempotency key.
            only_state: nothing could be wrong with it but the state of its object.
        """
        return await self._answered(operation, asked, read, key=key, only_state=only_state)

    async def _answered(
        self,
        operation: str,
        asked: _Asked,
        read: Callable[[object], _Result],
        *,
        key: str = "",
        only_state: bool = False,
    ) -> _Result:
        """What the service answers, within the one deadline of the call.

        Raises:
            ProviderError: everything but a documented success, by the table in `errors`.
        """
        error: ProviderError
        try:
            async with asyncio.timeout(self._seconds):
                answer = await asked
            return read(sdk.content(answer))
        except stripe.StripeError as problem:
            error = self._refused(operation, problem, key, only_state=only_state)
        except sdk.NoAnswer as problem:
            error = problem.means(operation, bool(key))
        except Malformed as problem:
            error = errors.FAILURES.broken(operation, str(problem), writes=bool(key))
        except UnicodeDecodeError:  # the SDK's own, of a body that is no UTF-8
            error = errors.FAILURES.broken(operation, "it is no UTF-8", writes=bool(key))
        except TimeoutError:
            error = errors.FAILURES.late(operation, self._seconds or 0.0, writes=bool(key))
        # Raised out here so that it carries no exception of the SDK's.
        raise error

    def _refused(
        self, operation: str, problem: stripe.StripeError, key: str, *, only_state: bool
    ) -> ProviderError:
        status = problem.http_status or 200
        if status == 200:
            return errors.FAILURES.broken(operation, "it is no JSON in UTF-8", writes=bool(key))
        told: Mapping[str, str] = problem.headers or {}
        answer = errors.said(problem.json_body)
        return errors.refused(
            operation,
            status,
            answer._replace(message=shown(answer.message, self._hidden)),
            key=key,
            only_state=only_state,
            retry_after_seconds=retry_after_seconds(told.get("retry-after"), self._clock.now()),
        )
