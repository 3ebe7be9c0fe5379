"""The hook through which `connect` opens this plugin."""

from core_caps import Opening, hookimpl

__all__ = ["flows_open"]


@hookimpl
def flows_open(opening: Opening) -> object:
    """The provider that the manifest names, made from its settings."""
    provider = opening.load()
    return provider(opening.settings(provider.Config), clock=opening.clock, rng=opening.rng)
