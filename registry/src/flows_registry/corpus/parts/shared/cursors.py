"""Cursors that only continue the listing they came from."""

import base64
import json

from core_caps.errors import InvalidArgument

__all__ = ["seal", "unseal"]


def seal(prefix: str, vendor: str | None, after: str | None) -> str:
    """A cursor that goes on in the vendor's page behind `after`."""
    return base64.urlsafe_b64encode(json.dumps([prefix, vendor, after]).encode()).decode()


def unseal(cursor: str | None, prefix: str) -> tuple[str | None, str | None]:
    """The vendor's cursor, and the key behind which to go on."""
    if cursor is None:
        return None, None
    try:
        for_prefix, vendor, after = json.loads(base64.b64decode(cursor, b"-_", validate=True))
        if for_prefix != prefix:
            raise ValueError(prefix)
    except (TypeError, ValueError):
        raise InvalidArgument("the cursor does not come from a listing of this prefix") from None
    return vendor, after
