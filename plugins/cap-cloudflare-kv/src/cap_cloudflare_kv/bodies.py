"""The bodies of requests: the bytes alone, a form with metadata, JSON for several keys.

https://developers.cloudflare.com/api/resources/kv/
"""

import hashlib

from core_caps.capabilities.key_value import Metadata
from core_caps.errors import InvalidArgument
from core_caps.http.json_bodies import written_json

from cap_cloudflare_kv import limits

__all__ = ["bulk_body", "put_body"]


def put_body(value: bytes, metadata: Metadata | None) -> tuple[str, bytes]:
    """The body of a put: the bytes alone, or a form where metadata goes with them.

    The value's part has a file name: a form field without one is text to many parsers.
    """
    text = limits.checked_metadata(metadata)
    if text is None:
        return "application/octet-stream", value
    json_bytes = text.encode()
    boundary = "cap-" + hashlib.blake2s(value + json_bytes).hexdigest()
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="value"; filename="value"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    middle = f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'
    body = b"".join(
        (head.encode(), value, middle.encode(), json_bytes, f"\r\n--{boundary}--\r\n".encode())
    )
    return f"multipart/form-data; boundary={boundary}", body


def bulk_body(content: object) -> bytes:
    body = written_json(content)
    if len(body) > limits.BULK_BODY_BYTES_MAX:
        raise InvalidArgument(
            f"the request would have {len(body)} bytes; the limit is {limits.BULK_BODY_BYTES_MAX}",
            hint="store fewer in one call",
        )
    return body
