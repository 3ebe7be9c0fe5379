"""One vendor's answers: Cloudflare's API v4, `{success, errors, messages, result}`.

Every function either returns what the API documents or raises Malformed with the reason; whether
that leaves a call applied or not is decided where the call is known.
https://developers.cloudflare.com/fundamentals/api/reference/
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from core_caps.errors import ContainerNotFound, ProviderError, Unauthenticated
from core_caps.http.failures import Malformed, Refusal
from core_caps.http.json_bodies import read_json

__all__ = ["GATEWAY_CODES", "envelope", "refusal"]

GATEWAY_CODES: Mapping[int | str, type[ProviderError]] = MappingProxyType(
    {
        6003: Unauthenticated,  # invalid request headers: the Authorization header's form
        6111: Unauthenticated,  # invalid format for the Authorization header
        7000: ContainerNotFound,  # no route for that URI
        7003: ContainerNotFound,  # could not route: the identifier may be wrong
        9106: Unauthenticated,  # missing authentication headers
        9109: Unauthenticated,  # invalid access token
        10000: Unauthenticated,  # authentication error
    }
)
"""What stands before every product of the vendor's says; each product has codes of its own."""


def envelope(body: bytes, content_type: str) -> Mapping[str, Any]:
    """The envelope of a success.

    Raises:
        Malformed: it is not JSON in UTF-8, or does not say `success: true`.
    """
    found = read_json(body, content_type)
    match found:
        case {"success": True}:
            return cast("Mapping[str, Any]", found)
        case {"success": False}:
            codes, detail = _errors(cast("Mapping[str, Any]", found))
            raise Malformed(f"status 200 with success false {list(codes)} {detail}".rstrip())
        case _:
            raise Malformed("it is no envelope with `success`")


def refusal(body: bytes, content_type: str) -> Refusal:
    """The codes and messages of an error answer; none where it is not the API's envelope."""
    try:
        found = read_json(body, content_type)
    except Malformed:
        return Refusal((), "")
    match found:
        case {"success": False}:
            return _errors(cast("Mapping[str, Any]", found))
        case _:
            return Refusal((), "")


def _errors(found: Mapping[str, Any]) -> Refusal:
    codes: list[int] = []
    details: list[str] = []
    errors: object = found.get("errors")
    for error in cast("list[object]", errors) if isinstance(errors, list) else ():
        match error:
            case {"code": int(code)}:
                codes.append(code)
                message: object = cast("dict[str, object]", error).get("message")
                details.append(f"{message if isinstance(message, str) else ''} [{code}]".strip())
            case _:
                pass
    shown = "".join(letter if letter.isprintable() else " " for letter in "; ".join(details))
    return Refusal(codes, shown)
