"""One running miniflare: Workers bindings through the bridge, R2 over S3 beside them.

It is a process of its own that ends when its owner does; it keeps nothing on disk, sends no
telemetry and reaches no network.
"""

import contextlib
import json
import os
import queue
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from core_caps.secret import Secret

from flows_registry.lab.simulators.absence import SimulatorFailed
from flows_registry.lab.simulators.bridge import BridgeCall, BridgeError, decode_answer, encode
from flows_registry.lab.simulators.deployed import DeployedWorker
from flows_registry.lab.simulators.node import Node
from flows_registry.lab.simulators.packages import Installed

__all__ = ["Hall", "Launcher", "Miniflare", "S3Credentials", "start"]

START_SECONDS_MAX = 30.0
ANSWER_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 5.0
COMPATIBILITY_DATE = "2026-07-01"
"""Selects the runtime's documented behaviour; at most the date of the pinned workerd."""

S3_PATH = "/cdn-cgi/local/r2/s3"
Launcher = Callable[[list[str]], list[str]]
_HERE = Path(__file__).parent
_SAID_LINES = 20


@dataclass(frozen=True, slots=True)
class S3Credentials:
    """The one key pair that the S3 endpoint accepts, for every bucket of the instance."""

    access_key_id: str
    secret_access_key: Secret


@dataclass(frozen=True, slots=True)
class Hall:
    """A queue whose messages wait until they are pulled; see `hall.mjs`.

    Attributes:
        name: the queue's name.
        shards: so many messages can be held at once.
        max_retries: deliveries after the first before a message is given up.
    """

    name: str
    shards: int = 24
    max_retries: int = 3


