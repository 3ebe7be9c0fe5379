"""Webhooks: signed as the vendor signs them, and believed only then.

The signature is HMAC-SHA256 over the time and the body; while a secret is being replaced there are
two of them. https://docs.stripe.com/webhooks#verify-manually
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from core_caps.capabilities.payments import Event, SignedPayload
from core_caps.clock import Clock
from core_caps.errors import (
    ConfigInvalid,
    Outcome,
    ProtocolViolation,
    SignatureInvalid,
    SignatureTooOld,
)
from core_caps.http.failures import Malformed
from core_caps.http.json_bodies import read_json
from core_caps.secret import Secret

from cap_stripe import answers
from cap_stripe.arguments import checked_payload, checked_text

__all__ = ["Signer", "signature_of"]

SIGNATURE_CHARACTERS_MAX = 4096
_TIME = re.compile(r"[0-9]{1,12}")
_HEX = re.compile(r"[0-9a-f]{64}")
_AHEAD_SECONDS_MAX = 300
"""How far the sender's clock may be before ours."""


def signature_of(secret: Secret, payload: bytes, at: int) -> str:
    """The header that proves who sent this when."""
    return f"t={at},v1={_mac(secret, payload, str(at))}"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who has an endpoint's secret.

    Attributes:
        secret: the secret; without one nothing is signed and nothing believed.
        tolerance_seconds: how old a signature may be.
        clock: tells how old it is.
    """

    secret: Secret | None
    tolerance_seconds: int
    clock: Clock

    def sign(self, payload: bytes) -> SignedPayload:
        """The payload, signed now.

        Raises:
            InvalidArgument: it is not bytes; NOT_APPLIED.
            ConfigInvalid: there is no secret (CAP105).
        """
        secret, body = self._known_secret(), checked_payload(payload)
        return SignedPayload(body, signature_of(secret, body, int(self.clock.now())))

    def parse(self, payload: bytes, signature: str) -> Event:
        """The event of a payload that the vendor signed lately.

        Raises:
            SignatureInvalid: nobody who has the secret signed it; NOT_APPLIED.
            SignatureTooOld: it was signed too long ago; NOT_APPLIED.
            ProtocolViolation: it is no event; NOT_APPLIED.
            ConfigInvalid: there is no secret (CAP105).
        """
        secret, body = self._known_secret(), checked_payload(payload)
        at = _signed_at(secret, body, signature)
        age = self.clock.now() - at
        if age > self.tolerance_seconds or age < -_AHEAD_SECONDS_MAX:
            raise SignatureTooOld(
                f"the webhook was signed {age:.0f} s ago; {self.tolerance_seconds} s are tolerated",
                hint="check this machine's clock; the service sends it again, newly signed",
            )
        try:
            return answers.event(read_json(body, "application/json"))
        except Malformed as problem:
            said = str(problem)
        raise ProtocolViolation(
            f"the webhook is signed and no event: {said}",
            hint="pass the body of a snapshot event, byte for byte as it came",
            outcome=Outcome.NOT_APPLIED,
        )

    def _known_secret(self) -> Secret:
        if self.secret is None:
            raise ConfigInvalid(
                "the setting webhook_secret is missing: webhooks are signed and verified with it",
                hint="give the secret webhook_secret, whsec_…: the signing secret of the endpoint",
            )
        return self.secret


def _signed_at(secret: Secret, payload: bytes, signature: str) -> int:
    """When it was signed, by a signature that holds."""
    header = checked_text("a signature", signature)[:SIGNATURE_CHARACTERS_MAX]
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t" and _TIME.fullmatch(value)]
    given = [value for name, _, value in parts if name == "v1" and _HEX.fullmatch(value)]
    if len(times) == 1:
        ours = _mac(secret, payload, times[0])
        if any(hmac.compare_digest(ours, theirs) for theirs in given):
            return int(times[0])
    raise SignatureInvalid(
        "the webhook is not signed with this endpoint's secret, or was changed since",
        hint="pass the header Stripe-Signature and the body byte for byte as they came, and "
        "the secret of this very endpoint",
    )


def _mac(secret: Secret, payload: bytes, at: str) -> str:
    key = secret.reveal().encode()
    return hmac.new(key, at.encode() + b"." + payload, hashlib.sha256).hexdigest()
