"""The real simulator: it starts, answers, keeps nothing, and ends with its owner."""

import contextlib
import datetime as dt
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from core_caps.secret import Secret
from flows_registry.lab.simulators.absence import Absent, SimulatorFailed
from flows_registry.lab.simulators.bridge import BridgeCall, BridgeError, R2Object, SourceStream
from flows_registry.lab.simulators.miniflare import Miniflare, S3Credentials, start
from flows_registry.lab.simulators.node import Node, find_node
from flows_registry.lab.simulators.packages import MINIFLARE, Installed, fetch

CREDENTIALS = S3Credentials("a" * 32, Secret("b" * 64))


@pytest.fixture(scope="module")
def parts() -> tuple[Installed, Node]:
    node = find_node()
    if isinstance(node, Absent):
        pytest.skip(f"{node.reason}. {node.next_step}")
    installed = fetch(MINIFLARE, node=node)
    if isinstance(installed, Absent):
        pytest.skip(f"{installed.reason}. {installed.next_step}")
    return installed, node


@pytest.fixture(scope="module")
def simulator(parts: tuple[Installed, Node]) -> Iterator[Miniflare]:
    with start(*parts, kv=["KV"], r2=["R2", "a-bucket"], credentials=CREDENTIALS) as running:
        yield running


@pytest.fixture(autouse=True)
def emptied(request: pytest.FixtureRequest) -> None:
    if "simulator" in request.fixturenames:
        request.getfixturevalue("simulator").purge(["KV", "R2"])


@pytest.fixture
def call(simulator: Miniflare) -> Callable[..., object]:
    def one(binding: str, method: str, *args: object) -> object:
        return simulator.call([BridgeCall(binding, method, args)])[0]

    return one


def living(folder: Path) -> list[int]:
    """The processes that were started with their temporary files below this folder."""
    found: list[int] = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"TMPDIR={folder}/".encode() in environment.read_bytes():
                found.append(int(environment.parent.name))
    return found


@pytest.mark.feature("DC-04")
def test_values_travel_whole(call: Callable[..., object]) -> None:
    value = bytes(range(256)) * 5
    metadata = {"text": "é😀", "none": None, "list": [1, {"$bytes": "no tag"}], "$date": 5}
    call("KV", "put", "k", value, {"metadata": metadata})

    found = call("KV", "getWithMetadata", "k", "arrayBuffer")
    assert isinstance(found, dict)
    assert (found["value"], found["metadata"]) == (value, metadata)
    assert call("KV", "get", "absent", "arrayBuffer") is None
    assert call("KV", "get", ["k2", "absent"], "text") == {"k2": None, "absent": None}


@pytest.mark.feature("DC-04")
def test_an_object_comes_with_all_its_metadata(call: Callable[..., object]) -> None:
    expiry = dt.datetime(2033, 5, 18, 3, 33, 20, tzinfo=dt.UTC)
    http = {"contentType": "text/plain", "cacheExpiry": expiry}
    options = {"httpMetadata": http, "customMetadata": {"$map": "é"}}
    stored = call("R2", "put", "k", SourceStream((b"ab", b"cd"), 4), options)
    found = call("R2", "get", "k")
    head = call("R2", "head", "k")

    assert isinstance(stored, R2Object)
    assert isinstance(found, R2Object)
    assert isinstance(head, R2Object)
    assert (found.body, head.body) == (b"abcd", None)
    assert found.etag == stored.etag == head.etag == "e2fc714c4727ee9395f324cd2e7f331f"
    assert found.http_metadata["contentType"] == "text/plain"
    assert found.http_metadata["cacheExpiry"] == 2_000_000_000
    assert found.custom_metadata == {"$map": "é"}
    assert abs((found.uploaded or 0) - time.time()) < 60


@pytest.mark.feature("DC-04")
def test_what_a_binding_throws_is_a_value(call: Callable[..., object]) -> None:
    short = call("KV", "put", "k", b"v", {"expirationTtl": 59})
    broken = call("R2", "put", "k", SourceStream((b"ab",), 3, breaks=True))

    assert short == BridgeError(
        "Error",
        "KV PUT failed: 400 Invalid expiration_ttl of 59. Expiration TTL must be at least 60.",
    )
    assert isinstance(broken, BridgeError)
    assert call("R2", "head", "k") is None
    assert isinstance(call("nowhere", "get", "k"), BridgeError)


