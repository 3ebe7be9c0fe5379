"""Blocking sockets, made virtual: their timeouts are the case's, and C code waits for nothing."""

import select
import socket
import ssl
from contextlib import suppress
from typing import Any

from .followed import HELD
from .waits import poll

__all__ = ["install"]

_SAFETY_SECONDS = 20.0
"""The real timeout left on sockets, for the moments in which C code waits by itself."""

_real_settimeout = socket.socket.settimeout
_real_gettimeout = socket.socket.gettimeout
_virtual_timeouts: dict[int, float] = {}


def install() -> None:
    """Replace every call that blocks."""
    _install_timeouts()
    for name in ("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "accept"):
        _guard(name, select.POLLIN)
    for name in ("send", "sendall", "sendto", "sendmsg"):
        _guard(name, select.POLLOUT)
    for name in ("do_handshake", "read", "recv", "recv_into", "write", "send", "unwrap"):
        _guard_tls(name)


def _install_timeouts() -> None:
    def settimeout(self: socket.socket, value: float | None) -> None:
        if value is None or value == 0:
            _virtual_timeouts.pop(self.fileno(), None)
            _real_settimeout(self, value)
        else:
            _virtual_timeouts[self.fileno()] = float(value)
            _real_settimeout(self, max(float(value), _SAFETY_SECONDS))

    def gettimeout(self: socket.socket) -> float | None:
        real = _real_gettimeout(self)
        return _virtual_timeouts.get(self.fileno(), real) if real else real

    socket.socket.settimeout = settimeout  # type: ignore[method-assign]
    socket.socket.gettimeout = gettimeout  # type: ignore[method-assign]
    socket.socket.timeout = property(gettimeout)  # type: ignore[attr-defined]


def _guard(name: str, mask: int) -> None:
    """Let a blocking method wait in virtual time before its C code waits in real time."""
    real = getattr(socket.socket, name)

    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if HELD.keeper is not None:
            timeout = self.gettimeout()
            if timeout is None or timeout > 0:
                ready = poll({self.fileno(): mask}, timeout)
                if not ready and timeout is not None:
                    raise TimeoutError("timed out")
        return real(self, *args, **kwargs)

    guarded.__name__ = name
    setattr(socket.socket, name, guarded)


def _guard_tls(name: str) -> None:
    """The same for TLS. What woke it may be no content (a session ticket is none), so its C code
    is only ever asked for what it can do at once."""
    real = getattr(ssl.SSLSocket, name)

    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        timeout, keeper = self.gettimeout(), HELD.keeper
        if keeper is None or timeout == 0:
            return real(self, *args, **kwargs)
        end = None if timeout is None else keeper.now() + timeout
        _real_settimeout(self, 0.0)
        try:
            while True:
                try:
                    return real(self, *args, **kwargs)
                except ssl.SSLWantReadError:
                    mask = select.POLLIN
                except ssl.SSLWantWriteError:
                    mask = select.POLLOUT
                left = None if end is None else max(0.0, end - keeper.now())
                if not poll({self.fileno(): mask}, left) and left is not None:
                    raise TimeoutError(f"the {name} operation timed out")
        finally:
            with suppress(OSError):  # it may be closed by now
                self.settimeout(timeout)

    guarded.__name__ = name
    setattr(ssl.SSLSocket, name, guarded)
