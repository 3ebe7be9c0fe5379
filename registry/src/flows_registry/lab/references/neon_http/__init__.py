"""The reference of wire "neon-http"."""

from flows_registry.lab.references.neon_http.server import FACTORY, NeonHttp

__all__ = ["FACTORY", "NeonHttp"]
