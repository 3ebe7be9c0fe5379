"""Which reference answers which wire: names only, so that looking costs no import."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows_registry.lab.references.exchange import ReferenceFactory

__all__ = ["REFERENCES", "reference_factory"]

REFERENCES: Mapping[str, str] = MappingProxyType(
    {
        "cloudflare-d1": "flows_registry.lab.references.cloudflare_d1:FACTORY",
        "cloudflare-do-bridge": "flows_registry.lab.references.cloudflare_do:FACTORY",
        "cloudflare-kv": "flows_registry.lab.references.cloudflare_kv:FACTORY",
        "cloudflare-queue": "flows_registry.lab.references.cloudflare_queue:FACTORY",
        "http": "flows_registry.lab.references.http:FACTORY",
        "neon-http": "flows_registry.lab.references.neon_http:FACTORY",
        "postgresql": "flows_registry.lab.references.postgresql:FACTORY",
        "s3": "flows_registry.lab.references.s3:FACTORY",
        "stripe": "flows_registry.lab.references.stripe:FACTORY",
    }
)
"""Wire name → `module:attribute` of its `ReferenceFactory`."""


def reference_factory(wire: str) -> "ReferenceFactory | None":
    """The factory of that wire, imported now, or None where nobody has written one."""
    named = REFERENCES.get(wire)
    if named is None:
        return None
    module, _, attribute = named.partition(":")
    factory: ReferenceFactory = getattr(import_module(module), attribute)
    return factory
