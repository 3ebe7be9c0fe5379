"""How nothing can be said: the room failed, the plugin never started, or its reference failed."""

__all__ = ["AgentBroken", "AgentDisturbed", "ReferenceBroken", "RoomBroken", "Unruly", "WallsOpen"]


class RoomBroken(Exception):
    """The room itself failed; nothing can be said about the plugin."""


class ReferenceBroken(RoomBroken):
    """The reference of the wire, ours or the plugin's, failed: the network cannot be played."""


class AgentBroken(Exception):
    """The plugin could not even be imported in its own environment."""


class Unruly(AgentBroken):
    """The plugin does not let its cases be run: it ends, stops or speaks for what runs them, or
    takes more of the machine than there is for it."""


class AgentDisturbed(RoomBroken):
    """What runs the plugin's cases was ended, stopped, or spoken for by somebody else. Once that
    may be the machine's doing; in a fresh room again it is the plugin's."""


class WallsOpen(RoomBroken):
    """The walls around what runs the plugin's code do not hold."""
