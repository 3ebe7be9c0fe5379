"""The one hook that a capability plugin implements.

A plugin's module is registered under the entry-point group `flows.capabilities` and holds::

    from core_caps import Opening, hookimpl

    @hookimpl
    def flows_open(opening: Opening) -> object:
        provider = opening.load()
        return provider(opening.settings(provider.Config), clock=opening.clock, rng=opening.rng)
"""

import pluggy

from core_caps.plugins.opening import Opening

__all__ = ["PROJECT", "flows_open", "hookimpl", "hookspec"]

PROJECT = "flows"
"""pluggy's project name: what ties implementations to these specifications."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def flows_open(opening: Opening) -> object:
    """Make the provider for one connection: an async context manager with the operations.

    Nothing is opened yet: the provider reaches out in its `__aenter__`.

    Returns:
        The provider, or None when the plugin does not serve this capability or backend.
    """
