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
from core_caps.settings import need_flag, need_text, need_whole

from cap_cloudflare_kv.limits import CACHE_SECONDS_MAX

__all__ = ["MockConfig", "RemoteConfig"]


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves.

    Attributes:
        store: clients of one process that name the same store share it; "" is a store of one's
            own.
        stale_read_seconds: how old a read may be, as at one location of the vendor's network;
            absence is remembered too, and a client sees its own writes. 0 reads fresh.
        limit_write_rate: refuse a second write to one key within a second, as the service does.

    Raises:
        ConfigInvalid: a setting has the wrong type or is out of range (CAP105).
    """

    store: str = ""
    stale_read_seconds: int = 0
    limit_write_rate: bool = False

    def __post_init__(self) -> None:
        need_text(self, "store")
        need_whole(self, "stale_read_seconds", least=0, most=CACHE_SECONDS_MAX)
        need_flag(self, "limit_write_rate")


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How the public REST API is reached.

    The process's proxy variables and .netrc are not read: the environment cannot send the token
    elsewhere. Certificates come from the system's store, or from SSL_CERT_FILE.

    Attributes:
        account_id: the account's identifier; "" leaves `/accounts/…` out of the path, as the
            vendor's local explorer wants it.
        namespace_id: the namespace's identifier.
        api_token: a token with the scope "Workers KV Storage Write" (or Read).
        base_url: where the API is; plain http only on this machine.
        timeout_seconds: the longest that one call takes, all its requests and bodies included.
        connect_timeout_seconds: the longest wait for a connection within that.
        transport: how HTTP is spoken.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105); no secret is shown.
    """

    account_id: str
    namespace_id: str
    api_token: Secret
    base_url: str = "https://api.cloudflare.com/client/v4"
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        if self.account_id != "":
            need_identifier(self, "account_id")
        need_identifier(self, "namespace_id")
        need_token(self, "api_token")
        need_endpoint(self, "base_url")
        need_connection(self)
