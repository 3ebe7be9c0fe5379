"""The broken twins: a base, one small edit, and the check that must refuse it with which code."""

from flows_registry.corpus.twin import Twin
from flows_registry.corpus.twins import (
    budget,
    clients,
    contract,
    determinism,
    effects,
    injection,
    package,
    policy,
)

__all__ = ["TWINS"]

TWINS: tuple[Twin, ...] = (
    *package.TWINS,
    *effects.TWINS,
    *determinism.TWINS,
    *contract.TWINS,
    *injection.TWINS,
    *clients.TWINS,
    *policy.TWINS,
    *budget.TWINS,
)
"""Every twin, by the check that must refuse it."""
