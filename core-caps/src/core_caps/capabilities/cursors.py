"""Cursors that only continue the listing they came from.

Services call a cursor opaque and say nothing of one that is used in another listing. Ours is sealed
with what was listed and how, so that one which is not ours, or is ours for another listing, is
refused instead of continuing somewhere.
"""

import base64
import binascii
import hashlib
from typing import cast

from core_caps.errors import InvalidArgument

__all__ = ["seal", "unseal"]

_SEAL_BYTES = 12


def seal(position: str, *listing: str | None) -> str:
    """A cursor that holds `position` in a listing, which its arguments tell from others."""
    raw = position.encode()
    return base64.urlsafe_b64encode(_digest(raw, listing) + raw).decode()


def unseal(cursor: str, *listing: str | None) -> str:
    """The position that a cursor of this listing holds.

    Raises:
        InvalidArgument: it was not made for this listing; NOT_APPLIED.
    """
    given = cast("object", cursor)
    try:
        if not isinstance(given, str):
            raise TypeError
        sealed = base64.b64decode(given.encode("ascii"), altchars=b"-_", validate=True)
        digest, raw = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        if digest != _digest(raw, listing):
            raise ValueError
        return raw.decode()
    except (TypeError, ValueError, binascii.Error):
        raise InvalidArgument(
            "the cursor does not come from this listing",
            hint="pass page.cursor as it is, with the same arguments; None lists from the start",
        ) from None


def _digest(raw: bytes, listing: tuple[str | None, ...]) -> bytes:
    told = repr(listing).encode()
    sealed = len(told).to_bytes(8, "big") + told + raw
    return hashlib.blake2s(sealed, digest_size=_SEAL_BYTES).digest()
