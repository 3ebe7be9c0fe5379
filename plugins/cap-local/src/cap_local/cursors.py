"""Cursors that only continue the listing they came from.

A cursor is sealed with what was listed and how, so that one which is not ours, or is ours for
another listing, is refused instead of continuing somewhere.
"""

import base64
import binascii
import hashlib
from typing import cast

from core_caps.errors import InvalidArgument

__all__ = ["seal", "unseal"]

_SEAL_BYTES = 12


def seal(position: str, *, scope: str, prefix: str) -> str:
    """A cursor that holds `position` in the listing of `prefix` in `scope`."""
    raw = position.encode()
    return base64.urlsafe_b64encode(_digest(raw, scope, prefix) + raw).decode()


def unseal(cursor: str, *, scope: str, prefix: str) -> str:
    """The position that a cursor holds.

    Raises:
        InvalidArgument: it was not made for this listing; NOT_APPLIED.
    """
    given = cast("object", cursor)
    try:
        if not isinstance(given, str):
            raise TypeError
        sealed = base64.b64decode(given.encode("ascii"), altchars=b"-_", validate=True)
        digest, raw = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        if digest != _digest(raw, scope, prefix):
            raise ValueError
        return raw.decode()
    except (TypeError, ValueError, binascii.Error):
        raise InvalidArgument(
            "the cursor does not come from this listing",
            hint="pass page.cursor as it is, with the same arguments; None lists from the start",
        ) from None


def _digest(raw: bytes, scope: str, prefix: str) -> bytes:
    digest = hashlib.blake2s(digest_size=_SEAL_BYTES)
    for part in (scope.encode(), prefix.encode(), raw):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
