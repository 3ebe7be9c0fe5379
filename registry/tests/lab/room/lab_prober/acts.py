"""Everything the prober can do: well-behaved exchanges, and every way to misbehave."""

import asyncio
import atexit
import ctypes
import functools
import gc
import importlib
import os
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab_prober.readings import READINGS

HOST = "api.cloudflare.com"
_ENOUGH_BYTES = 2_000_000
AT_CLOSING: list[Callable[[], object]] = []


# ---- one exchange, byte by byte


def exchange(
    path: str,
    token: str,
    method: str,
    key: str,
    body: bytes = b"",
    scheme: str = "https",
    verify: bool = True,
    seconds: float = 60.0,
) -> dict[str, Any]:
    """One request on a connection of its own: every byte that came back, how it ended, how long
    it took. It waits `seconds` in all, and no longer than it takes to see that there is no end."""
    began = time.monotonic()
    try:
        connection = _connected(scheme, verify, seconds)
    except ssl.SSLCertVerificationError as error:
        return {"data": b"", "ended": "untrusted", "why": error.verify_message}
    except ConnectionRefusedError:
        return {"data": b"", "ended": "refused"}
    head = (
        f"{method} {path}{key} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    data, ended = _all_of(connection, began + seconds)
    return {"data": data, "ended": ended, "seconds": time.monotonic() - began}


def leave_open(path: str, token: str) -> bytes:
    """The first bytes of an answer, on a connection that stays open."""
    _LEFT_OPEN.append(_connected("https", verify=True, seconds=60.0))
    head = f"GET {path}key HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\r\n"
    _LEFT_OPEN[-1].sendall(head.encode())
    return _LEFT_OPEN[-1].recv(12)


_LEFT_OPEN: list[socket.socket] = []


def leave_under_way(path: str, token: str, key: str, file: str) -> None:
    """A request that nobody waits to hear answered, once its service is at it: the file tells."""
    with _connected("http", verify=False, seconds=60.0) as connection:
        head = f"PUT {path}{key} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\r\n"
        connection.sendall(head.encode())
        while not Path(file).exists():
            pass


def _connected(scheme: str, verify: bool, seconds: float) -> socket.socket:
    plain = socket.create_connection((HOST, 443), timeout=seconds)
    if scheme == "http":
        return plain
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=HOST)


def _all_of(connection: socket.socket, end: float) -> tuple[bytes, str]:
    data = bytearray()
    while len(data) < _ENOUGH_BYTES:
        connection.settimeout(max(0.001, end - time.monotonic()))
        try:
            chunk = connection.recv(65536)
        except TimeoutError:
            return bytes(data), "timeout"
        except ConnectionResetError:
            return bytes(data), "reset"
        if not chunk:
            return bytes(data), "closed"
        data += chunk
    return bytes(data), "enough"


# ---- reaching out, by other ways


def look_up(*names: str) -> list[str]:
    return [socket.gethostbyname(name) for name in names]


def own_name() -> str:
    return socket.gethostbyname(socket.gethostname()) + " " + socket.getfqdn()


def look_up_from_subprocess(name: str) -> int:
    program = f"import socket; socket.gethostbyname({name!r})"
    return subprocess.run([sys.executable, "-I", "-S", "-c", program], check=False).returncode


def resolve(module: str, way: str, name: str) -> bool:
    """Whether a name has an address, as one of the interpreter's functions tells."""
    port = [443] if way == "getaddrinfo" else []
    try:
        return bool(getattr(importlib.import_module(module), way)(name, *port))
    except socket.gaierror:
        return False


