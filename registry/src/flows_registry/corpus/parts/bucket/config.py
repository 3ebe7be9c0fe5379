"""The settings of each backend."""

from dataclasses import dataclass

from core_caps.secret import Secret

__all__ = ["MockConfig", "RemoteConfig"]


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves."""

    store: str = ""


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How the service is reached."""

    account_id: str
    bucket: str
    access_key_id: str
    secret_access_key: Secret
    base_url: str = ""
    timeout_seconds: float = 30.0
    part_size_bytes: int = 5 * 1024 * 1024
