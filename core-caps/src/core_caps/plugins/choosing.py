"""Choosing: from a capability, and perhaps names, to one plugin and one of its backends."""

from collections.abc import Mapping
from typing import NamedTuple

from core_caps.calls.access import whole_of
from core_caps.claims.manifest import Manifest, OperationClaim, Provided, claims_of
from core_caps.claims.operation import CapabilitySpec, operations_of, part_of, required_of, spec_of
from core_caps.errors import BindingMissing, PluginNotFound
from core_caps.plugins.discovery import Found, find, instead, manifest_of, providers_of

__all__ = ["Choice", "choose"]


class Choice(NamedTuple):
    """What will be opened.

    Attributes:
        found: the plugin.
        manifest: what it declares.
        provided: the capability asked for, as it declares it.
        claims: what each operation of that claims.
        backend: the backend's name.
    """

    found: Found
    manifest: Manifest
    provided: Provided
    claims: Mapping[str, OperationClaim]
    backend: str


def choose(capability: type, name: str | None, backend: str | None) -> Choice:
    """The plugin and the backend that serve a protocol; `core_caps.connect` lists the errors."""
    for what, given in (("plugin", name), ("backend", backend)):
        if not isinstance(given, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a {what} is called by its name, not by {given!r}")
    spec = _spec(capability)
    found = find(name) if name is not None else _only(capability, spec)
    manifest = manifest_of(found)
    provided = _provided(manifest, spec, found)
    claims = claims_of(manifest, spec)
    _refuse_lacking(capability, claims, found)
    return Choice(found, manifest, provided, claims, _backend(manifest, provided, backend))


def _spec(capability: type) -> CapabilitySpec:
    if not isinstance(capability, type):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{capability!r} is no capability: give the protocol, KeyValue")
    wholes = whole_of(capability) if operations_of(capability) else ()
    if len(wholes) != 1:
        raise TypeError(
            f"{capability.__qualname__} is no capability and no half of one"
            if not wholes
            else f"{capability.__qualname__} is a half of several capabilities: name one of them"
        )
    return spec_of(wholes[0])


def _only(capability: type, spec: CapabilitySpec) -> Found:
    providing = providers_of(spec.contract, required_of(capability))
    if len(providing) == 1:
        return find(providing[0].name)
    names = sorted({found.name for found in providing})
    if len(names) == 1:
        return find(names[0])  # claimed twice: this raises, naming both
    if not names:
        halves = sorted({found.name for found in providers_of(spec.contract)})
        but = f"; only a half of it is provided, by {', '.join(halves)}" if halves else ""
        raise BindingMissing(
            f"no installed plugin provides {capability.__name__} of {spec.contract}{but}",
            hint="install one (pip install cap-...); `flows-registry list` shows what is there",
        )
    raise BindingMissing(
        f"{spec.contract} is provided by {', '.join(names)}, and none was named",
        hint=f"name one: connect(..., {names[0]!r})",
    )


def _provided(manifest: Manifest, spec: CapabilitySpec, found: Found) -> Provided:
    offers = list(manifest.capabilities.values())
    for provided in offers:
        if provided.contract == spec.contract:
            return provided
    offered = ", ".join(provided.contract for provided in offers) or "nothing"
    others = [other.name for other in providers_of(spec.contract)]
    raise PluginNotFound(
        f"{found.name} does not provide {spec.contract}; it provides {offered}",
        hint=f"{spec.contract} is provided by: {', '.join(others)}" if others else "",
    )


def _refuse_lacking(capability: type, claims: Mapping[str, OperationClaim], found: Found) -> None:
    lacking = sorted(required_of(capability) - claims.keys())
    if lacking:
        part = part_of(whole_of(capability)[0], claims)
        raise PluginNotFound(
            f"{found.name} does not provide {capability.__name__}: it lacks {', '.join(lacking)}",
            hint=f"it provides a {part.__name__}: connect({part.__name__}, {found.name!r})"
            if part
            else "",
        )


def _backend(manifest: Manifest, provided: Provided, name: str | None) -> str:
    serving = [
        backend.name for backend in manifest.backends.values() if provided.name in backend.providers
    ]
    if name is None and len(serving) == 1:
        return serving[0]
    if name is None:
        raise BindingMissing(
            f"{manifest.name} has several backends for {provided.contract}, and none was named",
            hint=f"name one: backend={serving[0]!r}; there are: {', '.join(serving)}"
            if serving
            else "",
        )
    if name not in serving:
        raise PluginNotFound(
            f"{manifest.name} has no backend {name!r} for {provided.contract}",
            hint=instead(name, serving),
        )
    return name
