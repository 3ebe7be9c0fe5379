"""AWS Signature Version 4, verified: in the Authorization header and in the query.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from time import strptime
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from flows_registry.lab.references.exchange import Request
from flows_registry.lab.references.s3.refusals import Refusal

__all__ = ["PRESIGNED_SECONDS_MAX", "SKEW_SECONDS_MAX", "Credentials", "Signed", "Verifier"]

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SKEW_SECONDS_MAX: Final = 15 * 60
"""How far a request's date may be from the service's.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (RequestTimeTooSkewed)
"""
PRESIGNED_SECONDS_MAX: Final = 7 * 24 * 3600
"""Source: https://developers.cloudflare.com/r2/api/s3/presigned-urls/"""

UNSIGNED: Final = "UNSIGNED-PAYLOAD"
_HEADER = re.compile(
    rf"{ALGORITHM}\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{{64}})\Z"
)
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z\Z")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the account holds.

    Attributes:
        pairs: access key id → the secrets it may go with.
        tokens: session tokens in use.
    """

    pairs: Mapping[str, Sequence[str]]
    tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Signed:
    """A verified signature, with what the chunks of a streamed body are signed by.

    Attributes:
        payload: the `x-amz-content-sha256` the signature covers.
        signature: the request's own signature, the seed of the chunks'.
        key: the signing key.
        scope: date/region/service/aws4_request.
        date: as in `x-amz-date`.
    """

    payload: str
    signature: str
    key: bytes
    scope: str
    date: str


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of its own signature, wherever it says it."""

    access_key: str
    scope: tuple[str, str, str, str]
    date: str
    signed_headers: str
    signature: str
    payload: str
    token: str | None


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies signatures against what the account holds.

    Args:
        credentials: what the account holds.
        regions: the names the region may be signed as.
        now: seconds since 1970.
        skew_seconds_max: how far a request's date may be from `now()`; None does not compare,
            for a plugin whose clock is not `now()`.
    """

    credentials: Credentials
    regions: frozenset[str]
    now: Callable[[], float]
    skew_seconds_max: float | None

    def verify(self, request: Request) -> Signed:
        """The request's signature, verified.

        Raises:
            Refusal: as S3 and R2 document for each way of being wrong.
        """
        query = parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
        claim = _claim_of(request, dict(query))
        moment = _moment(claim.date)
        assert moment is not None
        self._check_scope(claim)
        if "X-Amz-Signature" in dict(query):
            self._check_expiry(dict(query).get("X-Amz-Expires", ""), moment)
        elif self.skew_seconds_max is not None and (
            abs(moment - self.now()) > self.skew_seconds_max
        ):
            raise Refusal("RequestTimeTooSkewed")
        secrets = self._secrets(claim)
        scope = "/".join(claim.scope)
        for canonical in _encodings(_canonical_request(request, query, claim)):
            digest = hashlib.sha256(canonical).hexdigest()
            to_sign = f"{ALGORITHM}\n{claim.date}\n{scope}\n{digest}".encode()
            for secret in secrets:
                key = signing_key(secret, *claim.scope[:3])
                if hmac.compare_digest(sign(key, to_sign), claim.signature):
                    return Signed(claim.payload, claim.signature, key, scope, claim.date)
        raise Refusal("SignatureDoesNotMatch")

    def _secrets(self, claim: _Claim) -> Sequence[str]:
        secrets = self.credentials.pairs.get(claim.access_key)
        if secrets is None:
            raise Refusal("Unauthorized")
        if claim.token is not None and claim.token not in self.credentials.tokens:
            raise Refusal("Unauthorized")
        return secrets

    def _check_scope(self, claim: _Claim) -> None:
        date, region, service, terminator = claim.scope
        if date != claim.date[:8] or service != "s3" or terminator != "aws4_request":
            raise Refusal("AuthorizationHeaderMalformed")
        if region not in self.regions:
            named = ", ".join(sorted(filter(None, self.regions)))
            raise Refusal(
                "InvalidRegionName",
                f"The region name '{region}' is not valid. Must be one of: {named}",
            )

    def _check_expiry(self, expires: str, moment: float) -> None:
        if not expires.isascii() or not expires.isdigit():
            raise Refusal("InvalidArgument", "X-Amz-Expires should be a number")
        seconds = int(expires)
        if not 1 <= seconds <= PRESIGNED_SECONDS_MAX:
            raise Refusal(
                "InvalidArgument",
                f"X-Amz-Expires must be from 1 to {PRESIGNED_SECONDS_MAX} seconds",
            )
        now = self.now()
        if now > moment + seconds:
            raise Refusal("ExpiredRequest")
        if self.skew_seconds_max is not None and moment > now + self.skew_seconds_max:
            raise Refusal("AccessDenied", "Request is not valid yet")


def _claim_of(request: Request, query: Mapping[str, str]) -> _Claim:
    header = request.header("authorization")
    if header is not None:
        if "X-Amz-Signature" in query:
            raise Refusal("InvalidArgument", "Only one auth mechanism allowed")
        return _claim_of_header(request, header)
    if "X-Amz-Signature" not in query and "X-Amz-Algorithm" not in query:
        raise Refusal("InvalidArgument", "Authorization")
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise Refusal("AuthorizationQueryParametersError")
    return _Claim(
        *_credential(query.get("X-Amz-Credential", "")),
        date=_date(query.get("X-Amz-Date")),
        signed_headers=query.get("X-Amz-SignedHeaders", ""),
        signature=query.get("X-Amz-Signature", ""),
        payload=request.header("x-amz-content-sha256") or UNSIGNED,
        token=query.get("X-Amz-Security-Token"),
    )


def _claim_of_header(request: Request, header: str) -> _Claim:
    if not header.startswith(ALGORITHM):
        raise Refusal("InvalidRequest", f"Please use {ALGORITHM}")
    found = _HEADER.match(header.strip())
    if found is None:
        raise Refusal("AuthorizationHeaderMalformed")
    payload = request.header("x-amz-content-sha256")
    if payload is None:
        raise Refusal("InvalidRequest", "Missing x-amz-content-sha256")
    return _Claim(
        *_credential(found[1]),
        date=_date(request.header("x-amz-date")),
        signed_headers=found[2],
        signature=found[3],
        payload=payload,
        token=request.header("x-amz-security-token"),
    )


def _credential(text: str) -> tuple[str, tuple[str, str, str, str]]:
    parts = text.split("/")
    if len(parts) != 5:
        raise Refusal("AuthorizationHeaderMalformed", "The credential is malformed.")
    access_key, date, region, service, terminator = parts
    return access_key, (date, region, service, terminator)


def _date(text: str | None) -> str:
    if text is None or _moment(text) is None:
        raise Refusal("AccessDenied", "A valid x-amz-date is required")
    return text


@lru_cache(maxsize=1024)
def _moment(date: str) -> float | None:
    """Seconds since 1970 of an `x-amz-date`, or None where it is none."""
    if _DATE.match(date) is None:
        return None
    try:
        return float(timegm(strptime(date, "%Y%m%dT%H%M%SZ")))
    except ValueError:
        return None


def _encodings(text: str) -> Iterator[bytes]:
    """The bytes a client may have signed: a header's octets, however they were read into text."""
    yield text.encode("utf-8", "surrogateescape")
    if not text.isascii():
        with suppress(UnicodeEncodeError):
            yield text.encode("latin-1", "surrogateescape")


