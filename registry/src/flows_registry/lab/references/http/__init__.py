"""The reference of wire "http"."""

from flows_registry.lab.references.http.server import FACTORY, HttpSite

__all__ = ["FACTORY", "HttpSite"]
