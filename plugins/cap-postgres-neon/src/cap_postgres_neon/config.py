"""The settings of each backend, validated when they are made."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from core_caps.errors import ConfigInvalid
from core_caps.http.settings import Transport
from core_caps.secret import Secret

__all__ = ["LocalConfig", "MockConfig", "RemoteConfig", "TcpConfig"]

_TRANSPORTS = ("auto", "httpx", "aiohttp")
_SSLMODES = ("verify-full", "verify-ca", "require", "prefer", "disable")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|/[^\s\0]*|\[?[0-9a-fA-F:]+\]?")
_SIZE_BYTES_MAX = 67_108_864
_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


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
        _need(isinstance(self.tls, bool), "tls", "true or false")  # pyright: ignore[reportUnnecessaryIsInstance]
        if self.api_host:
            _need_host(self.api_host, "api_host")
        on_this_machine = self.endpoint.partition("://")[2].rpartition(":")[0] in _MACHINE
        _need(self.tls or on_this_machine, "tls", "true, but for an api_host on this machine")
        _need(self.transport in _TRANSPORTS, "transport", " or ".join(_TRANSPORTS))
        _need_whole(self.api_port, "api_port", 1, 65_535)
        _check_bounds(self)

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
        _need(self.sslmode in _SSLMODES, "sslmode", " or ".join(_SSLMODES))
        _need_named(self.sslrootcert, "sslrootcert")
        _need_whole(self.port, "port", 1, 65_535)
        _need_whole(self.connections_max, "connections_max", 1, 10_000)
        _check_bounds(self)

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
        _need(self.api_host in _MACHINE, "api_host", "this machine")
        _need_whole(self.api_port, "api_port", 1, 65_535)
        _need_named(self.database, "database")
        _need(self.transport in _TRANSPORTS, "transport", " or ".join(_TRANSPORTS))
        _check_bounds(self)

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
        _need(isinstance(self.store, str), "store", "text")  # pyright: ignore[reportUnnecessaryIsInstance]


def _check_role(config: RemoteConfig | TcpConfig) -> None:
    _need_host(config.host, "host")
    _need_named(config.database, "database")
    _need_named(config.user, "user")
    _need(isinstance(config.password, Secret), "password", "a Secret")  # pyright: ignore[reportUnnecessaryIsInstance]


def _check_bounds(config: RemoteConfig | TcpConfig | LocalConfig) -> None:
    for name in ("timeout_seconds", "connect_timeout_seconds"):
        given: object = getattr(config, name)
        number = isinstance(given, int | float) and not isinstance(given, bool)
        _need(number and 0 < float(given) < 86_400, name, "seconds above 0")  # pyright: ignore[reportArgumentType]
    _need_whole(config.answer_size_bytes_max, "answer_size_bytes_max", 1, 2**31 - 1)


def _need(holds: bool, setting: str, form: str) -> None:
    if not holds:
        raise ConfigInvalid(f"the setting {setting} is not {form}", hint=f"correct {setting}")


def _need_host(given: object, setting: str) -> None:
    _need(isinstance(given, str) and _HOST.fullmatch(given) is not None, setting, "a host's name")


def _need_named(given: object, setting: str) -> None:
    named = isinstance(given, str) and bool(given) and "\0" not in given
    _need(named and str(given).isprintable(), setting, "a name")


def _need_whole(given: object, setting: str, least: int, most: int) -> None:
    whole = isinstance(given, int) and not isinstance(given, bool)
    form = f"a whole number from {least} to {most}"
    _need(whole and least <= int(given) <= most, setting, form)  # pyright: ignore[reportArgumentType]
