"""`cap-postgres-neon serve`: Neon's HTTP protocol on a PostgreSQL of one's own."""

import argparse
import asyncio
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; the exit code."""
    given = _parser().parse_args(arguments)
    from cap_postgres_neon.postgres import NotRunning

    try:
        with _database(given.path, os.environ.get(given.url_from or "")) as conninfo:
            asyncio.run(_serve(conninfo, given.host, given.port))
    except KeyboardInterrupt:
        pass
    except (NotRunning, OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cap-postgres-neon", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve a PostgreSQL as Neon's HTTP does")
    what = serve.add_mutually_exclusive_group(required=True)
    what.add_argument("--path", type=Path, help="a folder: PostgreSQL is started on it")
    what.add_argument("--url-from", metavar="NAME", help="the environment variable with its URL")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1)")
    serve.add_argument("--port", type=int, default=4444, help="on which port (4444); 0 is any")
    return parser


@contextmanager
def _database(path: Path | None, url: str | None) -> Generator[Mapping[str, Any]]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    from cap_postgres_neon.postgres import running

    if path is not None:
        with running(path) as server:
            yield server.conninfo
        return
    if not url:
        raise ValueError("the environment variable that --url-from names is not set")
    try:
        conninfo = conninfo_to_dict(url, client_encoding="UTF8")
    except ProgrammingError:
        raise ValueError(
            "the URL is not of the form postgresql://user:password@host/name"
        ) from None
    yield conninfo


async def _serve(conninfo: Mapping[str, Any], host: str, port: int) -> None:
    from cap_postgres_neon.companion.server import listening
    from cap_postgres_neon.companion.service import Service

    async with Service(conninfo) as service, listening(service, host, port) as bound:
        print(f"serving on http://{host}:{bound}/sql", flush=True)
        await asyncio.Event().wait()
