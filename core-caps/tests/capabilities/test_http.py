"""What a response says of itself, and the error that it makes for the asking."""

import pytest
from core_caps.capabilities.http import Response, status_error
from core_caps.errors import (
    Conflict,
    InvalidArgument,
    ObjectAbsent,
    Outcome,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

pytestmark = pytest.mark.feature("CK-05")

KINDS = {
    300: ProtocolViolation,
    302: ProtocolViolation,
    304: ProtocolViolation,
    400: InvalidArgument,
    401: Unauthenticated,
    402: PermissionDenied,
    403: PermissionDenied,
    404: ObjectAbsent,
    405: ProtocolViolation,
    408: Unavailable,
    409: Conflict,
    410: ObjectAbsent,
    412: PreconditionFailed,
    413: InvalidArgument,
    418: ProtocolViolation,
    422: InvalidArgument,
    425: Unavailable,
    429: RateLimited,
    500: Unavailable,
    503: Unavailable,
    599: Unavailable,
}


@pytest.mark.parametrize("status", [200, 201, 204, 206, 299])
def test_a_success_gives_itself(status: int) -> None:
    response = Response(status, body=b"body")
    assert response.ok
    assert response.raise_for_status() is response


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_anything_else_is_an_error_with_its_outcome(
    status: int, kind: type[ProviderError], method: str
) -> None:
    response = Response(status, url="https://a.example/b?token=canary", method=method)
    assert not response.ok
    with pytest.raises(kind) as raised:
        response.raise_for_status()
    refused = method in ("GET", "HEAD") or 400 <= status < 500
    assert raised.value.outcome is (Outcome.NOT_APPLIED if refused else Outcome.UNKNOWN)
    assert raised.value.status == status
    assert raised.value.hint
    assert "https://a.example/b" in str(raised.value)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_that_was_redirected_is_not_told_about_writes(method: str) -> None:
    for status in (300, 301, 304, 307):
        hint = status_error(status, method, "https://a.example/b").hint
        assert "write" not in hint
        assert ("location" in hint) == (status != 304)
    assert "write" in status_error(301, "POST", "https://a.example/b").hint


def test_the_wait_that_was_asked_for_is_passed_on() -> None:
    response = Response(503, retry_after_seconds=7.0)
    with pytest.raises(Unavailable) as raised:
        response.raise_for_status()
    assert raised.value.retry_after_seconds == 7
    assert status_error(429, "GET", "").retry_after_seconds is None
