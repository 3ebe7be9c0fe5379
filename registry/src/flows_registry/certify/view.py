"""What of its manifest a check sees. It is given nothing else, so that what it cannot see need not
be the same for its result to be carried."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from core_caps.claims.manifest import Backend, Data, Manifest, Provided

from flows_registry.subject import Subject

__all__ = ["seen_by"]

_READERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "guarantees": frozenset({"contract", "injection"}),
        "limits": frozenset({"contract", "injection"}),
        "costs": frozenset({"budget"}),
        "scopes": frozenset({"policy"}),
        "data": frozenset({"policy"}),
    }
)
"""What is for some checks only. What is said for people, nobody reads but the package check."""


def seen_by(check: str, backend: str, subject: Subject) -> Subject:
    """The subject as a check of one backend sees it, or, for "", one that compares them all."""
    manifest = subject.manifest
    read = {part for part, readers in _READERS.items() if check in readers}
    seen = {name: _provided(each, read) for name, each in manifest.capabilities.items()}
    return replace(
        subject,
        manifest=_manifest(manifest, backend, seen, read),
        capabilities={
            contract: replace(each, declared=seen[each.declared.name])
            for contract, each in subject.capabilities.items()
        },
    )


def _manifest(
    manifest: Manifest, backend: str, capabilities: Mapping[str, Provided], read: set[str]
) -> Manifest:
    return replace(
        manifest,
        summary="",
        homepage="",
        capabilities=capabilities,
        backends={
            name: _backend(each, read)
            for name, each in manifest.backends.items()
            if backend in ("", name)
        },
        limits=manifest.limits if "limits" in read else {},
        data=manifest.data if "data" in read else Data((), ()),
        costs=manifest.costs if "costs" in read else {},
    )


def _provided(provided: Provided, read: set[str]) -> Provided:
    return replace(
        provided,
        guarantees=provided.guarantees if "guarantees" in read else {},
        limits=provided.limits if "limits" in read else {},
        costs=provided.costs if "costs" in read else {},
    )


def _backend(backend: Backend, read: set[str]) -> Backend:
    return replace(
        backend,
        scopes=backend.scopes if "scopes" in read else (),
        config={name: replace(each, summary="") for name, each in backend.config.items()},
    )
