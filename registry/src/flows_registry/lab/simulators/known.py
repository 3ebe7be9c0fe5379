"""Which simulator answers for which wire: a table of values."""

from collections.abc import Mapping
from types import MappingProxyType

from flows_registry.lab.simulators.adapter import BindingAdapter
from flows_registry.lab.simulators.d1_binding import D1_BINDING
from flows_registry.lab.simulators.kv_binding import KV_BINDING
from flows_registry.lab.simulators.queue_binding import QUEUE_BINDING
from flows_registry.lab.simulators.r2_binding import R2_BINDING

__all__ = ["BINDINGS", "S3_WIRE"]

S3_WIRE = "s3"
"""The wire whose endpoint the simulator itself serves: a remote backend talks to it directly."""

BINDINGS: Mapping[tuple[str, str], BindingAdapter] = MappingProxyType(
    {
        ("cloudflare-d1", "sql/1"): D1_BINDING,
        ("cloudflare-kv", "kv/1"): KV_BINDING,
        ("cloudflare-queue", "queue/1"): QUEUE_BINDING,
        (S3_WIRE, "blob/1"): R2_BINDING,
    }
)
"""By (wire, contract): the binding that says what a faithful provider answers."""
