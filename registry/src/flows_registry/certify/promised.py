"""What a subject promises, as facts of its certification, to stand beside what was seen."""

from collections.abc import Mapping
from typing import Any

from core_caps.claims.manifest import OperationClaim

from flows_registry.checks.plan import Plan
from flows_registry.subject import Capability

__all__ = ["promised"]


def promised(plan: Plan) -> Mapping[str, Any]:
    """The manifest's promises, deviations and settings applied, JSON-shaped."""
    manifest = plan.subject.manifest
    return {
        "summary": manifest.summary,
        "homepage": manifest.homepage,
        "capabilities": {
            capability.declared.name: _capability(plan, capability)
            for capability in plan.subject.capabilities.values()
        },
        "backends": {name: _backend(plan, name) for name in manifest.backends},
        "data": {
            "classes": list(manifest.data.classes),
            "residency": list(manifest.data.residency),
        },
    }


def _capability(plan: Plan, capability: Capability) -> Mapping[str, Any]:
    declared = capability.declared
    return {
        "contract": capability.contract,
        "guarantees": dict(declared.guarantees),
        "operations": {name: _operation(claim) for name, claim in capability.claims.items()},
        "limits": {
            name: {"value": limit.value, "source": limit.source}
            for name, limit in plan.subject.manifest.limits_of(declared.name).items()
        },
    }


def _operation(claim: OperationClaim) -> Mapping[str, Any]:
    repeat = claim.repeat.name.lower()
    under = claim.repeated_under
    return {
        "hints": list(claim.hints),
        "effects": str(claim.effects),
        "determinism": str(claim.determinism),
        "repeat": f"{repeat} by {under}" if under else repeat,
    }


def _backend(plan: Plan, name: str) -> Mapping[str, Any]:
    backend = plan.backend(name)
    return {
        "wire": backend.wire,
        "egress": [f"{host}:{port}" for host, port in sorted(plan.egress(name))],
        "scopes": list(backend.scopes),
        "retry_owner": backend.retry_owner,
        "timeout_seconds_max": backend.timeout_seconds_max,
        "cancel_seconds_max": backend.cancel_seconds_max,
    }
