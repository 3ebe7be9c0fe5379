"""Sequencer for synchronous callers: the shape of what `core_caps.sync.connect` yields.

What it promises stands in `core_caps.capabilities.sequencer`; a test keeps the two equal.
"""

from typing import Protocol

from core_caps.capabilities.sequencer import Appended

__all__ = ["SyncSequencer"]


class SyncSequencer(Protocol):
    """One order over everything that is appended. Twice is once."""

    def append(self, key: str, payload: bytes) -> Appended:
        """Give the key the next number, or tell the one that it has."""
        ...
