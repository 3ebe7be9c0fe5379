"""Bytes travel through a unix socket, also out of a network namespace."""

import http.server
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flows_registry.lab.simulators.relay import relayed

BODY = bytes(range(256)) * 4096
ASK = "import sys, urllib.request; print(len(urllib.request.urlopen(sys.argv[1]).read()))"


class Answering(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"tcp:127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def asked(address: str) -> str:
    url = f"http://{address.removeprefix('tcp:')}/"
    answer = subprocess.run([sys.executable, "-c", ASK, url], capture_output=True, text=True)
    return answer.stdout.strip() or answer.stderr


@pytest.mark.feature("DC-04")
def test_through_a_unix_socket_and_back(served: str, tmp_path: Path) -> None:
    path = f"unix:{tmp_path / 's'}"
    with relayed(path, served), relayed("tcp:127.0.0.1:0", path) as entrance:
        assert asked(entrance) == str(len(BODY))
        assert asked(entrance) == str(len(BODY))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(entrance.rpartition(":")[2])))


@pytest.mark.feature("DC-04")
def test_out_of_a_network_namespace(served: str, tmp_path: Path) -> None:
    path = f"unix:{tmp_path / 's'}"
    script = 'ip link set lo up && exec "$@"'
    inside = ["unshare", "--map-root-user", "--net", "sh", "-c", script, "-", sys.executable, "-c"]
    if subprocess.run([*inside, ""], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    program = (
        "import subprocess, sys; from flows_registry.lab.simulators.relay import relayed\n"
        f"with relayed('tcp:127.0.0.1:0', {path!r}) as address:\n"
        "    url = f\"http://{address.removeprefix('tcp:')}/\"\n"
        f"    subprocess.run([sys.executable, '-c', {ASK!r}, url])\n"
    )
    with relayed(path, served):
        answer = subprocess.run([*inside, program], capture_output=True, text=True)
    assert answer.stdout.strip() == str(len(BODY)), answer.stderr


@pytest.mark.feature("DC-04")
def test_it_runs_as_a_program_that_ends_with_its_input(served: str) -> None:
    command = [
        sys.executable,
        "-m",
        "flows_registry.lab.simulators.relay",
        "tcp:127.0.0.1:0",
        served,
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as relay:
        assert relay.stdin is not None
        assert relay.stdout is not None
        assert asked(relay.stdout.readline().strip()) == str(len(BODY))
        relay.stdin.close()
        assert relay.wait(10) == 0


@pytest.mark.feature("DC-04")
def test_nobody_at_the_far_end_is_no_answer(tmp_path: Path) -> None:
    with relayed("tcp:127.0.0.1:0", f"unix:{tmp_path / 'nobody'}") as entrance:
        assert "Connection" in asked(entrance)
    for wrong in ("tcp:nowhere", "udp:1:2", "unix:"):
        with pytest.raises(ValueError, match="neither"), relayed("tcp:127.0.0.1:0", wrong):
            pass
