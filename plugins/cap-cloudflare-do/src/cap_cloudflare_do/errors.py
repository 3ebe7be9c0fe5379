"""The one table: what the bridge said → our error class; the outcomes are core_caps.http's."""

from typing import Any, cast

from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from core_caps.http.failures import BY_STATUS, Failures, Malformed, Refusal
from core_caps.http.json_bodies import read_json

__all__ = ["FAILURES", "refusal"]


def refusal(body: bytes, content_type: str) -> Refusal:
    """The code and message of an error answer; none where it is not the bridge's."""
    try:
        found = read_json(body, content_type)
    except Malformed:
        return Refusal((), "")
    match found:
        case {"error": {"code": str(code), "message": str(message)}}:
            shown = "".join(letter if letter.isprintable() else " " for letter in message)
            return Refusal((code,), f"{shown} [{code}]")
        case _:
            return Refusal((), "")


FAILURES = Failures(
    refusal,
    by_status={**BY_STATUS, 405: ContainerNotFound},
    by_code=cast("dict[int | str, Any]", {"no_such_operation": ContainerNotFound}),
    hints={
        Unauthenticated: "check the secret bridge_token: it is the bridge's BRIDGE_TOKEN",
        PermissionDenied: "something before the bridge refused: look for an access rule there",
        ContainerNotFound: "check host and base_url: no bridge of this version is there; deploy it "
        "with python -m cap_cloudflare_do.deployment",
        InvalidArgument: "change the argument that the service names",
        Conflict: "read the object, then decide",
        PreconditionFailed: "read the keys, then decide",
        RateLimited: "wait, or wrap the provider in core_caps.retrying",
        Unavailable: "repeat through core_caps.retrying; all but a transaction with if_values "
        "converges",
        ProtocolViolation: "check host and base_url, and whatever stands between here and there",
    },
)
