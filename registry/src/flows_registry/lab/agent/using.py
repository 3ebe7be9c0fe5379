"""Using a URL that a call gave, as its holder would: one request, and nothing of the plugin."""

import asyncio
import http.client
import ssl
from typing import Any
from urllib.parse import urlsplit

from core_caps.contract.codec import encode

__all__ = ["use"]

_SECONDS_MAX = 30.0


async def use(url: object, how: dict[str, Any]) -> dict[str, Any]:
    """Send the request that `how` describes; what was answered.

    Args:
        url: the URL.
        how: `method`, `content` or None, and `after_seconds` to wait before.
    """
    await asyncio.sleep(how["after_seconds"])
    try:
        status, content = await asyncio.to_thread(_asked, str(url), how["method"], how["content"])
    except (OSError, ValueError, http.client.HTTPException) as error:
        return {"status": None, "content": encode(f"{type(error).__name__}: {error}".encode())}
    return {"status": status, "content": encode(content)}


def _asked(url: str, method: str, content: bytes | None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=_SECONDS_MAX, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_SECONDS_MAX)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, content)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
