"""The hook through which `core_caps.connect` opens this plugin."""

from core_caps import Opening, hookimpl


@hookimpl
def flows_open(opening: Opening) -> object:
    provider = opening.load()
    return provider(opening.settings(provider.Config), clock=opening.clock, rng=opening.rng)
