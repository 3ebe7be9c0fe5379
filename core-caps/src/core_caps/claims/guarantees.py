"""Guarantees a provider promises, and requirements a flow has.

Every guarantee has the value `unknown`, and unknown never satisfies a requirement: a provider
that does not say is not assumed to be strong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core_caps.errors import ManifestInvalid

__all__ = [
    "GUARANTEES",
    "UNKNOWN",
    "AnyOf",
    "AtLeast",
    "Requirement",
    "parse",
    "satisfies",
    "unmet",
]

UNKNOWN = "unknown"
"""The provider does not say."""

GUARANTEES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Weakest first: `at_least` compares by position.
        "consistency": ("eventual", "per_key", "read_your_writes", "linearizable"),
        "ttl": ("none", "best_effort", "exact"),
        "ordering": ("none", "per_key", "total"),
        "delivery": ("at_most_once", "at_least_once", "exactly_once"),
        "durability": ("memory", "process", "disk", "replicated"),
    }
)
"""The guarantees and their values, weakest first; each may also be `unknown`."""


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Needs this value or a stronger one."""

    value: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Needs one of these values exactly."""

    values: frozenset[str]


Requirement = AtLeast | AnyOf


def parse(declared: Mapping[str, str]) -> Mapping[str, str]:
    """A provider's guarantees, complete: what it does not mention is `unknown`.

    Raises:
        ManifestInvalid: an unknown guarantee or value; every problem is listed (CAP106).
    """
    findings = [
        f"guarantee {name!r} is unknown; there are {', '.join(GUARANTEES)}"
        if name not in GUARANTEES
        else f"{name} = {value!r} is unknown; use {', '.join((*GUARANTEES[name], UNKNOWN))}"
        for name, value in declared.items()
        if name not in GUARANTEES or value not in (*GUARANTEES[name], UNKNOWN)
    ]
    if findings:
        raise ManifestInvalid("the guarantees cannot be read", findings=findings)
    return MappingProxyType({name: declared.get(name, UNKNOWN) for name in GUARANTEES})


def satisfies(promised: str, needed: Requirement, *, guarantee: str) -> bool:
    """Whether a promised value meets a requirement; `unknown` never does.

    Raises:
        KeyError: no such guarantee.
        ValueError: the promise or the requirement names a value the guarantee does not have; to
            require `unknown` is such a mistake too.
    """
    order = GUARANTEES[guarantee]
    wanted = needed.values if isinstance(needed, AnyOf) else {needed.value}
    strangers = sorted(({*wanted, promised} - {*order}) - ({UNKNOWN} - wanted))
    if strangers:
        raise ValueError(f"{guarantee} has no value {strangers[0]!r}; use {', '.join(order)}")
    if promised == UNKNOWN:
        return False
    if isinstance(needed, AnyOf):
        return promised in needed.values
    return order.index(promised) >= order.index(needed.value)


def unmet(
    promised: Mapping[str, str], needed: Mapping[str, Requirement]
) -> Mapping[str, Requirement]:
    """The requirements that the promised guarantees do not meet."""
    return {
        name: requirement
        for name, requirement in needed.items()
        if not satisfies(promised.get(name, UNKNOWN), requirement, guarantee=name)
    }
