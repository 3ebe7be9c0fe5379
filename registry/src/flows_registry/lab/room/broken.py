"""The two ways in which nothing can be said: the room failed, or the plugin never started."""

__all__ = ["AgentBroken", "RoomBroken"]


class RoomBroken(Exception):
    """The room itself failed; nothing can be said about the plugin."""


class AgentBroken(Exception):
    """The plugin could not even be imported in its own environment."""
