"""A Subject from what was built: the manifest, the contracts it names, how to call it."""

from collections.abc import Iterator, Sequence

from core_caps.capabilities.known import KNOWN
from core_caps.claims.manifest import Provided, claims_of
from core_caps.contract.codec import load
from core_caps.contract.suite import Contract, Exercise

from flows_registry.checks.package import Built
from flows_registry.lab.hosted.suite import hosted_contract
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


def described(subject: Subject, built: Built, lab: Lab) -> Subject:
    """The subject with the capabilities of its own too, as its own environment describes them.

    Raises:
        HostBroken: a suite cannot be imported there.
    """
    capabilities = dict(subject.capabilities)
    for provided in subject.manifest.capabilities.values():
        if provided.contract in capabilities or not (provided.suite and provided.protocol):
            continue
        spec = built.specifications[provided.contract]
        contract = hosted_contract(lab.host("suite", provided.suite), spec)
        capabilities[provided.contract] = _capability(
            built, provided, provided.protocol, provided.suite, contract
        )
    return Subject(subject.name, subject.distribution, subject.manifest, capabilities)


def _known(built: Built, provided: Provided) -> Capability:
    known = KNOWN[provided.contract]
    return _capability(built, provided, known.protocol, known.suite, load(known.suite))


def _capability(
    built: Built, provided: Provided, protocol: str, suite: str, contract: Contract
) -> Capability:
    claims = claims_of(built.manifest, contract.spec)
    return Capability(
        provided.contract,
        protocol,
        suite,
        provided,
        claims,
        tuple(_usable(contract.exercises, frozenset(claims))),
        contract,
    )


def _usable(exercises: Sequence[Exercise], provided: frozenset[str]) -> Iterator[Exercise]:
    """The exercises that need only what the plugin provides."""
    for exercise in exercises:
        needed = {call.operation for call in (exercise.call, *exercise.setup, *exercise.probe)}
        if needed <= provided:
            yield exercise
