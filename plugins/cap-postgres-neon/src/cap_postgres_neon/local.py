"""A PostgreSQL of this machine, by its companion server: `cap-postgres-neon serve`."""

from core_caps.clock import Clock
from core_caps.rng import Rng

from cap_postgres_neon.config import LocalConfig
from cap_postgres_neon.dedupe import PostgresDedupe
from cap_postgres_neon.neon import NeonDatabase
from cap_postgres_neon.sql import PostgresSql

__all__ = ["LocalDedupe", "LocalSql"]


class LocalSql(PostgresSql):
    """Sql on a database of the companion."""

    Config = LocalConfig

    def __init__(self, config: LocalConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(NeonDatabase(config, clock))


class LocalDedupe(PostgresDedupe):
    """Dedupe on a database of the companion."""

    Config = LocalConfig

    def __init__(self, config: LocalConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(NeonDatabase(config, clock))
