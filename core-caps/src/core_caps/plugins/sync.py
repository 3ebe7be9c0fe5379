"""The synchronous facade: the same capabilities for code that has no event loop, or cannot await.

    with core_caps.sync.connect(KeyValue, "cloudflare-kv", backend="mock") as kv:
        kv.put("greeting", b"hello")

It works in threads, inside a running event loop (which it blocks) and after a fork; streams are
iterators, and where a stream is an argument an iterator is accepted. Ctrl-C cancels the call, and
with `retry=Policy()` the wait for the next attempt, too.
"""

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypedDict, TypeVar, Unpack, overload

from core_caps.calls.access import Calls, view_of
from core_caps.calls.observe import Observer
from core_caps.calls.retrying import Policy
from core_caps.capabilities.blob_store import BlobReader, BlobStore, BlobWriter
from core_caps.capabilities.cache import Cache
from core_caps.capabilities.dedupe import Dedupe
from core_caps.capabilities.durable_object import (
    DurableObject,
    DurableObjectReader,
    DurableObjectWriter,
)
from core_caps.capabilities.http import Http, HttpReader, HttpWriter
from core_caps.capabilities.key_value import KeyValue, KeyValueReader, KeyValueWriter
from core_caps.capabilities.payments import Payments, PaymentsReader, PaymentsWriter, Webhooks
from core_caps.capabilities.queue import Queue, QueueReceiver, QueueSender
from core_caps.capabilities.sequencer import Sequencer
from core_caps.capabilities.sql import Sql, SqlReader, SqlWriter
from core_caps.capabilities.sync_blob_store import SyncBlobReader, SyncBlobStore, SyncBlobWriter
from core_caps.capabilities.sync_cache import SyncCache
from core_caps.capabilities.sync_dedupe import SyncDedupe
from core_caps.capabilities.sync_durable_object import (
    SyncDurableObject,
    SyncDurableObjectReader,
    SyncDurableObjectWriter,
)
from core_caps.capabilities.sync_http import SyncHttp, SyncHttpReader, SyncHttpWriter
from core_caps.capabilities.sync_key_value import (
    SyncKeyValue,
    SyncKeyValueReader,
    SyncKeyValueWriter,
)
from core_caps.capabilities.sync_payments import (
    SyncPayments,
    SyncPaymentsReader,
    SyncPaymentsWriter,
    SyncWebhooks,
)
from core_caps.capabilities.sync_queue import SyncQueue, SyncQueueReceiver, SyncQueueSender
from core_caps.capabilities.sync_sequencer import SyncSequencer
from core_caps.capabilities.sync_sql import SyncSql, SyncSqlReader, SyncSqlWriter
from core_caps.claims.operation import operations_of
from core_caps.clock import Clock
from core_caps.plugins.background import Background, background
from core_caps.plugins.connect import Connection
from core_caps.plugins.connect import connect as connect_async
from core_caps.plugins.unopened import misopened, unopened
from core_caps.rng import Rng
from core_caps.secret import Secret

if TYPE_CHECKING:
    from core_caps.capabilities.secrets import Secrets

__all__ = ["Options", "SyncConnection", "connect"]

_Sync = TypeVar("_Sync")


class SyncConnection(Generic[_Sync]):
    """One connection: `with` opens it and yields the synchronous view."""

    def __init__(self, capability: type[Any], connection: Connection[Any]) -> None:
        self._capability = capability
        self._connection = connection
        self._background: Background | None = None

    def __enter__(self) -> _Sync:
        self._background = background()
        view: object = self._background.call(self._connection.__aenter__)
        self._background.opened(self, self._close)
        calls: Calls = {
            name: _blocking(self._background, getattr(view, name), operation.streams)
            for name, operation in operations_of(type(view)).items()
        }
        sync_view: _Sync = view_of(self._capability, calls, blocking=True)
        return sync_view

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._background is not None
        if not self._background.usable:
            return  # exit has closed it already, or it is the parent process's to close
        self._background.closed(self)
        self._background.call(self._connection.__aexit__, kind, error, traceback)

    async def _close(self) -> None:
        await self._connection.__aexit__(None, None, None)

    if not TYPE_CHECKING:  # a type checker refuses all of them before they run

        async def __aenter__(self) -> NoReturn:
            raise misopened(self._connection.plugin, "with", "async with")

        async def __aexit__(self, *exc: object) -> None:
            """Python looks for it before it calls `__aenter__`."""

        def __await__(self) -> NoReturn:
            raise misopened(self._connection.plugin, "with", "await")

        def __getattr__(self, name: str) -> NoReturn:
            if not name.startswith("_") and name in operations_of(self._capability):
                raise unopened(self._connection.plugin, "with", name)
            raise AttributeError(f"a SyncConnection has no {name!r}", name=name, obj=self)


