"""The fault server's process: a control socket around the server.

Started inside a room as `python -m flows_registry.lab.server CONTROL_FD`. It is told its settings
first, and then answers in lines of JSON to `begin`, `arm`, `disarm` and `rest`, says unasked what
went wrong inside it, and ends with its control socket.
"""

import json
import os
import socket
import sys
import threading
from typing import Any

from flows_registry.lab.broken import RoomBroken
from flows_registry.lab.hosted.hosting import HostBroken
from flows_registry.lab.server.server import Server

__all__ = ["main"]


def main(control: int) -> None:
    """Serve the room until the control socket closes."""
    threading.stack_size(512 * 1024)
    with socket.socket(fileno=control) as line, line.makefile("rwb") as stream:
        writing = threading.Lock()

        def reply(message: dict[str, Any]) -> None:
            with writing:
                stream.write(json.dumps(message).encode() + b"\n")
                stream.flush()

        try:
            server = Server(json.loads(stream.readline()), lambda what, text: reply({what: text}))
            reply({"ports": server.listen()})
            for raw in stream:
                reply(_answer(server, json.loads(raw)))
        except HostBroken as broken:
            reply({"reference broken": str(broken)})
    os._exit(0)


def _answer(server: Server, command: dict[str, Any]) -> dict[str, Any]:
    """What the control socket is told of what it asks for."""
    try:
        return _done(server, command)
    except RoomBroken as broken:
        return {"error": str(broken)}


def _done(server: Server, command: dict[str, Any]) -> dict[str, Any]:
    """Do what the control socket asks for; the answer."""
    match command:
        case {"begin": _}:
            server.begin()
        case {"arm": faults, "perturbation": perturbation}:
            server.arm(faults, perturbation)
        case {"disarm": _}:
            return server.disarm()
        case {"rest": _}:
            return server.rest()
        case unknown:
            return {"error": f"unknown command {sorted(unknown)}"}
    return {}


if __name__ == "__main__":
    main(int(sys.argv[1]))
