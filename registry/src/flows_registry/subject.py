"""What is certified: operations, what they claim, and how to call them.

The check engine knows Subjects, never plugins as such; nodes and subflows will be Subjects too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core_caps.claims.manifest import Manifest, OperationClaim, Provided
from core_caps.contract.suite import Contract, Exercise

__all__ = ["Capability", "Subject"]


@dataclass(frozen=True, slots=True)
class Capability:
    """One capability that the subject provides.

    Attributes:
        contract: its contract's id, `kv/1`.
        protocol: the lazy name of its Protocol class.
        suite: the lazy name of its Contract.
        declared: what the manifest says of it.
        claims: per provided operation, what it claims.
        exercises: ways to use its provided operations.
        judge: the Contract itself, or one that asks the plugin's environment: a third party's
            suite is never imported here.
    """

    contract: str
    protocol: str
    suite: str
    declared: Provided
    claims: Mapping[str, OperationClaim]
    exercises: Sequence[Exercise]
    judge: Contract


@dataclass(frozen=True, slots=True)
class Subject:
    """What is certified.

    Attributes:
        name: the plugin's name, `cloudflare-r2`.
        distribution: the distribution's name and version, `cap-cloudflare-r2 0.1.0`.
        manifest: everything it declares.
        capabilities: by contract id.
    """

    name: str
    distribution: str
    manifest: Manifest
    capabilities: Mapping[str, Capability]
