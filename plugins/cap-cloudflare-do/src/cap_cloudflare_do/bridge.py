"""A client of the bridge Worker: what its objects and its ledger have in common."""

from collections.abc import Callable, Mapping
from typing import Self, TypeVar

from core_caps.capabilities.durable_object import ObjectRef
from core_caps.clock import Clock
from core_caps.errors import ClientClosed
from core_caps.http.exchange import Call, Exchange, Service
from core_caps.http.json_bodies import written_json
from core_caps.rng import Rng

from cap_cloudflare_do import errors
from cap_cloudflare_do.config import RemoteConfig

__all__ = ["SMALL_ANSWER_BYTES_MAX", "BridgeClient", "read", "write"]

SMALL_ANSWER_BYTES_MAX = 64 * 1024
"""Of an answer that brings no stored bytes."""

_Result = TypeVar("_Result")


class BridgeClient:
    """A client: open or closed. Nothing is ever repeated; every error states its outcome."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._exchange: Exchange | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._config.url})"

    async def __aenter__(self) -> Self:
        self._exchange = Exchange(_service(self._config), self._clock)
        return self

    async def __aexit__(self, *exc: object) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.close()

    def _opened(self) -> Exchange:
        if self._exchange is None:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        return self._exchange

    def _named(self, ref: ObjectRef) -> Mapping[str, str]:
        """The object as a request names it."""
        if ref.id:
            return {"id": ref.id}
        namespace = self._config.namespace
        return {"name": f"{namespace}/{ref.name}" if namespace else ref.name}


def read(
    operation: str,
    path: str,
    content: Mapping[str, object],
    result: Callable[[bytes, str], _Result],
    size_bytes_max: int = SMALL_ANSWER_BYTES_MAX,
) -> Call[_Result]:
    """A request that changes nothing."""
    body = written_json(content)
    return Call(operation, "POST", path, False, result, size_bytes_max, body=body)


def write(
    operation: str,
    path: str,
    content: Mapping[str, object],
    result: Callable[[bytes, str], _Result],
    size_bytes_max: int = SMALL_ANSWER_BYTES_MAX,
) -> Call[_Result]:
    """A request that may change something."""
    body = written_json(content)
    return Call(operation, "POST", path, True, result, size_bytes_max, body=body)


def _service(config: RemoteConfig) -> Service:
    return Service(
        distribution="cap-cloudflare-do",
        url=config.url,
        failures=errors.FAILURES,
        headers={"Authorization": f"Bearer {config.bridge_token.reveal()}"},
        secrets=(config.bridge_token,),
        timeout_seconds=config.timeout_seconds,
        connect_timeout_seconds=config.connect_timeout_seconds,
        transport=config.transport,
    )