def _blocking(loop: Background, call: Callable[..., Any], streams: bool) -> Callable[..., Any]:
    through = loop.stream if streams else loop.call

    def run(*args: Any, **kwargs: Any) -> Any:
        return through(call, *args, **kwargs)

    return run


class Options(TypedDict, total=False):
    """The further arguments of `connect`; `core_caps.connect` says what each is."""

    backend: str | None
    config: Mapping[str, object] | None
    secrets: "Mapping[str, str | Secret] | Secrets | None"
    clock: Clock | None
    rng: Rng | None
    observe: Observer | None
    access: Iterable[str] | None
    retry: Policy | None


# A protocol class is not a `type[Protocol]` to a type checker, which asks for concrete classes, but
# it is callable and returns itself. The whole overlaps its halves: the first that fits is taken.
@overload
def connect(  # pyright: ignore[reportOverlappingOverload]
    capability: Callable[..., KeyValue], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncKeyValue]: ...
@overload
def connect(
    capability: Callable[..., KeyValueReader], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncKeyValueReader]: ...
@overload
def connect(
    capability: Callable[..., KeyValueWriter], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncKeyValueWriter]: ...
@overload
def connect(  # pyright: ignore[reportOverlappingOverload]
    capability: Callable[..., BlobStore], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncBlobStore]: ...
@overload
def connect(
    capability: Callable[..., BlobReader], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncBlobReader]: ...
@overload
def connect(
    capability: Callable[..., BlobWriter], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncBlobWriter]: ...
@overload
def connect(  # pyright: ignore[reportOverlappingOverload]
    capability: Callable[..., Sql], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncSql]: ...
@overload
def connect(
    capability: Callable[..., SqlReader], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncSqlReader]: ...
@overload
def connect(
    capability: Callable[..., SqlWriter], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncSqlWriter]: ...
@overload
def connect(  # pyright: ignore[reportOverlappingOverload]
    capability: Callable[..., Queue], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncQueue]: ...
@overload
def connect(
    capability: Callable[..., QueueSender], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncQueueSender]: ...
@overload
def connect(
    capability: Callable[..., QueueReceiver], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncQueueReceiver]: ...
@overload
def connect(
    capability: Callable[..., Dedupe], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncDedupe]: ...
@overload
def connect(  # pyright: ignore[reportOverlappingOverload]
    capability: Callable[..., DurableObject], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncDurableObject]: ...
@overload
def connect(
    capability: Callable[..., DurableObjectReader],
    name: str | None = None,
    **options: Unpack[Options],
) -> SyncConnection[SyncDurableObjectReader]: ...
@overload
def connect(
    capability: Callable[..., DurableObjectWriter],
    name: str | None = None,
    **options: Unpack[Options],
) -> SyncConnection[SyncDurableObjectWriter]: ...
@overload
def connect(
    capability: Callable[..., Sequencer], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncSequencer]: ...
@overload
def connect(
    capability: Callable[..., Cache], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncCache]: ...
@overload
def connect(  # pyright: ignore[reportOverlappingOverload]
    capability: Callable[..., Payments], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncPayments]: ...
@overload
def connect(
    capability: Callable[..., PaymentsReader], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncPaymentsReader]: ...
@overload
def connect(
    capability: Callable[..., PaymentsWriter], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncPaymentsWriter]: ...
@overload
def connect(
    capability: Callable[..., Webhooks], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncWebhooks]: ...
@overload
def connect(  # pyright: ignore[reportOverlappingOverload]
    capability: Callable[..., Http], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncHttp]: ...
@overload
def connect(
    capability: Callable[..., HttpReader], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncHttpReader]: ...
@overload
def connect(
    capability: Callable[..., HttpWriter], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[SyncHttpWriter]: ...
@overload
def connect(
    capability: type[object], name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[Any]: ...
def connect(
    capability: Any, name: str | None = None, **options: Unpack[Options]
) -> SyncConnection[Any]:
    """As `core_caps.connect`, opened with `with` instead of `async with`.

    A capability of a third party's own yields `Any`: annotate it with a protocol of its
    synchronous shape.
    """
    return SyncConnection(capability, connect_async(capability, name, **options))
