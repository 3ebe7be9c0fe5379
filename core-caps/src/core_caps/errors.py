"""Every error this ecosystem raises, and what each says about the world.

    CapsError                      code, message, hint
    ├── ManifestInvalid            CAP106  a capability.toml cannot be used (collects findings)
    ├── BindingError
    │   ├── BindingMissing         CAP101
    │   ├── PluginConflict         CAP102
    │   ├── PluginNotFound         CAP103
    │   ├── BackendNotInstalled    CAP104
    │   ├── ConfigInvalid          CAP105
    │   └── NotOpened              CAP107  (also a TypeError and an AttributeError)
    ├── ClaimError
    │   ├── EffectTooSmall         EFFECT201
    │   ├── UnknownHint            EFFECT202 (also a KeyError)
    │   └── DeterminismTooStrong   DET302
    ├── AccessDenied               CAP110  (also an AttributeError: hasattr() is False)
    ├── NoCanonicalForm            IDEM025 (also a ValueError)
    ├── KeyFieldMismatch           IDEM026 (also a ValueError)
    └── ProviderError              a call on a provider failed; always states its outcome
        ├── InvalidArgument        CAP120  NOT_APPLIED (also a ValueError)
        ├── Unauthenticated        CAP121  NOT_APPLIED
        ├── PermissionDenied       CAP122  NOT_APPLIED
        ├── ContainerNotFound      CAP123  NOT_APPLIED
        ├── Conflict               CAP124  NOT_APPLIED
        ├── PreconditionFailed     CAP125  NOT_APPLIED
        ├── RateLimited            CAP126  NOT_APPLIED, retry_after_seconds
        ├── Unavailable            CAP127  retry_after_seconds
        ├── TimedOut               CAP128
        ├── ProtocolViolation      CAP129
        ├── ClientClosed           CAP130  NOT_APPLIED
        ├── ObjectAbsent           CAP131  NOT_APPLIED (where there is no None to say it)
        ├── LeaseExpired           CAP132  NOT_APPLIED for what `leases` names
        ├── PaymentDeclined        CAP133  NOT_APPLIED: no money moved
        ├── SignatureInvalid       CAP134  NOT_APPLIED
        │   └── SignatureTooOld    CAP135  NOT_APPLIED
        ├── EgressRefused          EGRESS102 NOT_APPLIED: nothing was sent there
        └── KeyCollision           IDEM099 NOT_APPLIED

A retry policy reads `outcome`, never the message.
"""

import enum
from collections.abc import Sequence

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from typing import ClassVar

__all__ = [
    "AccessDenied",
    "BackendNotInstalled",
    "BindingError",
    "BindingMissing",
    "CapsError",
    "ClaimError",
    "ClientClosed",
    "ConfigInvalid",
    "Conflict",
    "ContainerNotFound",
    "DeterminismTooStrong",
    "EffectTooSmall",
    "EgressRefused",
    "InvalidArgument",
    "KeyCollision",
    "KeyFieldMismatch",
    "LeaseExpired",
    "ManifestInvalid",
    "NoCanonicalForm",
    "NotOpened",
    "ObjectAbsent",
    "Outcome",
    "PaymentDeclined",
    "PermissionDenied",
    "PluginConflict",
    "PluginNotFound",
    "PreconditionFailed",
    "ProtocolViolation",
    "ProviderError",
    "RateLimited",
    "SignatureInvalid",
    "SignatureTooOld",
    "TimedOut",
    "Unauthenticated",
    "Unavailable",
    "UnknownHint",
]


class Outcome(enum.Enum):
    """What a failed call did to the world."""

    NOT_APPLIED = "not_applied"
    """Nothing changed: the request was never sent, or the service refused it."""

    APPLIED = "applied"
    """The change was made; only its answer was lost or unusable."""

    UNKNOWN = "unknown"
    """The service may or may not have made the change; read before repeating."""


class CapsError(Exception):
    """The root of all our errors: what happened (`message`) and what to do next (`hint`)."""

    code: "ClassVar[str]" = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.code}: {self.message}" if self.code else self.message
        return f"{text}\n  → {self.hint}" if self.hint else text


