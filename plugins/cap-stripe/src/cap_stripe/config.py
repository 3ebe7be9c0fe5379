"""The settings of each backend, validated when they are made."""

from dataclasses import dataclass

from core_caps.http.settings import Transport, check_connection, check_token, is_whole, need
from core_caps.secret import Secret

__all__ = ["MOCK_WEBHOOK_SECRET", "MockConfig", "RemoteConfig"]

MOCK_WEBHOOK_SECRET = Secret("whsec_mock")
"""What the mock signs with where nothing else is given: no secret at all."""

_TOLERANCE_MAX = 86_400


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves.

    Attributes:
        store: clients of one process that name the same store share its account; "" is an account
            of one's own.
        webhook_secret: what webhooks are signed with; None is `whsec_mock`.
        webhook_tolerance_seconds: how old a signature may be.

    Raises:
        ConfigInvalid: a setting has the wrong type or is out of range (CAP105).
    """

    store: str = ""
    webhook_secret: Secret | None = None
    webhook_tolerance_seconds: int = 300

    def __post_init__(self) -> None:
        need(isinstance(self.store, str), "store", "text")  # pyright: ignore[reportUnnecessaryIsInstance]
        if self.webhook_secret is not None:
            check_token(self.webhook_secret, "webhook_secret")
        _check_tolerance(self.webhook_tolerance_seconds)


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How the public API is reached.

    The process's proxy variables and .netrc are not read: the environment cannot send the key
    elsewhere. Certificates come from the system's store, or from SSL_CERT_FILE.

    Attributes:
        api_key: a secret or restricted key, sk_… or rk_….
        webhook_secret: the signing secret of the webhook endpoint, whsec_….
        base_url: where the API is; plain http only on this machine.
        webhook_tolerance_seconds: how old a signature may be.
        timeout_seconds: the longest that one call takes.
        connect_timeout_seconds: the longest wait for a connection within that.
        transport: how HTTP is spoken.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105); no secret is shown.
    """

    api_key: Secret
    webhook_secret: Secret
    base_url: str = "https://api.stripe.com"
    webhook_tolerance_seconds: int = 300
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        check_token(self.api_key, "api_key")
        check_token(self.webhook_secret, "webhook_secret")
        _check_tolerance(self.webhook_tolerance_seconds)
        check_connection(
            self.base_url, self.timeout_seconds, self.connect_timeout_seconds, self.transport
        )
        need(not self.base_url.endswith("/"), "base_url", "without a slash at its end")


def _check_tolerance(seconds: object) -> None:
    within = isinstance(seconds, int) and is_whole(seconds) and 0 < seconds <= _TOLERANCE_MAX
    need(within, "webhook_tolerance_seconds", f"a whole number of seconds, 1 to {_TOLERANCE_MAX}")
