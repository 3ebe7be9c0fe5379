"""What requests and answers of S3 look like: etags, conditions, ranges, absence."""

from core_caps.capabilities.blob_store import ByteRange

from cap_cloudflare_r2.wire import Exchange

__all__ = ["absent", "conditions_of", "etag_of", "is_md5", "range_header", "unquoted", "whole_size"]


def etag_of(exchange: Exchange) -> str:
    """The strong etag in an answer's headers, without its quotes.

    Raises:
        ProtocolViolation: there is none.
    """
    return unquoted(exchange, exchange.headers.get("etag"))


def is_md5(etag: str) -> bool:
    """Whether an etag is the MD5 of the content (an upload in parts has another form)."""
    return len(etag) == 32 and all(digit in "0123456789abcdef" for digit in etag)


def unquoted(exchange: Exchange, etag: object) -> str:
    """A strong etag without its quotes.

    Raises:
        ProtocolViolation: it is none.
    """
    if isinstance(etag, str) and len(etag) > 2 and etag[0] == etag[-1] == '"':
        return etag[1:-1]
    raise exchange.garbled("the answer has no etag" if not etag else f"{etag!r} is no strong etag")


def absent(exchange: Exchange) -> bool:
    """Whether the service said that the key is absent (and not the bucket)."""
    refusal = exchange.refusal
    return refusal is not None and refusal.status == 404 and refusal.code == "NoSuchKey"


def conditions_of(if_match: str | None, if_none_match: str | None) -> dict[str, object]:
    """The conditions as boto3's parameters; an etag is sent in quotes, `*` is not."""
    return {
        name: etag if etag == "*" else f'"{etag}"'
        for name, etag in (("IfMatch", if_match), ("IfNoneMatch", if_none_match))
        if etag is not None
    }


def range_header(wanted: ByteRange) -> str:
    """The Range header's value. Source: https://www.rfc-editor.org/rfc/rfc9110#field.range"""
    if wanted.offset is None:
        return f"bytes=-{wanted.length}"
    end = "" if wanted.length is None else wanted.offset + wanted.length - 1
    return f"bytes={wanted.offset}-{end}"


def whole_size(exchange: Exchange, wanted: ByteRange, received: int | None) -> int:
    """The object's size in Content-Range, which must be the range that was asked for.

    Raises:
        ProtocolViolation: it is another range, or the body is not as long as it says.
    """
    text = exchange.headers.get("content-range", "")
    unit, _, rest = text.partition(" ")
    span, _, whole = rest.partition("/")
    first, _, last = span.partition("-")
    if unit != "bytes" or not all(n.isascii() and n.isdigit() for n in (first, last, whole)):
        raise exchange.garbled(f"content-range is {text[:60]!r}")
    start, end, size = int(first), int(last), int(whole)
    if wanted.offset is None:
        assert wanted.length is not None
        right = (max(0, size - wanted.length), size - 1)
    else:
        length = size if wanted.length is None else wanted.length
        right = (wanted.offset, min(wanted.offset + length, size) - 1)
    if (start, end) != right or received != end - start + 1:
        raise exchange.garbled(
            f"the answer is {text[:60]!r} with {received} bytes, which was not asked for"
        )
    return size
