"""Sound plugins: the bases, and what a hasty check would refuse though nothing is wrong with it."""

from flows_registry.corpus.twin import Sound

__all__ = ["SOUND"]

SOUND: tuple[Sound, ...] = (
    Sound("a client on urllib in threads", "urllib"),
    Sound("a client on aiohttp", "aiohttp"),
    Sound("a client on bare sockets", "sockets"),
    Sound("a pure plugin with no network", "pure"),
)
"""Every one of them must pass every check."""
