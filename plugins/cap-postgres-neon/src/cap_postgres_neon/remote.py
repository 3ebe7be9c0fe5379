"""Neon over HTTP."""

from core_caps.clock import Clock
from core_caps.rng import Rng

from cap_postgres_neon.config import RemoteConfig
from cap_postgres_neon.dedupe import PostgresDedupe
from cap_postgres_neon.neon import NeonDatabase
from cap_postgres_neon.sql import PostgresSql

__all__ = ["RemoteDedupe", "RemoteSql"]


class RemoteSql(PostgresSql):
    """Sql on the database that the settings name."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(NeonDatabase(config, clock))


class RemoteDedupe(PostgresDedupe):
    """Dedupe on the database that the settings name."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(NeonDatabase(config, clock))
