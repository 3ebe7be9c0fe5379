"""A raw-socket HTTP server that answers each request with the next line of a script."""

import asyncio
import contextlib
import hashlib
import socket
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Request:
    method: str
    target: str
    headers: dict
    body: bytes
    raw_head: bytes = b""


def answer(status=200, body=b"", headers=(), *, length=True):
    """An HTTP answer as bytes."""
    lines = [f"HTTP/1.1 {status} Scripted"]
    lines += [f"{name}: {value}" for name, value in dict(headers).items()]
    if length and status not in (204, 304):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def stored(body=b"content", **headers):
    """The answer to a GET of an object with this content."""
    etag = hashlib.md5(body).hexdigest()
    fields = {"ETag": f'"{etag}"', "Last-Modified": "Fri, 20 Nov 2026 12:00:00 GMT"}
    return answer(200, body, {**fields, **{n.replace("_", "-"): v for n, v in headers.items()}})


def refusal(status, code, message="said so", headers=()):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return answer(status, body.encode(), headers)


def document(root, inner, status=200):
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return answer(status, f'<{root} xmlns="{namespace}">{inner}</{root}>'.encode())


async def until(condition):
    """Let the loop run until something in another thread has happened."""
    while not condition():  # noqa: ASYNC110 (threads set no asyncio.Event)
        await asyncio.sleep(0.01)


HANG_UP = object()
"""Close the connection without an answer."""

SILENCE = object()
"""Read the request and say nothing until the client lets go."""


@dataclass
class Dripping:
    """Send a head at once and the body a byte at a time."""

    head: bytes
    body: bytes
    every_seconds: float = 0.02


@dataclass
class Cut:
    """Send some bytes and hang up, or reset the connection."""

    data: bytes
    reset: bool = False


@dataclass
class Scripted:
    """The server; `script` is a list of answers, or a function from request to answer."""

    script: object
    tls: object = None
    requests: list = field(default_factory=list)
    connections: int = 0
    let_go: list = field(default_factory=list)

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._listener.close()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            stream = connection.makefile("rb")
            while (request := _read(stream)) is not None:
                with self._lock:
                    self.requests.append(request)
                    step = self._step(request)
                if not self._act(connection, step):
                    return
        except OSError:
            return

    def _step(self, request):
        if callable(self.script):
            return self.script(request)
        return self.script.pop(0) if self.script else refusal(501, "ScriptIsOver")

    def _act(self, connection, step):
        if step is HANG_UP:
            connection.close()
            return False
        if step is SILENCE:
            self._wait_until_let_go(connection)
            return False
        if isinstance(step, Cut):
            connection.sendall(step.data)
            if step.reset:
                time.sleep(0.05)
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
            return False
        if isinstance(step, Dripping):
            try:
                connection.sendall(step.head)
                for byte in step.body:
                    connection.sendall(bytes([byte]))
                    time.sleep(step.every_seconds)
            except OSError:
                self.let_go.append(time.monotonic())
                return False
            return True
        connection.sendall(step)
        return True

    def _wait_until_let_go(self, connection):
        with contextlib.suppress(OSError):
            connection.recv(1)
        self.let_go.append(time.monotonic())
        connection.close()

    def wait_until_let_go(self, seconds=2.0):
        """Wait until a client lets go of a silent or dripping answer; True when it did."""
        end = time.monotonic() + seconds
        while not self.let_go and time.monotonic() < end:
            time.sleep(0.01)
        return bool(self.let_go)


def _read(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body, head)
