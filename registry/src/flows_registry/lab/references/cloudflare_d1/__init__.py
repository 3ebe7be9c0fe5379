"""The reference of wire "cloudflare-d1"."""

from flows_registry.lab.references.cloudflare_d1.server import FACTORY, CloudflareD1

__all__ = ["FACTORY", "CloudflareD1"]
