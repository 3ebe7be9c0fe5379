"""What a capability is, and how a flow comes by one. Each name is imported when first used."""

TYPE_CHECKING = False  # typing itself costs a third of the start-up; checkers know the name

if TYPE_CHECKING:
    from core_caps.calls.access import limited as limited
    from core_caps.calls.observe import CallRecord as CallRecord
    from core_caps.calls.retrying import Policy as Policy
    from core_caps.calls.retrying import retrying as retrying
    from core_caps.capabilities.blob_store import BlobReader as BlobReader
    from core_caps.capabilities.blob_store import BlobStore as BlobStore
    from core_caps.capabilities.blob_store import BlobWriter as BlobWriter
    from core_caps.capabilities.cache import Cache as Cache
    from core_caps.capabilities.dedupe import Dedupe as Dedupe
    from core_caps.capabilities.durable_object import DurableObject as DurableObject
    from core_caps.capabilities.durable_object import DurableObjectReader as DurableObjectReader
    from core_caps.capabilities.durable_object import DurableObjectWriter as DurableObjectWriter
    from core_caps.capabilities.http import Http as Http
    from core_caps.capabilities.http import HttpReader as HttpReader
    from core_caps.capabilities.http import HttpWriter as HttpWriter
    from core_caps.capabilities.key_value import KeyValue as KeyValue
    from core_caps.capabilities.key_value import KeyValueReader as KeyValueReader
    from core_caps.capabilities.key_value import KeyValueWriter as KeyValueWriter
    from core_caps.capabilities.payments import Payments as Payments
    from core_caps.capabilities.payments import PaymentsReader as PaymentsReader
    from core_caps.capabilities.payments import PaymentsWriter as PaymentsWriter
    from core_caps.capabilities.payments import Webhooks as Webhooks
    from core_caps.capabilities.queue import Queue as Queue
    from core_caps.capabilities.queue import QueueReceiver as QueueReceiver
    from core_caps.capabilities.queue import QueueSender as QueueSender
    from core_caps.capabilities.secrets import EnvironmentSecrets as EnvironmentSecrets
    from core_caps.capabilities.secrets import FileSecrets as FileSecrets
    from core_caps.capabilities.secrets import FolderSecrets as FolderSecrets
    from core_caps.capabilities.secrets import MemorySecrets as MemorySecrets
    from core_caps.capabilities.secrets import Secrets as Secrets
    from core_caps.capabilities.sequencer import Sequencer as Sequencer
    from core_caps.capabilities.sql import Sql as Sql
    from core_caps.capabilities.sql import SqlReader as SqlReader
    from core_caps.capabilities.sql import SqlWriter as SqlWriter
    from core_caps.clock import Clock as Clock
    from core_caps.clock import SystemClock as SystemClock
    from core_caps.clock import VirtualClock as VirtualClock
    from core_caps.errors import CapsError as CapsError
    from core_caps.errors import Outcome as Outcome
    from core_caps.errors import ProviderError as ProviderError
    from core_caps.keys.idempotency import idempotency_key as idempotency_key
    from core_caps.plugins import sync as sync
    from core_caps.plugins.connect import connect as connect
    from core_caps.plugins.hookspecs import hookimpl as hookimpl
    from core_caps.plugins.opening import Opening as Opening
    from core_caps.rng import Rng as Rng
    from core_caps.rng import SeededRng as SeededRng
    from core_caps.rng import SystemRng as SystemRng
    from core_caps.secret import Secret as Secret

_HOMES = {
    "limited": "calls.access",
    "CallRecord": "calls.observe",
    "Policy": "calls.retrying",
    "retrying": "calls.retrying",
    "BlobReader": "capabilities.blob_store",
    "BlobStore": "capabilities.blob_store",
    "BlobWriter": "capabilities.blob_store",
    "Cache": "capabilities.cache",
    "Dedupe": "capabilities.dedupe",
    "DurableObject": "capabilities.durable_object",
    "DurableObjectReader": "capabilities.durable_object",
    "DurableObjectWriter": "capabilities.durable_object",
    "Http": "capabilities.http",
    "HttpReader": "capabilities.http",
    "HttpWriter": "capabilities.http",
    "KeyValue": "capabilities.key_value",
    "KeyValueReader": "capabilities.key_value",
    "KeyValueWriter": "capabilities.key_value",
    "Payments": "capabilities.payments",
    "PaymentsReader": "capabilities.payments",
    "PaymentsWriter": "capabilities.payments",
    "Webhooks": "capabilities.payments",
    "Queue": "capabilities.queue",
    "QueueReceiver": "capabilities.queue",
    "QueueSender": "capabilities.queue",
    "EnvironmentSecrets": "capabilities.secrets",
    "FileSecrets": "capabilities.secrets",
    "FolderSecrets": "capabilities.secrets",
    "MemorySecrets": "capabilities.secrets",
    "Secrets": "capabilities.secrets",
    "Sequencer": "capabilities.sequencer",
    "Sql": "capabilities.sql",
    "SqlReader": "capabilities.sql",
    "SqlWriter": "capabilities.sql",
    "Clock": "clock",
    "SystemClock": "clock",
    "VirtualClock": "clock",
    "CapsError": "errors",
    "Outcome": "errors",
    "ProviderError": "errors",
    "idempotency_key": "keys.idempotency",
    "sync": "plugins",
    "connect": "plugins.connect",
    "hookimpl": "plugins.hookspecs",
    "Opening": "plugins.opening",
    "Rng": "rng",
    "SeededRng": "rng",
    "SystemRng": "rng",
    "Secret": "secret",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f"{__name__}.{home}")
    # `sync` is a module itself; the others are names in one.
    value = import_module(f"{module.__name__}.sync") if name == "sync" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
