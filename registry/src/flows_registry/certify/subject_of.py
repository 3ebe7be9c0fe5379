"""A Subject from what was built: the manifest, the contracts it names, how to call it."""

from collections.abc import Iterator
from typing import Any

from core_caps.capabilities.known import KNOWN
from core_caps.claims.manifest import Provided, claims_of
from core_caps.claims.operation import CapabilitySpec, Operation
from core_caps.contract.codec import decode, load
from core_caps.contract.suite import Contract, Exercise

from flows_registry.checks.package import Built
from flows_registry.lab.lab import Lab
from flows_registry.subject import Capability, Subject

__all__ = ["described", "subject_of"]


def subject_of(built: Built) -> Subject:
    """The subject with every capability whose contract is known here.

    A capability of the plugin's own is added by `described`, which asks its environment.
    """
    capabilities = {
        provided.contract: _known(built, provided)
        for provided in built.manifest.capabilities.values()
        if provided.contract in KNOWN
    }
    return Subject(
        built.manifest.name,
        f"{built.wheel.name} {built.wheel.version}",
        built.manifest,
        capabilities,
    )


def described(subject: Subject, lab: Lab) -> Subject:
    """The subject with the capabilities of its own too, as its own environment describes them.

    Raises:
        AgentBroken: a suite cannot be imported there.
    """
    capabilities = dict(subject.capabilities)
    for provided in subject.manifest.capabilities.values():
        if provided.contract in capabilities or not (provided.suite and provided.protocol):
            continue
        backend = next(
            name
            for name, backend in subject.manifest.backends.items()
            if provided.name in backend.providers
        )
        answer = lab.describe(backend, provided.suite)
        capabilities[provided.contract] = _foreign(subject, provided, answer)
    return Subject(subject.name, subject.distribution, subject.manifest, capabilities)


def _known(built: Built, provided: Provided) -> Capability:
    known = KNOWN[provided.contract]
    contract: Contract = load(known.suite)
    claims = claims_of(built.manifest, contract.spec)
    return Capability(
        provided.contract,
        known.protocol,
        known.suite,
        provided,
        claims,
        tuple(_usable(contract.exercises, frozenset(claims))),
    )


def _foreign(subject: Subject, provided: Provided, answer: dict[str, Any]) -> Capability:
    version = int(provided.contract.partition("/")[2] or 1)
    operations: dict[str, Operation] = {}
    for item in decode(answer["operations"]):
        operations[item.name] = item
    claims = claims_of(subject.manifest, CapabilitySpec(provided.name, version, operations))
    assert provided.protocol is not None
    assert provided.suite is not None
    return Capability(
        provided.contract,
        provided.protocol,
        provided.suite,
        provided,
        claims,
        tuple(_usable(decode(answer["exercises"]), frozenset(claims))),
    )


def _usable(exercises: Any, provided: frozenset[str]) -> Iterator[Exercise]:
    """The exercises that need only what the plugin provides."""
    for exercise in exercises:
        needed = {call.operation for call in (exercise.call, *exercise.setup, *exercise.probe)}
        if needed <= provided:
            yield exercise
