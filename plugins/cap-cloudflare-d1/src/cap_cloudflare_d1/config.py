"""The settings of each backend, validated when they are made."""

from dataclasses import dataclass

from core_caps.http.settings import (
    Transport,
    need_connection,
    need_endpoint,
    need_identifier,
    need_token,
)
from core_caps.secret import Secret
from core_caps.settings import need_text

__all__ = ["MockConfig", "RemoteConfig"]


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves.

    Attributes:
        store: clients of one process that name the same store share its database; "" is one of
            one's own.

    Raises:
        ConfigInvalid: a setting has the wrong type (CAP105).
    """

    store: str = ""

    def __post_init__(self) -> None:
        need_text(self, "store")


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How the public REST API is reached.

    The process's proxy variables and .netrc are not read: the environment cannot send the token
    elsewhere. Certificates come from the system's store, or from SSL_CERT_FILE.

    Attributes:
        account_id: the account's identifier.
        database_id: the database's identifier, a UUID, not its name.
        api_token: a token with the scope "D1 Edit" (or Read).
        base_url: where the API is; plain http only on this machine.
        timeout_seconds: the longest that one call takes.
        connect_timeout_seconds: the longest wait for a connection within that.
        transport: how HTTP is spoken.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105); no secret is shown.
    """

    account_id: str
    database_id: str
    api_token: Secret
    base_url: str = "https://api.cloudflare.com/client/v4"
    timeout_seconds: float = 35.0
    connect_timeout_seconds: float = 10.0
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        need_identifier(self, "account_id", "database_id")
        need_token(self, "api_token")
        need_endpoint(self, "base_url")
        need_connection(self)
