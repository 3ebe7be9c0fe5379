"""`cap-postgres-neon serve`: what it starts and ends, and the one line where it cannot."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.feature("DC-01")

COMMAND = "import sys; from cap_postgres_neon.command import main; sys.exit(main())"
PASSWORD = "secret-of-the-url"


def refused(*arguments: str, before: str = "", **environment: str) -> str:
    """The one line that the command says, where it cannot."""
    ran = subprocess.run(
        [sys.executable, "-c", before + COMMAND, *arguments],
        capture_output=True, text=True, check=False, timeout=60, env=environment,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
    [line] = ran.stderr.splitlines()
    assert line.startswith("cap-postgres-neon: ")
    assert PASSWORD not in line
    return line


@contextmanager
def serving(*arguments: str, ended_by: signal.Signals = signal.SIGINT) -> Iterator[int]:
    """The command while it serves; its port."""
    command = [sys.executable, "-c", COMMAND, "serve", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().rpartition(":")[2].partition("/")[0])
        finally:
            process.send_signal(ended_by)
            process.communicate(timeout=30)
    assert process.returncode == 0


def rows(port: int, query: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = json.dumps({"query": query})
    connection.request(
        "POST", "/sql", body, {"Neon-Connection-String": "postgresql://a@b/postgres"}
    )
    said = json.loads(connection.getresponse().read())
    connection.close()
    return said["rows"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL can come to, also where it has to run as somebody else."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place, "data")


def url(conninfo: Mapping[str, Any]) -> str:
    """The URL of a server, with a password that it does not ask for."""
    return (
        f"postgresql://{conninfo['user']}:{PASSWORD}@/postgres"
        f"?host={conninfo['host']}&port={conninfo['port']}"
    )


@pytest.mark.slow
def test_it_starts_a_database_on_a_folder_and_keeps_it(folder: Path) -> None:
    """What was written is there when it is started again; however it is ended, all of it ends."""
    with serving("--path", str(folder), ended_by=signal.SIGTERM) as port:
        rows(port, "CREATE TABLE kept AS SELECT 7 AS n")
    with serving("--path", str(folder)) as port:
        assert rows(port, "SELECT n FROM kept") == [{"n": 7}]
        assert "did not start" in refused("serve", "--path", str(folder), "--port", "0")
        assert rows(port, "SELECT n FROM kept") == [{"n": 7}]
    state = folder / "postmaster.pid"
    deadline = time.monotonic() + 10
    while state.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not state.exists()


def test_a_folder_of_others_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "letter").touch()
    before = folder.stat().st_uid
    assert "holds what is no database" in refused("serve", "--path", str(folder))
    assert folder.stat().st_uid == before
    assert [each.name for each in folder.iterdir()] == ["letter"]


ARGUMENTS = (
    (["sevre"], "did you mean 'serve'?"),
    (["nonsense"], "there is serve"),
    ([], "--help"),
    (["serve"], "--path --url-from"),
    (["serve", "--path", "x", "--prot", "1"], "unrecognized arguments: --prot"),
    (["serve", "--path", "x", "--port", "99999"], "'99999' is no port: give 0 to 65535"),
    (["serve", "--path", "x", "--port", "-1"], "'-1' is no port"),
    (["serve", "--path", "x", "--host", ""], "give 127.0.0.1"),
    (["serve", "--path", "/dev/null/x"], "name a folder that you may write to"),
    (["serve", "--url-from", "NO_SUCH_VARIABLE"], "CAP105: the environment variable"),
    (["serve", "--url-from", "NO_URL"], "CAP105: what the variable of --url-from holds is no URL"),
)


@pytest.mark.parametrize(("arguments", "says"), ARGUMENTS)
def test_it_says_what_is_wrong_with_its_arguments(arguments: list[str], says: str) -> None:
    assert says in refused(*arguments, NO_URL=f"postgresql:/{PASSWORD}")


@pytest.mark.parametrize("missing", ["psycopg", "httpx"])
def test_without_its_extra_it_says_what_to_install(missing: str) -> None:
    line = refused("serve", "--path", "x", before=f"import sys; sys.modules[{missing!r}] = None; ")
    assert "CAP104" in line
    assert line.endswith("pip install 'cap-postgres-neon[local]'")


def test_it_says_at_once_that_the_database_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    line = refused(
        "serve", "--url-from", "URL", URL=f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/d"
    )
    assert "CAP127: the database cannot be reached" in line
    assert line.endswith("start it, or correct its URL")


def test_it_says_where_it_cannot_listen(postgres: Mapping[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refused("serve", "--url-from", "URL", "--port", port, URL=url(postgres))
    assert f"CAP105: cannot listen on 127.0.0.1:{port}" in line
    assert "give another --port" in line
    for host in ("203.0.113.7", "nowhere.invalid", "x" * 70):
        line = refused("serve", "--url-from", "URL", "--host", host, URL=url(postgres))
        assert f"CAP105: cannot listen on {host}:4444" in line
        assert "give a --host of this machine" in line
