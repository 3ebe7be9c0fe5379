"""What code can do to the world, derived from its source: nothing is imported or executed."""

from flows_registry.checks.effects.static.derivation import derive, derive_capability_calls
from flows_registry.checks.effects.static.report import (
    CLOSING,
    OPENING,
    Ambient,
    Derived,
    Location,
    Sink,
    Span,
    Top,
)

__all__ = [
    "CLOSING",
    "OPENING",
    "Ambient",
    "Derived",
    "Location",
    "Sink",
    "Span",
    "Top",
    "derive",
    "derive_capability_calls",
]
