"""How nothing can be said: the room failed, the plugin never started, or its reference failed."""

__all__ = ["AgentBroken", "ReferenceBroken", "RoomBroken", "WallsOpen"]


class RoomBroken(Exception):
    """The room itself failed; nothing can be said about the plugin."""


class ReferenceBroken(RoomBroken):
    """The reference of the wire, ours or the plugin's, failed: the network cannot be played."""


class AgentBroken(Exception):
    """The plugin could not even be imported in its own environment."""


class WallsOpen(RoomBroken):
    """The walls around what runs the plugin's code do not hold."""
