"""What requests say, beside the arguments themselves: keys, pages, and ways to pay."""

from collections.abc import Mapping

from core_caps.errors import InvalidArgument

from cap_stripe import errors
from cap_stripe.arguments import checked_limit
from cap_stripe.ids import checked_id, is_id

__all__ = ["METHODS", "given", "known", "paged", "under"]

METHODS: Mapping[str, object] = {"enabled": True, "allow_redirects": "never"}
"""Payment methods that need no page of their own: nobody is there to be redirected.
https://docs.stripe.com/api/payment_intents/create#create_payment_intent-automatic_payment_methods"""


def under(key: str) -> Mapping[str, object]:
    """The options of a request under this idempotency key."""
    return {"idempotency_key": key}


def given(**params: object) -> dict[str, object]:
    """The parameters that say something; the vendor takes an empty text for "unset it"."""
    return {name: value for name, value in params.items() if value not in ("", None, {}, False)}


def paged(kind: str, limit: int, cursor: str | None) -> dict[str, object]:
    """The parameters of a page of things of this kind.

    Raises:
        InvalidArgument: the page is too long, or the cursor is none.
    """
    params: dict[str, object] = {"limit": checked_limit(limit)}
    if cursor is not None:
        if not is_id(checked_id(kind, cursor)):
            raise InvalidArgument("the cursor is none", hint="pass on what a page gave")
        params["starting_after"] = cursor
    return params


def known(operation: str, kind: str, id: str) -> str:
    """An id that something of this kind may have.

    Raises:
        InvalidArgument: it is the id of something of another kind.
        ObjectAbsent: nothing can have it; nothing was sent.
    """
    if not is_id(checked_id(kind, id)):
        raise errors.absent(operation, id)
    return id