class ManifestInvalid(CapsError):
    """A manifest cannot be used; `findings` holds every problem, not only the first."""

    code = "CAP106"

    def __init__(self, message: str, *, findings: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  - {finding}" for finding in self.findings)])


class BindingError(CapsError):
    """A capability could not be connected to a provider."""


class BindingMissing(BindingError):
    """No provider serves the capability, or several do and none was named."""

    code = "CAP101"


class PluginConflict(BindingError):
    """Two distributions claim one plugin name."""

    code = "CAP102"


class PluginNotFound(BindingError):
    """No installed plugin, backend or capability of that name."""

    code = "CAP103"


class BackendNotInstalled(BindingError):
    """The backend's extra is not installed."""

    code = "CAP104"


class ConfigInvalid(BindingError):
    """A binding's configuration is incomplete or wrong."""

    code = "CAP105"


class NotOpened(BindingError, TypeError, AttributeError):
    """A connection was used without being opened, or opened by other words than its own."""

    code = "CAP107"


class ClaimError(CapsError):
    """A declared effect, determinism or hint cannot be true."""


class EffectTooSmall(ClaimError):
    """Declared effects are below what the hints require."""

    code = "EFFECT201"


class UnknownHint(ClaimError, KeyError):
    """A hint that no family declares."""

    code = "EFFECT202"


class DeterminismTooStrong(ClaimError):
    """A determinism claim above a hint's floor."""

    code = "DET302"


class AccessDenied(CapsError, AttributeError):
    """Code reached for an operation that it did not declare."""

    code = "CAP110"


class NoCanonicalForm(CapsError, ValueError):
    """A value has no single canonical encoding."""

    code = "IDEM025"


class KeyFieldMismatch(CapsError, ValueError):
    """A field of an idempotency key is not of the type that the key's schema says."""

    code = "IDEM026"


class ProviderError(CapsError):
    """A call on a provider failed; `outcome` says what that did to the world.

    Attributes:
        outcome: NOT_APPLIED, APPLIED or UNKNOWN.
        retry_after_seconds: the wait the service asked for, in seconds, or None.
        status: the vendor's status code where there was one, for people and logs.
        attempts: how often the call was made in all; `retrying` counts.
    """

    attempts: int = 1
    default_outcome: "ClassVar[Outcome]" = Outcome.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        outcome: Outcome | None = None,
        retry_after_seconds: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.outcome = self.default_outcome if outcome is None else outcome
        self.retry_after_seconds = retry_after_seconds
        self.status = status

    def __str__(self) -> str:
        counted = f"\n  ({self.attempts} attempts)" if self.attempts > 1 else ""
        return super().__str__() + counted


class InvalidArgument(ProviderError, ValueError):
    """An argument breaks a documented limit; refused here or by the service, nothing changed."""

    code = "CAP120"
    default_outcome = Outcome.NOT_APPLIED


class Unauthenticated(ProviderError):
    """The credential is not accepted (401)."""

    code = "CAP121"
    default_outcome = Outcome.NOT_APPLIED


class PermissionDenied(ProviderError):
    """The credential is known and the operation refused (403)."""

    code = "CAP122"
    default_outcome = Outcome.NOT_APPLIED


class ContainerNotFound(ProviderError):
    """The namespace, bucket or account does not exist."""

    code = "CAP123"
    default_outcome = Outcome.NOT_APPLIED


class Conflict(ProviderError):
    """Another operation is in progress (409)."""

    code = "CAP124"
    default_outcome = Outcome.NOT_APPLIED


class PreconditionFailed(ProviderError):
    """A condition of the call did not hold (412)."""

    code = "CAP125"
    default_outcome = Outcome.NOT_APPLIED


class RateLimited(ProviderError):
    """The service asks to slow down (429)."""

    code = "CAP126"
    default_outcome = Outcome.NOT_APPLIED


class Unavailable(ProviderError):
    """The service failed or could not be reached."""

    code = "CAP127"


class TimedOut(ProviderError):
    """No complete answer within the deadline."""

    code = "CAP128"


class ProtocolViolation(ProviderError):
    """The answer is truncated, corrupt or not what the protocol allows."""

    code = "CAP129"


class ClientClosed(ProviderError):
    """The capability was used after its connection was closed."""

    code = "CAP130"
    default_outcome = Outcome.NOT_APPLIED


class ObjectAbsent(ProviderError):
    """What a stream or a write is about does not exist; a read says None."""

    code = "CAP131"
    default_outcome = Outcome.NOT_APPLIED


class LeaseExpired(ProviderError):
    """What was held is held no more: its time ran out, it was settled, or nobody gave it out.

    Attributes:
        leases: which of the leases, or keys, that the call gave; the operation says what became of
            the others.
    """

    code = "CAP132"
    default_outcome = Outcome.NOT_APPLIED

    def __init__(
        self,
        message: str,
        *,
        leases: Sequence[str] = (),
        hint: str = "",
        outcome: Outcome | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, outcome=outcome, status=status)
        self.leases = tuple(leases)


class PaymentDeclined(ProviderError):
    """Whoever was to pay, or their bank, said no; no money moved. A repeat is answered the same.

    Attributes:
        reason: the vendor's code, `card_declined`.
        decline_code: why, as far as the bank says, `insufficient_funds`; or "".
        payment_intent: the payment that can be tried again by another method, or "".
    """

    code = "CAP133"
    default_outcome = Outcome.NOT_APPLIED

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        decline_code: str = "",
        payment_intent: str = "",
        hint: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, status=status)
        self.reason = reason
        self.decline_code = decline_code
        self.payment_intent = payment_intent


class SignatureInvalid(ProviderError):
    """Nobody who has the secret signed this; believe nothing that it says."""

    code = "CAP134"
    default_outcome = Outcome.NOT_APPLIED


class SignatureTooOld(SignatureInvalid):
    """The signature is good and older than is tolerated: somebody may be sending it again."""

    code = "CAP135"


class EgressRefused(ProviderError):
    """A request would go where the deployment does not allow it; nothing was sent there."""

    code = "EGRESS102"
    default_outcome = Outcome.NOT_APPLIED


class KeyCollision(ProviderError):
    """One idempotency key stands for two different things; the work of neither can be trusted.

    Waiting does not help, and a repeat is answered the same: whoever makes the keys is wrong.

    Attributes:
        keys: the keys that were seen with another payload.
    """

    code = "IDEM099"
    default_outcome = Outcome.NOT_APPLIED

    def __init__(
        self,
        message: str,
        *,
        keys: Sequence[str] = (),
        hint: str = "",
        outcome: Outcome | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, outcome=outcome, status=status)
        self.keys = tuple(keys)
