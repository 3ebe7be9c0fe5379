"""The reference of wire "cloudflare-kv"."""

from flows_registry.lab.references.cloudflare_kv.server import FACTORY, CloudflareKv

__all__ = ["FACTORY", "CloudflareKv"]
