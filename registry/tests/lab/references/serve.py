"""A reference on a loopback port, so that the official clients are the proof. For tests only."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from flows_registry.lab.references.exchange import Reference, Request

__all__ = ["serve"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    reference: Reference
    lock: threading.Lock


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one segment, or each answer waits for a delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        request = Request(
            method=self.command,
            host=(self.headers.get("host") or "").rpartition(":")[0] or "localhost",
            target=self.path,
            headers=headers,
            body=self._body(),
            scheme="https" if isinstance(self.connection, ssl.SSLSocket) else "http",
        )
        with self.server.lock:
            response = self.server.reference.handle(request)
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.status not in (204, 304):
            self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self.wfile.write(response.body)
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _body(self) -> bytes:
        if "chunked" not in (self.headers.get("transfer-encoding") or ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(reference: Reference, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The base URL of a server that asks the reference, one request at a time."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.reference = reference
    server.lock = threading.Lock()
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
