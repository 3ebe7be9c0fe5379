"""The settings of each backend, validated when they are made."""

import re
from dataclasses import dataclass
from typing import Literal

from core_caps.http.settings import Transport, need_connection, need_endpoint, need_token
from core_caps.secret import Secret
from core_caps.settings import need, need_choice, need_match, need_name, need_text

__all__ = ["MockConfig", "RemoteConfig", "Storage"]

Storage = Literal["sqlite", "kv"]
"""What keeps the values of a class of objects: SQLite, or the older key-value store."""

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves.

    Attributes:
        store: clients of one process that name the same store share its objects; "" is a store of
            one's own.
        storage: the limits of a class with SQLite storage, or of one with key-value storage.
        ledger: the object that keeps what Dedupe and Sequencer are told.

    Raises:
        ConfigInvalid: a setting has the wrong type or is out of range (CAP105).
    """

    store: str = ""
    storage: Storage = "sqlite"
    ledger: str = "ledger"

    def __post_init__(self) -> None:
        need_text(self, "store")
        need_choice(self, "storage", "sqlite", "kv")
        need_name(self, "ledger")


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How the bridge Worker is reached.

    The process's proxy variables and .netrc are not read: the environment cannot send the token
    elsewhere. Certificates come from the system's store, or from SSL_CERT_FILE.

    Attributes:
        host: where the bridge is deployed: cap-do-bridge.ACCOUNT.workers.dev, or a domain.
        bridge_token: what the bridge was given as its secret BRIDGE_TOKEN.
        base_url: the bridge's URL, where it is not https://HOST; plain http only on this machine.
        namespace: put before every name and a "/", so that several deployments share a bridge; it
            has no "/" of its own, or two of them would meet. Ids are the service's own.
        ledger: the object that keeps what Dedupe and Sequencer are told.
        timeout_seconds: the longest that one call takes, all its requests and bodies included.
        connect_timeout_seconds: the longest wait for a connection within that.
        transport: how HTTP is spoken.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105); no secret is shown.
    """

    host: str
    bridge_token: Secret
    base_url: str = ""
    namespace: str = ""
    ledger: str = "ledger"
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        form = "a host name in lower case, without https:// and without a path"
        need_match(self, "host", pattern=_HOST, form=form)
        if self.base_url != "":
            need_endpoint(self, "base_url")
        need_token(self, "bridge_token")
        need_text(self, "namespace")
        holds = self.namespace.isprintable() and "/" not in self.namespace
        need(holds, "namespace", "printable text without a slash")
        need_name(self, "ledger")
        need_connection(self)

    @property
    def url(self) -> str:
        """The bridge's URL, without a slash at its end."""
        return (self.base_url or f"https://{self.host}").rstrip("/")
