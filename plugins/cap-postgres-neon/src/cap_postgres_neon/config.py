"""The settings of each backend, validated when they are made."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from core_caps.http.settings import THIS_MACHINE, Transport, need_connection
from core_caps.secret import Secret
from core_caps.settings import (
    need,
    need_choice,
    need_flag,
    need_match,
    need_name,
    need_seconds,
    need_secret,
    need_text,
    need_whole,
)

__all__ = ["LocalConfig", "MockConfig", "RemoteConfig", "TcpConfig"]

_SSLMODES = ("verify-full", "verify-ca", "require", "prefer", "disable")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|/[^\s\0]*|\[?[0-9a-fA-F:]+\]?")
_SIZE_BYTES_MAX = 67_108_864
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """Where Neon's HTTP is spoken, and of which database.

    Attributes:
        host: the database's host (PGHOST), as Neon's console shows it.
        database: its name there.
        user: the role.
        password: the role's password.
        api_host: where the HTTP is spoken; "" is `api.` and `host` after its first label.
        api_port: its port.
        tls: False speaks plain HTTP, on this machine only.
        timeout_seconds: the longest that one call takes.
        connect_timeout_seconds: the longest wait for a connection.
        answer_size_bytes_max: of the answers of one call together.
        transport: how HTTP is spoken: auto, httpx or aiohttp.

    Raises:
        ConfigInvalid: a setting has the wrong type or is out of range (CAP105).
    """

    host: str
    database: str
    user: str
    password: Secret
    api_host: str = ""
    api_port: int = 443
    tls: bool = True
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0
    answer_size_bytes_max: int = _SIZE_BYTES_MAX
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        _check_role(self)
        need_flag(self, "tls")
        if self.api_host != "":
            _need_host(self, "api_host")
        on_this_machine = self.endpoint.partition("://")[2].rpartition(":")[0] in THIS_MACHINE
        need(self.tls or on_this_machine, "tls", "true, but for an api_host on this machine")
        need_connection(self)
        need_whole(self, "api_port", least=1, most=_PORT_MAX)
        _need_size(self)

    @property
    def endpoint(self) -> str:
        """Where the HTTP is spoken, as Neon's own client finds it."""
        host = self.api_host or "api." + self.host.partition(".")[2]
        return f"{'https' if self.tls else 'http'}://{host}:{self.api_port}"

    @property
    def connection_string(self) -> Secret:
        """What Neon's HTTP is told to connect to."""
        user, password = quote(self.user, ""), quote(self.password.reveal(), "")
        return Secret(f"postgresql://{user}:{password}@{self.host}/{quote(self.database, '')}")

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What no error may show."""
        password = self.password.reveal()
        return tuple(Secret(form) for form in {password, quote(password, "")} if form)


@dataclass(frozen=True, slots=True)
class TcpConfig:
    """Where PostgreSQL's own protocol is spoken, and how.

    A pooler may stand there that gives a session to a client or to a transaction; one that gives it
    to a statement refuses every write.

    Attributes:
        host: the database's host (PGHOST), or the folder of its socket.
        database: its name there.
        user: the role.
        password: the role's password.
        port: the database's port.
        sslmode: libpq's; verify-full checks the certificate and its name.
        sslrootcert: the authorities that libpq trusts: `system`, or a file.
        timeout_seconds: the longest that one call takes.
        connect_timeout_seconds: the longest wait for a connection.
        connections_max: calls that run at once; others wait.
        answer_size_bytes_max: of the answers of one call together.

    Raises:
        ConfigInvalid: a setting has the wrong type or is out of range (CAP105).
    """

    host: str
    database: str
    user: str
    password: Secret
    port: int = 5432
    sslmode: str = "verify-full"
    sslrootcert: str = "system"
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0
    connections_max: int = 10
    answer_size_bytes_max: int = _SIZE_BYTES_MAX

    def __post_init__(self) -> None:
        _check_role(self)
        need_choice(self, "sslmode", *_SSLMODES)
        need_name(self, "sslrootcert")
        need_whole(self, "port", least=1, most=_PORT_MAX)
        need_whole(self, "connections_max", least=1, most=10_000)
        need_seconds(self, "timeout_seconds", "connect_timeout_seconds")
        _need_size(self)

    @property
    def conninfo(self) -> dict[str, Any]:
        """What libpq connects by."""
        secured: dict[str, Any] = {"sslmode": self.sslmode}
        if self.sslmode.startswith("verify"):
            secured["sslrootcert"] = self.sslrootcert
        return {
            "host": self.host,
            "port": self.port,
            "dbname": self.database,
            "user": self.user,
            "password": self.password.reveal(),
            "client_encoding": "UTF8",
            "application_name": "cap-postgres-neon",
            **secured,
        }


@dataclass(frozen=True, slots=True)
class LocalConfig:
    """Where the companion server is: `cap-postgres-neon serve`.

    Attributes:
        api_host: its host, this machine.
        api_port: its port.
        database: the database's name there.
        timeout_seconds: the longest that one call takes.
        connect_timeout_seconds: the longest wait for a connection.
        answer_size_bytes_max: of the answers of one call together.
        transport: how HTTP is spoken: auto, httpx or aiohttp.

    Raises:
        ConfigInvalid: a setting has the wrong type or is out of range (CAP105).
    """

    api_host: str = "127.0.0.1"
    api_port: int = 4444
    database: str = "postgres"
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 5.0
    answer_size_bytes_max: int = _SIZE_BYTES_MAX
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        need(self.api_host in THIS_MACHINE, "api_host", "this machine")
        need_whole(self, "api_port", least=1, most=_PORT_MAX)
        need_name(self, "database")
        need_connection(self)
        _need_size(self)

    @property
    def endpoint(self) -> str:
        """Where the HTTP is spoken."""
        return f"http://{self.api_host}:{self.api_port}"

    @property
    def connection_string(self) -> Secret:
        """What the companion is told to connect to; it asks for no password."""
        return Secret(f"postgresql://postgres@localhost/{quote(self.database, '')}")

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """There are none."""
        return ()


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves.

    Attributes:
        store: clients of one process that name the same store share it; "" is a store of one's
            own.

    Raises:
        ConfigInvalid: a setting has the wrong type (CAP105).
    """

    store: str = ""

    def __post_init__(self) -> None:
        need_text(self, "store")


def _check_role(config: RemoteConfig | TcpConfig) -> None:
    _need_host(config, "host")
    need_name(config, "database", "user")
    need_secret(config, "password")


def _need_host(config: RemoteConfig | TcpConfig, name: str) -> None:
    need_match(config, name, pattern=_HOST, form="a host's name")


def _need_size(config: RemoteConfig | TcpConfig | LocalConfig) -> None:
    need_whole(config, "answer_size_bytes_max", least=1, most=2**31 - 1)
