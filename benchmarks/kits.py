"""How long a case takes in the kits that others test their drivers and clients with, and in ours.

csi-sanity tries every call of Kubernetes' storage interface on the host-path driver, and makes no
fault. Google's retry conformance has the Go client of Cloud Storage meet scripted faults of the
storage testbench, and sees each of them consumed. Ours is the contract check of R2's remote
backend: a process of the plugin, a fault of the wire, its oracles, virtual time. The figure is the
time per case, or per fault that was met; what a case is differs, so no goal is set.

The peers need Go, and checkouts that these variables name; a peer that is not here is left out,
and that is said.

    FLOWS_CSI_TEST           https://github.com/kubernetes-csi/csi-test
    FLOWS_CSI_HOST_PATH      https://github.com/kubernetes-csi/csi-driver-host-path
    FLOWS_STORAGE_TESTBENCH  https://github.com/googleapis/storage-testbench
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from side_by_side import Comparison, compare, measure, report

PLUGIN = Path(__file__).resolve().parent.parent / "plugins" / "cap-cloudflare-r2"
GO_STORAGE = "cloud.google.com/go/storage"
ONCE: Any = {"rounds": 1, "calls": 1}
START_SECONDS_MAX = 120.0
_RAN = re.compile(rb"Ran (\d+) of \d+ Specs in ([0-9.]+) seconds")


def ours() -> dict[str, Any]:
    """The contract check of R2's remote backend, as it tells of itself."""
    options = ["--check", "contract", "--level", "L2", "--full", "--json"]
    command = [sys.executable, "-m", "flows_registry.main", "certify", str(PLUGIN), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    checks = json.loads(done.stdout)["checks"]
    [result] = [
        each for each in checks if (each["check"], each["backend"]) == ("contract", "remote")
    ]
    return result


def csi_sanity(tests: Path, driver: Path, scratch: Path) -> Callable[[], float]:
    """csi-sanity on the host-path driver: seconds per case, as it tells of itself."""
    built = {"csi-sanity": (tests, "./cmd/csi-sanity"), "plugin": (driver, "./cmd/hostpathplugin")}
    for name, (folder, package) in built.items():
        command = ["go", "build", "-o", str(scratch / name), package]
        subprocess.run(command, cwd=folder, check=True)

    def per_case() -> float:
        with tempfile.TemporaryDirectory(dir=scratch) as state:
            address = f"{state}/csi.sock"
            serve = [str(scratch / "plugin"), "-endpoint", address, "-nodeid", "node"]
            with serving([*serve, "-statedir", state], lambda: Path(address).exists()):
                sanity = [str(scratch / "csi-sanity"), f"--csi.endpoint={address}"]
                folders = [f"--csi.mountdir={state}/mount", f"--csi.stagingdir={state}/staging"]
                done = subprocess.run([*sanity, *folders], capture_output=True, check=False)
        if (ran := _RAN.search(done.stdout)) is None:
            raise SystemExit(f"csi-sanity did not run\n{done.stdout.decode()[-2000:]}")
        return float(ran[2]) / int(ran[1])

    return per_case


def retry_conformance(testbench: Path, scratch: Path) -> Callable[[], float]:
    """The retry conformance of Cloud Storage's Go client: seconds per fault that was met."""
    subprocess.run(["go", "mod", "init", "peer"], cwd=scratch, check=True, capture_output=True)
    subprocess.run(["go", "get", "-t", GO_STORAGE], cwd=scratch, check=True, capture_output=True)
    test = ["go", "test", "-json", "-count=1", GO_STORAGE]

    def per_fault() -> float:
        port = free_port()
        python = ["uv", "run", "--no-project", "--python", sys.executable, "--with", str(testbench)]
        serve = [*python, "python", "testbench_run.py", "localhost", str(port), "10"]
        with serving(serve, lambda: answers(port), cwd=testbench):
            environment = {**os.environ, "STORAGE_EMULATOR_HOST": f"http://localhost:{port}"}
            only = "TestRetryConformance/^http-"
            done = subprocess.run(
                [*test, "-run", only],
                cwd=scratch,
                env=environment,
                capture_output=True,
                check=False,
            )
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
        passed = [e for e in events if e.get("Action") == "pass" and "/" in e.get("Test", "")]
        whole = [e for e in events if e.get("Test") == "TestRetryConformance" and "Elapsed" in e]
        if not passed or not whole:
            raise SystemExit(
                f"no case of the retry conformance ran\n{done.stderr.decode()[-2000:]}"
            )
        return whole[-1]["Elapsed"] / len(passed)

    return per_fault


@contextlib.contextmanager
def serving(
    command: list[str], is_up: Callable[[], bool], cwd: Path | None = None
) -> Iterator[None]:
    """A server for the length of the block."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=cwd, stdout=quiet, stderr=quiet) as server:
        try:
            end = time.monotonic() + START_SECONDS_MAX
            while not is_up():
                if server.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"did not start: {command[0]}")
                time.sleep(0.05)
            yield
        finally:
            server.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("localhost", 0)) as free:
        return free.getsockname()[1]


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port), 1.0):
        return True
    return False


def checkout(variable: str) -> Path | None:
    """The peer's checkout, where there is one."""
    named = os.environ.get(variable)
    return Path(named).resolve() if named else None


def main() -> None:
    result = ours()
    seconds, faults = result["facts"]["seconds"], result["facts"]["faults"]
    of_case, of_fault = seconds / result["cases"], seconds / faults
    comparisons: list[Comparison] = []
    with tempfile.TemporaryDirectory(prefix="flows-kits-") as folder:
        scratch, goes = Path(folder), shutil.which("go") is not None
        tests, driver = checkout("FLOWS_CSI_TEST"), checkout("FLOWS_CSI_HOST_PATH")
        name = f"a case, of {result['cases']}"
        if goes and tests and driver:
            peer = csi_sanity(tests, driver, scratch)
            comparisons.append(
                compare(f"{name}, beside csi-sanity's", lambda: of_case, peer, **ONCE)
            )
        else:
            left_out = f"{name} (csi-sanity is not here)"
            comparisons.append(measure(left_out, lambda: of_case, **ONCE))
        testbench = checkout("FLOWS_STORAGE_TESTBENCH")
        name = f"a fault met, of {faults}"
        if goes and testbench:
            peer = retry_conformance(testbench, scratch)
            comparisons.append(
                compare(f"{name}, beside retry conformance's", lambda: of_fault, peer, **ONCE)
            )
        else:
            left_out = f"{name} (the storage testbench is not here)"
            comparisons.append(measure(left_out, lambda: of_fault, **ONCE))
    report(comparisons)


if __name__ == "__main__":
    main()