class Miniflare:
    """A running instance; made by `start`. `stop` may be called any number of times."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", scratch: Path, credentials: S3Credentials | None
    ) -> None:
        self._process = process
        self._scratch = scratch
        self._lock = threading.Lock()
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._said: list[str] = []
        self.credentials = credentials
        self.url = ""
        self.deployed_url = ""
        self.version = ""
        self._threads = [
            threading.Thread(target=self._read_answers, daemon=True),
            threading.Thread(target=self._read_complaints, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def label(self) -> str:
        """What to call it in a report: never the vendor."""
        return f"miniflare {self.version}"

    @property
    def s3_endpoint(self) -> str:
        """The S3 endpoint; buckets are addressed by path, the region is `auto`."""
        return self.url.rstrip("/") + S3_PATH

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def call(self, calls: Sequence[BridgeCall]) -> list[object]:
        """Apply calls side by side; each answer is a value or a BridgeError.

        Calls of one batch have no order among each other: what depends on an earlier call goes
        into a later batch. Threads take turns.

        Raises:
            SimulatorFailed: the process died, stopped answering or does not know the binding.
        """
        if not calls:
            return []
        request = [
            {"binding": call.binding, "method": call.method, "args": encode(call.args)}
            for call in calls
        ]
        with self._lock:
            answers = self._exchange(request, ANSWER_SECONDS_MAX)
        return [decode_answer(answer) for answer in cast("list[Any]", answers)]

    def purge(self, bindings: Sequence[str]) -> None:
        """Remove every key, message and table of these bindings.

        Raises:
            SimulatorFailed: one of them could not be emptied.
        """
        answers = self.call([BridgeCall(binding, "$purge") for binding in bindings])
        for binding, answer in zip(bindings, answers, strict=True):
            if isinstance(answer, BridgeError):
                raise SimulatorFailed(f"{binding} could not be emptied: {answer.message}")

    def stop(self) -> None:
        """End the process and everything it started, and remove its files."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS_MAX)
        # The group also holds the runtime, which a killed Node.js would leave behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for thread in self._threads:
            thread.join(STOP_SECONDS_MAX)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def configure(self, config: Mapping[str, object], timeout_seconds: float) -> None:
        """Send the configuration and wait until the instance is ready; only `start` calls it."""
        with self._lock:
            ready = self._exchange(config, timeout_seconds)
        self.url, self.version = str(ready["ready"]), str(ready["version"])
        self.deployed_url = str(ready["deployed"] or "").rstrip("/")

    def _exchange(self, request: object, timeout_seconds: float) -> Any:
        line = json.dumps(request, separators=(",", ":")).encode() + b"\n"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
            answer = self._lines.get(timeout=timeout_seconds)
        except (OSError, ValueError) as error:
            raise SimulatorFailed(f"miniflare is not running: {self._complaint()}") from error
        except queue.Empty as error:
            self._process.kill()  # an answer that comes later would be taken for the next one
            raise SimulatorFailed(
                f"miniflare gave no answer within {timeout_seconds:g} s: {self._complaint()}"
            ) from error
        if answer is None:
            raise SimulatorFailed(f"miniflare ended: {self._complaint()}")
        try:
            decoded = json.loads(answer)
        except ValueError as error:
            raise SimulatorFailed(f"miniflare said {answer[:200]!r}") from error
        match decoded:
            case {"failed": reason}:
                raise SimulatorFailed(f"miniflare failed: {reason}")
            case _:
                return decoded

    def _complaint(self) -> str:
        deadline = time.monotonic() + 0.5
        while not self._said and time.monotonic() < deadline:
            time.sleep(0.01)
        return " | ".join(self._said) or "it said nothing"

    def _read_answers(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(line.decode(errors="replace").rstrip())
            del self._said[:-_SAID_LINES]


def start(
    installed: Installed,
    node: Node,
    *,
    kv: Sequence[str] = (),
    r2: Sequence[str] = (),
    queues: Sequence[Hall] = (),
    d1: Sequence[str] = (),
    worker: DeployedWorker | None = None,
    credentials: S3Credentials | None = None,
    launcher: Launcher | None = None,
    port: int = 0,
    timeout_seconds: float = START_SECONDS_MAX,
) -> Miniflare:
    """Start an instance with empty namespaces, buckets and databases and wait until it is ready.

    Args:
        installed: the fetched packages.
        node: the Node.js to run.
        kv: names of KV namespaces; each is also its binding's name.
        r2: names of R2 buckets; each is also its binding's name and its name over S3.
        queues: queues that are pulled from.
        d1: names of D1 databases; each is also its binding's name.
        worker: a Worker of a plugin's own to run, too; `deployed_url` is then where it is.
        credentials: serve the buckets over S3 too, for this key pair only.
        launcher: turns the command line into another one that runs it elsewhere, for instance
            inside a network namespace, where it then listens on 127.0.0.1. The bridge speaks
            over pipes and works from anywhere.
        port: the loopback port; 0 takes a free one.
        timeout_seconds: how long the start may take.

    Raises:
        SimulatorFailed: it did not become ready.
    """
    scratch = Path(tempfile.mkdtemp(prefix="flows-miniflare-"))
    command = [str(node.path), str(_HERE / "driver.mjs")]
    try:
        process = _process(command if launcher is None else launcher(command), scratch)
    except BaseException as error:
        shutil.rmtree(scratch, ignore_errors=True)
        if isinstance(error, OSError):
            raise SimulatorFailed(f"miniflare could not be run: {error}") from error
        raise
    instance = Miniflare(process, scratch, credentials)
    try:
        instance.configure(
            {
                "root": str(installed.root),
                "bridge": str(_HERE / "bridge.mjs"),
                "hall": str(_HERE / "hall.mjs"),
                "scratch": str(scratch),
                "token": secrets.token_hex(16),
                "port": port,
                "kv": list(kv),
                "r2": list(r2),
                "d1": list(d1),
                "queues": [asdict(queue) for queue in queues],
                "worker": None if worker is None else worker.as_json(),
                "s3": None
                if credentials is None
                else {
                    "accessKeyId": credentials.access_key_id,
                    "secretAccessKey": credentials.secret_access_key.reveal(),
                },
                "compatibility_date": COMPATIBILITY_DATE,
            },
            timeout_seconds,
        )
    except BaseException:
        instance.stop()
        raise
    return instance


def _process(command: list[str], scratch: Path) -> "subprocess.Popen[bytes]":
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),  # it reads and writes nothing of the user's
        "TMPDIR": str(scratch),
    }
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scratch,
        env=environment,
        start_new_session=True,
    )
