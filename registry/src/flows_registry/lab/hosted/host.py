"""Answers questions about one object of the plugin, in the plugin's own environment.

A program, run there as `python -P -s host.py FD KIND NAME`: lines of JSON, a question in, an answer
out, until the socket closes. KIND is `reference` or `suite`, NAME a lazy name. Standard library and
`core_caps` only, which every plugin's environment holds.
"""

import base64
import contextlib
import ctypes
import json
import os
import random
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from typing import Any

MODELS_MAX = 64
"""How many models of a suite are held at once; the oldest goes."""

_TEXT_MAX = 8000
_PR_SET_PDEATHSIG = 1


class References:
    """The references that one factory of the plugin has made, by number."""

    def __init__(self, make: Any) -> None:
        self._make = make
        self._made: list[Any] = []
        self._now = 0.0

    def create(self, settings: dict[str, Any], secrets: dict[str, str], now: float) -> int:
        self._now = now
        self._made.append(self._make(settings, secrets, lambda: self._now))
        return len(self._made) - 1

    def handle(self, number: int, now: float, request: dict[str, Any]) -> dict[str, Any]:
        self._now = now
        return _response(self._made[number].handle(_request(request)))

    def is_scoped(self, number: int) -> bool:
        return hasattr(self._made[number], "scopes")

    def scopes(self, number: int, request: dict[str, Any]) -> list[str] | None:
        told = self._made[number].scopes(_request(request))
        return None if told is None else list(told)

    def failure(self, number: int, status: int) -> dict[str, Any]:
        return _response(self._made[number].failure(status))

    def state(self, number: int) -> Mapping[str, Any]:
        return self._made[number].state()

    def reset(self, number: int) -> None:
        self._made[number].reset()


def _request(form: dict[str, Any]) -> Any:
    from core_caps.contract.reference import Request

    form["headers"] = tuple((name, value) for name, value in form["headers"])
    form["body"] = base64.b64decode(form["body"])
    return Request(**form)


def _response(response: Any) -> dict[str, Any]:
    return {
        "status": response.status,
        "headers": [[name, value] for name, value in response.headers],
        "body": base64.b64encode(response.body).decode(),
    }


class Suite:
    """A contract: its exercises, its model and what may be compared."""

    def __init__(self, contract: Any) -> None:
        from core_caps.contract.codec import decode, encode

        self._contract = contract
        self._decode, self._encode = decode, encode
        self._models: dict[int, Any] = {}
        self._next = 0

    def describe(self) -> dict[str, Any]:
        from core_caps.contract.suite import Follower

        has_model = self._contract.has_model
        return {
            "exercises": self._encode(self._contract.exercises),
            "has_model": has_model,
            "follows": has_model and isinstance(self._contract.model(), Follower),
        }

    def generate(self, seed: int, length: int, operations: list[str]) -> Any:
        source = random.Random(seed)  # noqa: S311 (repeatable on purpose)
        return self._encode(self._contract.generate(source, length, frozenset(operations)))

    def read_back(self, calls: Any) -> Any:
        return self._encode(self._contract.read_back(self._decode(calls)))

    def comparable(self, call: Any, value: Any) -> Any:
        return self._encode(self._contract.comparable(self._decode(call), self._decode(value)))

    def model(self) -> int:
        self._next += 1
        self._models[self._next] = self._contract.model()
        while len(self._models) > MODELS_MAX:
            del self._models[min(self._models)]
        return self._next

    def apply(self, number: int, call: Any) -> dict[str, Any]:
        from core_caps.errors import ProviderError

        try:
            return {"value": self._encode(self._models[number].apply(self._decode(call)))}
        except ProviderError as error:
            return {"error": type(error).__name__, "message": error.message}

    def accepts(self, number: int, call: Any, answer: Any, error: str) -> bool:
        model, given = self._models[number], self._decode(answer)
        return bool(model.accepts(self._decode(call), given, error))

    def lost(self, number: int, call: Any, applied: bool | None) -> None:
        self._models[number].lost(self._decode(call), applied)

    def state(self, number: int) -> Any:
        return self._encode(self._models[number].state())


KINDS = {"reference": References, "suite": Suite}


def main(descriptor: int, kind: str, name: str) -> None:
    """Load the object, say so, and answer until the socket closes."""
    with contextlib.suppress(OSError, AttributeError):  # kernels other than Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with socket.socket(fileno=descriptor) as line, line.makefile("rwb") as stream:

        def reply(message: dict[str, Any]) -> None:
            stream.write(json.dumps(message).encode() + b"\n")
            stream.flush()

        try:
            from core_caps.contract.codec import load

            guest = KINDS[kind](load(name))
            reply({"answer": "ready"})
            for raw in stream:
                question = json.loads(raw)
                reply({"answer": getattr(guest, question.pop("ask"))(**question)})
        except BaseException as error:
            reply({"broken": "".join(traceback.format_exception(error))[-_TEXT_MAX:]})
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