def ask_for(kind: str, name: str) -> int:
    """A question to the name service that nobody waits to hear answered; its size."""
    number = {"A": 1, "AAAA": 28, "TXT": 16}[kind]
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    head = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0)
    query = head + labels + b"\0" + struct.pack(">HH", number, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        return client.sendto(query, ("127.0.0.1", 53))


def connect(host: str, port: int) -> str:
    """What comes of a connection attempt."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        return type(error).__name__
    return "connected"


def send_to_a_neighbour(path: str) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        try:
            sender.sendto(b"one", path)
        except OSError as error:
            return type(error).__name__
    return "sent"


def keep_a_database(path: str) -> None:
    sqlite3.connect(path).close()


def later(when: str, name: str, *args: Any) -> None:
    """Do another of these when the calls are over; at once, where it is the setup's."""
    deed = functools.partial(globals()[name], *args)
    match when:
        case "at closing":
            AT_CLOSING.append(deed)
        case "at exit":
            atexit.register(deed)
        case _:
            deed()


def connect_below_python(host: str, port: int) -> str:
    """The same through the C class that `socket.socket` stands on."""
    import _socket

    bare = _socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bare.connect((host, port))
    except OSError as error:
        return type(error).__name__
    finally:
        bare.close()
    return "connected"


def connect_without_raising(host: str, port: int) -> int:
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex((host, port))


def connect_from_subprocess(host: str, port: int) -> int:
    program = f"import socket; socket.socket().connect_ex(({host!r}, {port}))"
    return subprocess.run([sys.executable, "-I", "-S", "-c", program], check=False).returncode


def send_datagram(host: str, port: int) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        try:
            client.sendto(b"hello", (host, port))
        except OSError as error:
            return type(error).__name__
    return "sent"


def connect_v6(host: str, port: int) -> str:
    with socket.socket(socket.AF_INET6) as client:
        client.settimeout(5)
        try:
            client.connect((host, port))
        except OSError as error:
            return type(error).__name__
    return "connected"


def serve_itself() -> str:
    """A server and its client in this process, on the loopback interface."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
        server.accept()[0] as accepted,
    ):
        accepted.sendall(b"from within")
        return client.recv(100).decode()


# ---- misbehaving


def hang() -> None:
    threading.Event().wait()


def spin(file: str) -> None:
    """Never end, and say by a file that it has begun."""
    Path(file).touch()
    while True:
        pass


def crash() -> None:
    ctypes.string_at(0)


def leave(status: int) -> None:
    os._exit(status)


def ask_to_leave() -> None:
    raise SystemExit(3)


def fill_stdout(size_bytes: int) -> int:
    """More than any pipe holds, through Python and below it."""
    print("x" * size_bytes, flush=True)
    print("x" * size_bytes, file=sys.stderr, flush=True)
    return os.write(1, b"x" * size_bytes)


def write_to(path: str) -> str:
    """How an attempt to make a file ends."""
    try:
        Path(path).write_text("made")
    except OSError as error:
        return type(error).__name__ + f" {error.errno}"
    return "made"


def can_be_seen(path: str) -> bool:
    return os.path.lexists(path)


def processes() -> list[int]:
    """All that can be seen, and where the case itself stands among them."""
    return sorted(int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())


def kill(process: int) -> str:
    """How an attempt to kill a process ends."""
    try:
        os.kill(process, signal.SIGKILL)
    except OSError as error:
        return type(error).__name__
    return "killed"


def mount_over(path: str) -> str:
    """How an attempt to show something else there ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", path.encode(), b"tmpfs", 0, None) == 0:
        return "mounted"
    return os.strerror(ctypes.get_errno())


def own_process() -> int:
    return os.getpid()


def die_later(seconds: float) -> int:
    """Have the kernel end this process, whoever runs in it by then."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    return os.getpid()


def now() -> float:
    return time.time()


def leave_open_what(kind: str) -> int:
    """Leave something in this process, for as long as it lasts."""
    if kind == "a thread":
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    elif kind == "a file":
        _LEFT.append(open(os.devnull))  # noqa: SIM115, PTH123
    elif kind == "a process":
        _LEFT.append(subprocess.Popen(["sleep", "60"]))
    return os.getpid()


_LEFT: list[Any] = []


def sleep(seconds: float) -> float:
    began = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - began


def fork_a_daemon(file: str) -> bool:
    """A process in a session of its own, which outlives its parent and sleeps for an hour; whether
    it has come to life."""
    program = f"import pathlib, time; pathlib.Path({file!r}).touch(); time.sleep(3600)"
    if os.fork() == 0:
        os.setsid()
        subprocess.Popen([sys.executable, "-I", "-S", "-c", program])
        os._exit(0)
    os.wait()
    for _ in range(5000):
        if Path(file).exists():
            return True
        time.sleep(0.1)
    return False


# ---- leaving something behind, and looking for it


CACHE = ".prober/cache"
_LEFT: list[str] = []


def leave_behind(mark: str) -> None:
    _LEFT.append(mark)
    os.environ["PROBER_MARK"] = mark
    (Path.home() / CACHE / mark).write_text(mark)
    for folder in _folders():
        (folder / mark).mkdir()
        (folder / mark / mark).write_text(mark)


def left_behind() -> list[str]:
    found = sorted(path.name for folder in _folders() for path in folder.rglob("*"))
    return [*_LEFT, *found, *filter(None, [os.environ.get("PROBER_MARK")])]


def _folders() -> list[Path]:
    return [Path.cwd(), Path.home(), Path(os.environ["TMPDIR"])]


# ---- an hour of waiting


async def wait_in_a_task(seconds: float) -> None:
    await asyncio.create_task(asyncio.sleep(seconds))


async def wait_in_a_thread(seconds: float) -> None:
    await asyncio.to_thread(time.sleep, seconds)


# ---- a fork in the road, and ways to come to it


def branch(way: str) -> str:
    return way.upper() if way == "up" else way.lower()


async def branch_in_a_task(way: str) -> str:
    async def later() -> str:
        await asyncio.sleep(3600)
        return branch(way)

    return await asyncio.create_task(later())


def branch_in_a_thread(way: str) -> str:
    ways: list[str] = []
    thread = threading.Thread(target=lambda: ways.append(branch(way)))
    thread.start()
    thread.join()
    return ways[0]


def branch_in_a_pool(way: str) -> str:
    return _POOL.submit(branch, way).result()


_POOL = ThreadPoolExecutor(1)


def is_traced() -> bool:
    return sys.gettrace() is not None


def trace_itself() -> None:
    sys.settrace(lambda *_: None)


# ---- files


def keep(folder: str, place: str) -> int:
    """Add a line to a file in the folder, or wherever the place leads; how many it has now."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    file = Path(folder, place)
    with file.open("a") as opened:
        opened.write("line\n")
    return len(file.read_text().splitlines())


def write_unheard(folder: str, name: str) -> None:
    """A file beside that folder, once nothing hears any more what this process does."""
    for each in gc.get_objects():
        if type(each).__name__ == "Watch":
            each._on = False
    (Path(folder).parent.parent / "work" / name).touch()


def carry_out(folder: str, target: str) -> None:
    """Make a file in the folder, and give it a name elsewhere."""
    keep(folder, "carried")
    Path(folder, "carried").rename(target)


# ---- reading what is not an argument


def readings() -> dict[str, dict[str, str]]:
    """What every reading gives, by its axis; an error is an answer, too."""
    return {
        axis: {name: _read(one) for name, one in ways.items()} for axis, ways in READINGS.items()
    }


def reading(axis: str, name: str) -> str:
    """What one of them gives."""
    return _read(READINGS[axis][name])


def _read(one: Callable[[], object]) -> str:
    try:
        return repr(one())
    except Exception as error:
        return repr(error)
