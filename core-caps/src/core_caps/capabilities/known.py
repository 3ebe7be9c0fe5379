"""The capabilities that come with this package: named here, imported when asked for."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from core_caps.claims.operation import CapabilitySpec, spec_of

__all__ = ["KNOWN", "Known", "load", "spec_for"]


class Known(NamedTuple):
    """Where a capability lives, as lazy names `package.module:attribute`."""

    protocol: str
    suite: str


KNOWN: Mapping[str, Known] = MappingProxyType(
    {
        "kv/1": Known(
            "core_caps.capabilities.key_value:KeyValue", "core_caps.contract.kv:CONTRACT"
        ),
        "blob/1": Known(
            "core_caps.capabilities.blob_store:BlobStore", "core_caps.contract.blob:CONTRACT"
        ),
        "queue/1": Known("core_caps.capabilities.queue:Queue", "core_caps.contract.queue:CONTRACT"),
        "payments/1": Known(
            "core_caps.capabilities.payments:Payments", "core_caps.contract.payments:CONTRACT"
        ),
        "dedupe/1": Known(
            "core_caps.capabilities.dedupe:Dedupe", "core_caps.contract.dedupe:CONTRACT"
        ),
        "durable_object/1": Known(
            "core_caps.capabilities.durable_object:DurableObject",
            "core_caps.contract.durable_object:CONTRACT",
        ),
        "sequencer/1": Known(
            "core_caps.capabilities.sequencer:Sequencer", "core_caps.contract.sequencer:CONTRACT"
        ),
        "http/1": Known("core_caps.capabilities.http:Http", "core_caps.contract.http:CONTRACT"),
        "cache/1": Known("core_caps.capabilities.cache:Cache", "core_caps.contract.cache:CONTRACT"),
        "sql/1": Known("core_caps.capabilities.sql:Sql", "core_caps.contract.sql:CONTRACT"),
    }
)
"""Contract → protocol and suite. A capability of a plugin's own names both in its manifest."""


def load(lazy_name: str) -> Any:
    """The object that a lazy name stands for.

    Raises:
        ImportError: its module, or a module that one imports, is missing.
        AttributeError: the module has no such attribute.
    """
    module, _, attribute = lazy_name.partition(":")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def spec_for(contract: str) -> CapabilitySpec | None:
    """The specification of a known contract, `kv/1`, or None."""
    known = KNOWN.get(contract)
    return None if known is None else spec_of(load(known.protocol))
