"""The reference of wire "cloudflare-do-bridge"."""

from flows_registry.lab.references.cloudflare_do.server import FACTORY, CloudflareDoBridge

__all__ = ["FACTORY", "CloudflareDoBridge"]
