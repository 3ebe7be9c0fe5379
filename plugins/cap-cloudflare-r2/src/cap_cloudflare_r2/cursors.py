"""Cursors of a listing: opaque text that also says which listing it belongs to.

The vendor's continuation token is wrapped with a checksum over the listing's prefix and
delimiter, so a cursor that is mistyped, foreign or used with another prefix is refused here
instead of silently listing something else.
"""

import base64
import binascii
import hashlib
from typing import cast

from core_caps.errors import InvalidArgument

__all__ = ["token_of", "wrap"]

_MARK = b"r2l1"


def wrap(token: str, *, prefix: str, delimiter: str | None) -> str:
    """The cursor that stands for a continuation token of this listing."""
    raw = token.encode()
    return base64.urlsafe_b64encode(_MARK + _seal(raw, prefix, delimiter) + raw).decode()


def token_of(cursor: str, *, prefix: str, delimiter: str | None) -> str:
    """The continuation token in a cursor of this listing.

    Raises:
        InvalidArgument: the cursor is not one that `list` gave for this prefix and delimiter.
    """
    given = cast("object", cursor)
    try:
        if not isinstance(given, str):
            raise ValueError
        framed = base64.b64decode(given.encode("ascii"), altchars=b"-_", validate=True)
        mark, seal, raw = framed[:4], framed[4:12], framed[12:]
        if mark == _MARK and seal == _seal(raw, prefix, delimiter):
            return raw.decode()
    except (binascii.Error, ValueError):
        pass
    raise InvalidArgument(
        "the cursor is not one that list() gave for this prefix and delimiter",
        hint="pass BlobPage.cursor on unchanged, with the same prefix and delimiter",
    )


def _seal(raw: bytes, prefix: str, delimiter: str | None) -> bytes:
    listing = repr((prefix, delimiter)).encode()
    return hashlib.sha256(len(listing).to_bytes(4, "big") + listing + raw).digest()[:8]
