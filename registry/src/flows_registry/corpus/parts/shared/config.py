"""The settings of each backend."""

from dataclasses import dataclass

from core_caps.secret import Secret

__all__ = ["MockConfig", "RemoteConfig"]


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves.

    Attributes:
        store: clients of one process that name the same store share it; "" is one's own.
    """

    store: str = ""


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How the service is reached.

    Attributes:
        account_id: the account's identifier.
        namespace_id: the namespace's identifier.
        api_token: the credential.
        base_url: where the API is.
        timeout_seconds: the longest that one call takes.
    """

    account_id: str
    namespace_id: str
    api_token: Secret
    base_url: str = "https://api.cloudflare.com/client/v4"
    timeout_seconds: float = 30.0
