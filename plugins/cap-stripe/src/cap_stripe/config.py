"""The settings of each backend, validated when they are made."""

from dataclasses import dataclass

from core_caps.http.settings import Transport, need_connection, need_endpoint, need_token
from core_caps.secret import Secret
from core_caps.settings import SECONDS_MAX, need, need_text, need_whole

__all__ = ["MOCK_WEBHOOK_SECRET", "MockConfig", "RemoteConfig"]

MOCK_WEBHOOK_SECRET = Secret("whsec_mock")
"""What the mock signs with where nothing else is given: no secret at all."""


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
        need_text(self, "store")
        _need_webhooks(self)


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How the public API is reached.

    The process's proxy variables and .netrc are not read: the environment cannot send the key
    elsewhere. Certificates come from the system's store, or from SSL_CERT_FILE.

    Attributes:
        api_key: a secret or restricted key, sk_… or rk_….
        webhook_secret: the signing secret of the webhook endpoint, whsec_…; None where no webhook
            comes: then parse_webhook and sign_webhook are ConfigInvalid.
        base_url: where the API is; plain http only on this machine.
        webhook_tolerance_seconds: how old a signature may be.
        timeout_seconds: the longest that one call takes.
        connect_timeout_seconds: the longest wait for a connection within that.
        transport: how HTTP is spoken.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105); no secret is shown.
    """

    api_key: Secret
    webhook_secret: Secret | None = None
    base_url: str = "https://api.stripe.com"
    webhook_tolerance_seconds: int = 300
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        need_token(self, "api_key")
        mistaken = self.api_key.reveal().startswith(("pk_", "whsec_"))
        need(not mistaken, "api_key", "a secret or restricted key, sk_… or rk_…")
        _need_webhooks(self)
        need_connection(self)
        need_endpoint(self, "base_url")
        need(not self.base_url.endswith("/"), "base_url", "a URL without a slash at its end")


def _need_webhooks(config: MockConfig | RemoteConfig) -> None:
    need_whole(config, "webhook_tolerance_seconds", least=1, most=SECONDS_MAX)
    if (secret := config.webhook_secret) is not None:
        need_token(config, "webhook_secret")
        mistaken = secret.reveal().startswith(("sk_", "rk_", "pk_", "we_"))
        need(not mistaken, "webhook_secret", "an endpoint's signing secret, whsec_…")
