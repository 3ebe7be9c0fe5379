"""The companion's life: a database to stand before, a place to listen, and then to serve."""

import asyncio
import errno
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core_caps.errors import ConfigInvalid, Outcome, Unavailable
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from cap_postgres_neon.companion.server import listening
from cap_postgres_neon.companion.service import Service
from cap_postgres_neon.pool import NotConnected
from cap_postgres_neon.postgres import running

__all__ = ["serve"]

_AT_LISTENING: Mapping[int, str] = MappingProxyType(
    {
        errno.EADDRINUSE: "another program listens there: give another --port, or 0 for a free one",
        errno.EACCES: "give a --port above 1023",
        errno.EADDRNOTAVAIL: "give a --host of this machine, such as 127.0.0.1",
    }
)


def serve(path: Path | None, url_from: str, host: str, port: int) -> None:
    """Serve until interrupted.

    Args:
        path: the folder on which PostgreSQL is started; None where one is there already.
        url_from: else the environment variable that holds its URL.
        host, port: where to listen.

    Raises:
        ConfigInvalid: it cannot listen there, or there is no URL.
        NotRunning: PostgreSQL does not start.
        Unavailable: the database cannot be reached.
    """
    with ExitStack() as stack:
        if path is None:
            conninfo = _named(os.environ.get(url_from, ""))
        else:
            conninfo = stack.enter_context(running(path)).conninfo
        asyncio.run(_serve(conninfo, host, port))


def _named(url: str) -> Mapping[str, Any]:
    """What libpq connects by; the URL itself is never shown."""
    hint = "let it hold postgresql://user:password@host/name"
    if not url:
        raise ConfigInvalid("the environment variable that --url-from names is not set", hint=hint)
    try:
        return conninfo_to_dict(url, client_encoding="UTF8")
    except ProgrammingError:
        pass
    raise ConfigInvalid("what the variable of --url-from holds is no URL", hint=hint)


async def _serve(conninfo: Mapping[str, Any], host: str, port: int) -> None:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(Service(conninfo))
        try:
            await service.reach()
        except NotConnected as problem:
            raise Unavailable(
                f"the database cannot be reached: {problem}",
                hint="start it, or correct its URL",
                outcome=Outcome.NOT_APPLIED,
            ) from None
        try:
            bound = await stack.enter_async_context(listening(service, host, port))
        except (OSError, UnicodeError) as problem:
            raise _cannot_listen(host, port, problem) from problem
        print(f"serving on http://{host}:{bound}/sql", flush=True)
        await asyncio.Event().wait()


def _cannot_listen(host: str, port: int, problem: OSError | UnicodeError) -> ConfigInvalid:
    number = getattr(problem, "errno", None) or 0
    why = os.strerror(number) if number > 0 else getattr(problem, "strerror", None) or problem
    hint = _AT_LISTENING.get(number, _AT_LISTENING[errno.EADDRNOTAVAIL])
    return ConfigInvalid(f"cannot listen on {host}:{port}: {why}", hint=hint)
