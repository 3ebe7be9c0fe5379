"""Each story is told on every plugin that provides what it asks for."""

import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cap_postgres_neon.postgres import running

from .world import World


@pytest.fixture(scope="session")
def postgres() -> Iterator[Mapping[str, Any]]:
    """What libpq connects by to a PostgreSQL for all stories of this run."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may have to run as somebody else
        with running(Path(folder, "data"), durable=False) as server:
            yield server.conninfo


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Callable[[], Mapping[str, Any]]:
    """What makes an empty database; the server is started for whoever needs one."""

    def make() -> Mapping[str, Any]:
        conninfo = request.getfixturevalue("postgres")
        name = f"t_{uuid.uuid4().hex}"
        with psycopg.connect(**conninfo, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
        return {**conninfo, "dbname": name}

    return make


@pytest.fixture
async def world(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    database: Callable[[], Mapping[str, Any]],
) -> AsyncIterator[World]:
    """The world of one test; `seeds` gives it some luck."""
    async with World(tmp_path, getattr(request, "param", 0), database) as opened:
        yield opened