def _canonical_request(request: Request, query: Sequence[tuple[str, str]], claim: _Claim) -> str:
    names = claim.signed_headers.split(";")
    _check_signed(request, names)
    values: dict[str, list[str]] = {}
    for name, value in request.headers:
        values.setdefault(name, []).append(_SPACES.sub(" ", value.strip()))
    values.setdefault("host", [request.host])
    headers = "".join(f"{name}:{','.join(values.get(name, ['']))}\n" for name in names)
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in query
        if name != "X-Amz-Signature"
    )
    lines = (
        request.method,
        quote(unquote_to_bytes(request.raw_path), safe="/-_.~"),
        "&".join(f"{name}={value}" for name, value in pairs),
        headers,
        claim.signed_headers,
        claim.payload,
    )
    return "\n".join(lines)


def _check_signed(request: Request, names: Iterable[str]) -> None:
    """The host and every x-amz header must be under the signature."""
    signed = set(names)
    unsigned = sorted(
        {name for name, _ in request.headers if name.startswith("x-amz-")} - signed
        - {"x-amz-content-sha256"}
    )  # fmt: skip
    if "host" not in signed or unsigned:
        detail = f": {', '.join(unsigned)}" if unsigned else ": host"
        raise Refusal("AccessDenied", f"There were headers present which were not signed{detail}")


@lru_cache(maxsize=64)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def sign(key: bytes, text: bytes) -> str:
    """The signature of a text, in hexadecimal."""
    return hmac.digest(key, text, "sha256").hex()
