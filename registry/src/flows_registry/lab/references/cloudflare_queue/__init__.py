"""The reference of wire "cloudflare-queue"."""

from flows_registry.lab.references.cloudflare_queue.server import FACTORY, CloudflareQueue

__all__ = ["FACTORY", "CloudflareQueue"]
