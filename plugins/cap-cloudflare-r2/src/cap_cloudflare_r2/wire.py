"""One HTTP exchange on one connection, in a thread, that another thread can break off.

boto3 builds the request and reads the answer; the bytes go through here, because three promises
cannot be kept through its own HTTP layer: a cancelled call frees its socket at once, a failure
knows whether anything was sent, and a body is never shorter than promised.
"""

import contextlib
import http.client
import io
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core_caps.errors import ProviderError

from cap_cloudflare_r2 import errors
from cap_cloudflare_r2.connections import Abandoned, Connections

__all__ = ["Exchange", "Plan"]

ERROR_BODY_BYTES_MAX = 64 * 1024
"""Of an error's body; more is not read, and the connection is not used again."""

DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
"""Of an XML answer: a page of 1000 keys of 1024 bytes, each byte escaped, is below 4 MiB."""

READ_BYTES = 1024 * 1024

_BROKEN = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an exchange is for, and which answers are successes.

    Attributes:
        operation: the operation's name, for messages.
        writes: whether the request may change the store.
        accepts: the statuses that are successes.
        document: the root element that an XML answer must have; None where none is expected.
        streams: leave the body unread; the caller takes it with `read`.
        conditional: whether 304 is an answer to it.
    """

    operation: str
    writes: bool
    accepts: tuple[int, ...]
    document: str | None = None
    streams: bool = False
    conditional: bool = False


class Exchange:
    """One request and its answer. Made and broken off on the loop, performed in a thread.

    Attributes:
        plan: what it is for.
        sent: whether the service may have seen the request.
        status, headers: of the answer; header names are in lower case.
        refusal: what the service said instead of a success, or None.
        body: the answer's content, unless the plan streams it.
        size_bytes: the content's promised size; None where it comes in chunks.
    """

    def __init__(
        self, plan: Plan, connections: Connections, payload: Sequence[bytes | memoryview] = ()
    ) -> None:
        self.plan = plan
        self.payload = payload
        self.sent = False
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.refusal: errors.Refusal | None = None
        self.body = b""
        self.size_bytes: int | None = None
        self._connections = connections
        self._connection: http.client.HTTPConnection | None = None
        self._response: http.client.HTTPResponse | None = None
        self._received = 0
        self._socket: socket.socket | None = None
        self._finished = False
        self._abandoned = False
        self._lock = threading.Lock()

    @property
    def finished(self) -> bool:
        """Whether the answer was read to its end."""
        return self._finished

    @property
    def payload_size_bytes(self) -> int:
        """The request body's size."""
        return sum(memoryview(piece).nbytes for piece in self.payload)

    def hold(self, used: socket.socket) -> None:
        """From now on `abandon` breaks this socket off.

        Raises:
            Abandoned: the exchange already was.
        """
        with self._lock:
            if self._abandoned:
                raise Abandoned
            self._socket = used

    def abandon(self) -> None:
        """Break the exchange off, from any thread: whoever waits on its socket is woken."""
        with self._lock:
            self._abandoned = True
            if self._socket is not None:
                # SSLSocket's own shutdown would first take the TLS layer away, and a thread that
                # is about to send would then send in the clear.
                with contextlib.suppress(OSError):  # not connected yet, or no longer
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let the connection go; for the thread that has it, or when none has."""
        with self._lock:
            connection, self._connection = self._connection, None
            answer, self._response = self._response, None
            self._socket = None
        if answer is not None:
            answer.close()  # where the service closes after it, the answer holds the socket
        if connection is not None:
            connection.close()

    def perform(self, method: str, target: str, headers: Iterable[tuple[str, str]]) -> None:
        """Send the request and read the answer.

        Raises:
            ProviderError: it failed; the outcome says what may have happened.
            Abandoned: it was broken off.
        """
        try:
            self._perform(method, target, headers)
        except BaseException as error:
            self.close()
            if isinstance(error, Exception) and self._abandoned:
                raise Abandoned from error
            raise

    def read(self, size_bytes: int) -> bytes:
        """The next bytes of a streamed body, as many as asked for; fewer only at its end.

        Raises:
            ProviderError: the connection broke, or the body ended early.
            Abandoned: the exchange was broken off.
        """
        try:
            return self._read(size_bytes)
        except BaseException as error:
            self.close()
            if isinstance(error, Exception) and self._abandoned:
                raise Abandoned from error
            raise

    def _perform(self, method: str, target: str, headers: Iterable[tuple[str, str]]) -> None:
        connection = self._connect()
        answer = self._send(connection, method, target, headers)
        self._response = answer
        self.status = answer.status
        self.headers = self._headers_of(answer)
        self.size_bytes = self._promised(answer)
        if self.status not in self.plan.accepts:
            raise self._refused()
        if method == "HEAD" or self.status in {204, 304}:
            self._finish()
        elif not self.plan.streams:
            self.body = self._whole()

    def _connect(self) -> http.client.HTTPConnection:
        connection = self._connections.reuse()
        if connection is None:
            try:
                connection = self._connections.make(self)
            except TimeoutError as error:
                raise errors.timed_out(
                    self._connections.connect_timeout_seconds,
                    operation=self.plan.operation,
                    writes=self.plan.writes,
                    sent=False,
                ) from error
            except (OSError, UnicodeError) as error:  # UnicodeError: a host no IDNA can spell
                raise errors.unreachable(
                    error, operation=self.plan.operation, address=self._connections.address
                ) from error
        try:
            self.hold(connection.sock)
        except Abandoned:
            connection.close()
            raise
        with self._lock:
            self._connection = connection
        return connection

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
    ) -> http.client.HTTPResponse:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        self.sent = True
        broken: OSError | None = None
        try:
            connection.endheaders()
            for piece in self.payload:
                connection.send(piece)
        except TimeoutError as error:
            raise self._silent() from error
        except OSError as error:
            broken = error  # the service may have answered before it had read everything
        try:
            return connection.getresponse()
        except TimeoutError as error:
            raise self._silent() from error
        except OSError as error:
            raise self._lost(broken or error) from error
        except (http.client.HTTPException, ValueError) as error:
            if broken is not None:
                raise self._lost(broken) from error
            raise self.garbled(f"the answer is not HTTP ({type(error).__name__})") from error

    def _headers_of(self, answer: http.client.HTTPResponse) -> Mapping[str, str]:
        headers: dict[str, str] = {}
        for spelled, value in answer.headers.items():
            name = spelled.lower()
            if name in {"content-length", "etag", "content-range"} and (
                headers.get(name, value) != value
            ):
                raise self.garbled(f"the answer has several {name} headers that differ")
            headers.setdefault(name, value)
        return headers

    def _promised(self, answer: http.client.HTTPResponse) -> int | None:
        if answer.chunked:
            return None
        text = self.headers.get("content-length")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise self.garbled(f"content-length is {text[:40]!r}")
        return int(text)

    def _refused(self) -> ProviderError:
        body = b""
        try:
            assert self._response is not None
            body = self._response.read(ERROR_BODY_BYTES_MAX)
            self._received = len(body)
            if self._response.isclosed() and self._at_end():
                self._finish()
        except (*_BROKEN, ValueError):
            pass  # the status alone decides; what the body would have told is lost
        if 200 <= self.status < 300 or (self.status == 304 and not self.plan.conditional):
            return self.garbled(f"the answer {self.status} is not one of this request's")
        refusal = errors.refusal_of(
            self.status, self.headers, body, now=self._connections.clock.now()
        )
        return self.refuse(refusal)

    def refuse(self, refusal: errors.Refusal) -> ProviderError:
        """The error for an answer that refuses; it is kept for whoever asks why."""
        self.refusal = refusal
        return errors.refused(refusal, operation=self.plan.operation, writes=self.plan.writes)

    def garbled(self, what: str) -> ProviderError:
        """The error for an answer that this request cannot have."""
        return errors.garbled(
            what,
            operation=self.plan.operation,
            writes=self.plan.writes,
            status=self.status or None,
        )

    def _whole(self) -> bytes:
        if self.size_bytes is not None and self.size_bytes <= DOCUMENT_BYTES_MAX:
            return self._read(self.size_bytes + 1)  # at once, into its own memory
        content = io.BytesIO()
        bound = DOCUMENT_BYTES_MAX if self.plan.document else None
        while chunk := self._read(READ_BYTES):
            content.write(chunk)
            if bound is not None and content.tell() > bound:
                raise self.garbled(f"the answer has over {bound} bytes")
        return content.getvalue()

    def _read(self, size_bytes: int) -> bytes:
        answer = self._response
        if answer is None:
            if not self._finished:
                raise Abandoned
            return b""
        try:
            chunk = answer.read(size_bytes)
        except TimeoutError as error:
            raise self._silent() from error
        except http.client.IncompleteRead as error:
            raise self._truncated() from error
        except OSError as error:
            raise self._lost(error) from error
        except (http.client.HTTPException, ValueError) as error:
            raise self.garbled("the body's chunks cannot be read") from error
        self._received += len(chunk)
        if self._at_end() and (len(chunk) < size_bytes or self.size_bytes is not None):
            self._finish()
        elif len(chunk) < size_bytes:
            raise self._truncated()
        return chunk

    def _at_end(self) -> bool:
        assert self._response is not None
        if self.size_bytes is not None:
            return self._received == self.size_bytes
        return self._response.chunked  # without both, an end cannot be told from a break

    def _finish(self) -> None:
        """The answer was read to its end: keep the connection, unless either side says not to."""
        self._finished = True
        answer, self._response = self._response, None
        with self._lock:
            connection, self._connection = self._connection, None
            self._socket = None
        if connection is None or answer is None:
            return
        if answer.will_close or connection.sock is None:
            connection.close()
        else:
            answer.close()
            self._connections.give_back(connection)

    def _silent(self) -> ProviderError:
        return errors.timed_out(
            self._connections.read_timeout_seconds,
            operation=self.plan.operation,
            writes=self.plan.writes,
            sent=self.sent,
        )

    def _lost(self, reason: object) -> ProviderError:
        return errors.lost(reason, operation=self.plan.operation, writes=self.plan.writes)

    def _truncated(self) -> ProviderError:
        promised = "" if self.size_bytes is None else f" of {self.size_bytes}"
        return self.garbled(f"the body ended after {self._received}{promised} bytes")
