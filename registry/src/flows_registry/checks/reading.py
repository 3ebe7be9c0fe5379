"""Which requests only read: by their method, or because the manifest declares that route so."""

from collections.abc import Iterable

from core_caps.claims.manifest import SafePost

from flows_registry.lab.case import Exchange

__all__ = ["is_read"]

_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_read(exchange: Exchange, safe_posts: Iterable[SafePost]) -> bool:
    """Whether a request only reads, for all that its method and the manifest say."""
    path = exchange.target.partition("?")[0].rstrip("/")
    return exchange.method in _READING_METHODS or any(
        exchange.method == safe.method
        and path.endswith(safe.path.rstrip("/"))
        and (not safe.header or safe.header in exchange.headers)
        for safe in safe_posts
    )
