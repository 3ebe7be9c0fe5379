"""What a listing says of a plugin, worked out from its manifest and our own protocols."""

import os
from collections.abc import Callable

from core_caps.errors import CapsError

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from typing import Any

    from core_caps.claims.manifest import Manifest, Provided

__all__ = ["described", "sources"]


def sources(manifest_path: str | None) -> list[str]:
    """The files that an outline depends on: the manifest, and the protocols that we bring."""
    ours = os.path.join(os.path.dirname(os.path.dirname(__file__)), "capabilities")
    files = [os.path.join(ours, name) for name in sorted(os.listdir(ours)) if name.endswith(".py")]
    return files if manifest_path is None else [manifest_path, *files]


def described(manifest_of: Callable[[], "Manifest"]) -> "list[Any]":
    """The fields of an Outline as plain data."""
    try:
        manifest = manifest_of()
        provided = manifest.capabilities.values()
        capabilities = {one.contract: _hints(manifest, one) for one in provided}
    except CapsError as error:
        return ["", {}, {}, {}, str(error)]
    backends = {
        name: [one.contract for one in provided if one.name in backend.providers]
        for name, backend in manifest.backends.items()
    }
    extras = {name: one.extra for name, one in manifest.backends.items() if one.extra}
    return [manifest.summary, capabilities, backends, extras, ""]


def _hints(manifest: "Manifest", provided: "Provided") -> dict[str, list[str]]:
    from core_caps.capabilities.known import spec_for
    from core_caps.claims.manifest import claims_of

    spec = spec_for(provided.contract)
    if spec is None:
        deviations = provided.deviations
        return {
            name: list((deviations[name].hints or ()) if name in deviations else ())
            for name in provided.operations
        }
    return {name: list(claim.hints) for name, claim in claims_of(manifest, spec).items()}
