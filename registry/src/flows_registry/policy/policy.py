"""A policy: what an organisation asks of every plugin beyond what the plugin promises itself."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from flows_registry.policy.patterns import host_matches, word_matches
from flows_registry.verdict import Level, Severity, Waived

__all__ = ["UNITS", "Budget", "Hosts", "Override", "Policy", "Waiver", "Words"]

UNITS = (
    "requests",
    "sent_bytes",
    "received_bytes",
    "wait_seconds",
    "cpu_seconds",
    "memory_bytes",
    "amplification",
)
"""What one call may cost: requests, the content that goes out and comes back, the waits of the
case's time, the processor's time, memory; `amplification` is requests under a fault for each
request of the healthy run."""


@dataclass(frozen=True, slots=True)
class Words:
    """What may be declared.

    Attributes:
        allow: patterns of which each must match one, or None for anything.
        forbid: patterns that none may match.
    """

    allow: tuple[str, ...] | None = None
    forbid: tuple[str, ...] = ()

    def problem(self, word: str) -> str:
        """Why this word may not be declared, or ""."""
        for pattern in self.forbid:
            if word_matches(pattern, word):
                return f"forbid = {pattern!r}"
        if self.allow is None or any(word_matches(pattern, word) for pattern in self.allow):
            return ""
        return f"allow = {', '.join(map(repr, self.allow)) or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where plugins may go; patterns are those of `patterns.host_matches`.

    Attributes:
        allow: patterns of which each address must match one, or None for anywhere.
        forbid: patterns that none may match.
    """

    allow: tuple[str, ...] | None = None
    forbid: tuple[str, ...] = ()

    def problem(self, host: str, port: int) -> str:
        """Why nobody may go to this address, or ""."""
        for pattern in self.forbid:
            if host_matches(pattern, host, port):
                return f"forbid = {pattern!r}"
        if self.allow is None or any(host_matches(p, host, port) for p in self.allow):
            return ""
        return f"allow = {', '.join(map(repr, self.allow)) or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Override:
    """How severe the findings of one code are.

    Attributes:
        severity: what they are taken for.
        reason: why, where that is less than an error.
    """

    severity: Severity
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a call may cost at most.

    Attributes:
        capability, operation: of which calls; "" is any.
        ceilings: unit → the most that one call may take.
    """

    ceilings: Mapping[str, float]
    capability: str = ""
    operation: str = ""

    @property
    def is_about(self) -> tuple[bool, bool]:
        """How closely it says of which calls: of two, the greater one is the closer one."""
        return bool(self.operation), bool(self.capability)


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that somebody answers for, for a time.

    Attributes:
        check, code: which findings.
        plugin, backend, case: where, as patterns; a finding is waived if all its cases match.
        reason, owner, issue: as in `Waived`.
        expires: the last day on which it holds.
    """

    check: str
    code: str
    plugin: str
    reason: str
    owner: str
    expires: dt.date
    backend: str = "*"
    case: str = "*"
    issue: str = ""

    @property
    def waived(self) -> Waived:
        """What a finding says of it."""
        return Waived(self.reason, self.owner, self.expires.isoformat(), self.issue)

    def has_expired(self, today: dt.date) -> bool:
        """Whether its last day is over."""
        return self.expires < today

    def __str__(self) -> str:
        return f"the waiver of {self.code} in {self.check} by {self.owner}"


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that an organisation asks.

    Attributes:
        name: to print.
        sha256: the digest of the file it stands in.
        level_min: how closely checks have to look at least.
        carry_days_max: for how many days what has not changed is not run again.
        egress: where plugins may go.
        scopes, residency, data_classes: what may be declared.
        severities: by code.
        budgets: what calls may cost.
        waivers: what is not held against a plugin.
    """

    name: str
    sha256: str = ""
    level_min: Level = Level.STATIC
    carry_days_max: int = 30
    egress: Hosts = Hosts()
    scopes: Words = Words()
    residency: Words = Words()
    data_classes: Words = Words()
    severities: Mapping[str, Override] = field(default_factory=dict[str, Override])
    budgets: tuple[Budget, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def ceilings(self, capability: str, operation: str) -> Mapping[str, float]:
        """What a call of this operation may cost at most, by unit; who says more closely of which
        calls it is wins, and of several alike the last."""
        found: dict[str, float] = {}
        for budget in sorted(self.budgets, key=lambda budget: budget.is_about):
            if budget.capability in ("", capability) and budget.operation in ("", operation):
                found.update(budget.ceilings)
        return found
