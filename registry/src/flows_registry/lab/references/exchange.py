"""How a reference of ours is made; what one is, `core_caps.contract.reference` says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core_caps.contract.reference import Reference, Request, Response, Scoped

__all__ = ["Reference", "ReferenceFactory", "Request", "Response", "Scoped"]


@dataclass(frozen=True, slots=True)
class ReferenceFactory:
    """How to make one reference.

    Attributes:
        wire: the name that manifests use.
        create: `(settings, secrets, now) → Reference`; `settings` are the backend's example
            settings and defaults, `secrets` the canary credentials the plugin was given, both by
            the names of its manifest; `now()` is seconds since 1970.
        failure: the vendor's documented error answer for a status: `(status) → Response`, used
            where a fault answers with a status of its own.
        service: what it stands on and the lab has to start first, or "": `create` finds its
            address among the settings, under this name.
    """

    wire: str
    create: Callable[[Mapping[str, Any], Mapping[str, str], Callable[[], float]], Reference]
    failure: Callable[[int], Response]
    service: str = ""
