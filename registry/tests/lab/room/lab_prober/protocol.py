"""A capability of one operation: do something by name."""

from typing import Any, Protocol

from core_caps.claims.operation import capability, operation

__all__ = ["Prober"]


@capability("prober", version=1)
class Prober(Protocol):
    @operation("resource::http::write")
    async def act(self, name: str, *args: object) -> Any:
        """Do what `lab_prober.acts` has under that name."""
        ...