@pytest.mark.feature("DC-04")
def test_a_batch_runs_side_by_side_and_answers_in_place(simulator: Miniflare) -> None:
    simulator.call([BridgeCall("KV", "put", (f"k{n}", str(n).encode())) for n in range(50)])
    calls = [BridgeCall("KV", "get", (f"k{n}", "arrayBuffer")) for n in range(50)]

    assert simulator.call(calls) == [str(n).encode() for n in range(50)]
    assert simulator.call([]) == []
    simulator.purge(["KV"])
    assert set(map(type, simulator.call(calls))) == {type(None)}


@pytest.mark.feature("DC-04")
def test_threads_take_turns(simulator: Miniflare) -> None:
    wrong: list[object] = []

    def work(name: str) -> None:
        for number in range(10):
            simulator.call([BridgeCall("KV", "put", (name, f"{name}{number}".encode()))])
            (found,) = simulator.call([BridgeCall("KV", "get", (name, "arrayBuffer"))])
            if found != f"{name}{number}".encode():
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.feature("DC-04")
def test_nobody_else_reaches_the_bindings(simulator: Miniflare) -> None:
    for path in ("/", "/cdn-cgi/local/r2/s3/a-bucket/k", "/cdn-cgi/explorer/api"):
        request = urllib.request.Request(simulator.url.rstrip("/") + path, b"[]", method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code in (400, 403, 404)
        refused.value.close()
    assert simulator.url.startswith("http://127.0.0.1:")


@pytest.mark.feature("DC-04")
def test_instances_are_independent_and_leave_nothing(
    parts: tuple[Installed, Node], simulator: Miniflare, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    simulator.call([BridgeCall("KV", "put", ("k", b"first"))])
    with start(*parts, kv=["KV"]) as other:
        assert other.url != simulator.url
        assert other.call([BridgeCall("KV", "get", ("k", "arrayBuffer"))]) == [None]
        assert list(tmp_path.iterdir())
        assert len(living(tmp_path)) >= 2  # Node.js and the runtime
    assert not other.running
    assert list(tmp_path.iterdir()) == []
    assert living(tmp_path) == []
    other.stop()
    with pytest.raises(SimulatorFailed, match="not running"):
        other.call([BridgeCall("KV", "get", ("k", "arrayBuffer"))])


@pytest.mark.feature("DC-04")
def test_it_ends_with_a_killed_owner(parts: tuple[Installed, Node], tmp_path: Path) -> None:
    installed, node = parts
    program = (
        "import os, signal, tempfile; from pathlib import Path;"
        "from flows_registry.lab.simulators.miniflare import start;"
        "from flows_registry.lab.simulators.node import Node;"
        "from flows_registry.lab.simulators.packages import Installed;"
        f"tempfile.tempdir = {str(tmp_path)!r};"
        f"start(Installed('m', Path({str(installed.root)!r})),"
        f"Node(Path({str(node.path)!r}), (22, 0, 0), None, 'named'), kv=['KV']);"
        "print(os.listdir(tempfile.tempdir), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    owner = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "flows-miniflare-" in owner.stdout, owner.stderr
    deadline = time.monotonic() + 10
    while (living(tmp_path) or list(tmp_path.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert living(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.feature("DC-04")
def test_a_failed_start_says_why_in_time(parts: tuple[Installed, Node], tmp_path: Path) -> None:
    installed, node = parts
    with pytest.raises(SimulatorFailed, match=r"package\.json|Cannot find"):
        start(Installed("m", tmp_path), node)
    began = time.monotonic()
    with pytest.raises(SimulatorFailed, match="no answer within 1 s"):
        start(installed, node, launcher=lambda _: ["sleep", "60"], timeout_seconds=1)
    assert time.monotonic() - began < 10
    with pytest.raises(SimulatorFailed, match="No such file"):
        start(installed, node, launcher=lambda _: ["/nowhere/launcher"])
    with pytest.raises(SimulatorFailed, match="no such thing"):
        start(installed, node, launcher=lambda _: ["sh", "-c", "echo no such thing >&2; exit 3"])


@pytest.mark.feature("DC-04")
def test_it_runs_inside_a_network_namespace(parts: tuple[Installed, Node]) -> None:
    inside = [
        "unshare",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        'ip link set lo up && exec "$@"',
        "-",
    ]
    if subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    with start(*parts, kv=["KV"], launcher=lambda command: [*inside, *command]) as running:
        running.call([BridgeCall("KV", "put", ("k", b"inside"))])
        assert running.call([BridgeCall("KV", "get", ("k", "arrayBuffer"))]) == [b"inside"]
        with pytest.raises(urllib.error.URLError, match="refused"):
            urllib.request.urlopen(running.url, timeout=5)  # its loopback is not ours
