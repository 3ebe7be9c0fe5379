"""What a room is furnished with, and what the processes of its agents draw from outside: data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Furniture", "Profile"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What an agent's process draws from its surroundings, pinned.

    Attributes:
        name: to print.
        hash_seed, timezone, locale, environment, directory: need a process of their own.
        inside: what the agent itself applies (see agent/perturb.py).
        server: what the fault server applies while a case is armed.
        nonce: two profiles that differ only here are two processes of the same kind.
    """

    name: str = "base"
    hash_seed: int = 0
    timezone: str = "UTC0"
    locale: str = "C.UTF-8"
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    directory: str = "work"
    inside: Mapping[str, Any] = field(default_factory=dict[str, Any])
    server: Mapping[str, Any] = field(default_factory=dict[str, Any])
    nonce: int = 0


@dataclass(frozen=True, slots=True)
class Furniture:
    """What stands in every room of one lab.

    Attributes:
        python: the interpreter of the clean environment.
        plugin: the plugin's name, as `connect` takes it.
        protocols: contract id → lazy name of its Protocol class.
        operations: contract id → the operations of it that the plugin provides.
        worlds: contract id → what its promises are told: `suite`, `world`.
        backend: the backend that this room is for.
        wire: the reference that answers, or None for a backend without network.
        reference: the lazy name of the plugin's own reference, where none of ours speaks the wire.
        config, secrets: what the plugin is connected with.
        noted: headers, as `Name: value`, of which the server notes whether a request has them.
        services: the addresses of what the reference stands on, by name.
        folders: the settings that are folders of the backend's own files.
        warm: modules that the agents import before they fork.
        ports: the ports that the server answers on.
        authority: the certificate bundle that clients trust.
        certificates: the server's certificates (see certificates.issue).
        bundles: files of other certificate bundles, shown with the authority's content.
        visible: what agents see within walls besides their environment.
    """

    python: Path
    plugin: str
    protocols: Mapping[str, str]
    operations: Mapping[str, Sequence[str]]
    worlds: Mapping[str, Mapping[str, Any]]
    backend: str
    wire: str | None
    config: Mapping[str, Any]
    secrets: Mapping[str, str]
    warm: Sequence[str]
    ports: Sequence[int]
    authority: Path
    certificates: Mapping[str, Mapping[str, str]]
    bundles: Sequence[Path] = ()
    reference: str | None = None
    noted: Sequence[str] = ()
    services: Mapping[str, str] = field(default_factory=dict[str, str])
    folders: Sequence[str] = ()
    visible: Sequence[Path] = ()
