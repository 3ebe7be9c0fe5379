"""PostgreSQL, or Neon over HTTP, as its settings say."""

from core_caps.clock import Clock
from core_caps.errors import BackendNotInstalled
from core_caps.rng import Rng

from cap_postgres_neon.config import RemoteConfig
from cap_postgres_neon.database import Database
from cap_postgres_neon.dedupe import PostgresDedupe
from cap_postgres_neon.neon import NeonDatabase
from cap_postgres_neon.sql import PostgresSql

__all__ = ["RemoteDedupe", "RemoteSql"]


class RemoteSql(PostgresSql):
    """Sql on the database that the settings name."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(_database(config, clock))


class RemoteDedupe(PostgresDedupe):
    """Dedupe on the database that the settings name."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(_database(config, clock))


def _database(config: RemoteConfig, clock: Clock) -> Database:
    return NeonDatabase(config, clock) if config.wire == "http" else _over_tcp(config)


def _over_tcp(config: RemoteConfig) -> Database:
    try:
        from cap_postgres_neon.tcp import TcpDatabase
    except ImportError as error:
        raise BackendNotInstalled(
            f"the wire 'tcp' needs {error.name}, which is not installed",
            hint="pip install 'cap-postgres-neon[tcp]'",
        ) from error
    return TcpDatabase(
        config.conninfo,
        secrets=[config.password.reveal()],
        timeout_seconds=config.timeout_seconds,
        connect_timeout_seconds=config.connect_timeout_seconds,
        connections_max=config.connections_max,
        answer_size_bytes_max=config.answer_size_bytes_max,
    )
