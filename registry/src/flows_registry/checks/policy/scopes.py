"""The permissions that a backend declares, against those that its requests needed.

The reference tells of each request which permissions suffice, the least first.
"""

from collections.abc import Iterator, Sequence

from flows_registry.checks.plan import Plan
from flows_registry.checks.policy.egress import NAME
from flows_registry.verdict import Finding, Severity

__all__ = ["scopes"]


def scopes(plan: Plan, backend: str, unproven: Sequence[str]) -> Iterator[Finding]:
    """Every finding about the permissions of a backend.

    Args:
        plan: the plan.
        backend: the backend's name.
        unproven: operations that were never seen at work: they may need more.
    """
    declared, needed = plan.backend(backend).scopes, plan.observations.scopes(backend)
    yield from _not_allowed(plan, declared)
    if plan.observations.untold(backend):
        yield _unknown(plan, backend)
        return
    for row, operation in needed.items():
        if not set(row) & set(declared):
            yield Finding(
                "POLICY109",
                f"{operation} needs {_any(row)}, which is not declared",
                f"scopes = {_shown(declared)}",
                f"a request of {operation} needs {_any(row)}",
                plan.reproduce(NAME, ""),
                f"declare {row[0]!r}",
            )
    if plan.only or unproven or not plan.observations.reached(backend):
        return  # what was not seen may need what seems too much
    for scope in declared:
        yield from _too_wide(plan, scope, declared, list(needed))


def _too_wide(
    plan: Plan, scope: str, declared: Sequence[str], needed: Sequence[tuple[str, ...]]
) -> Iterator[Finding]:
    """A permission that no request needs, or in whose place a lesser one would do."""
    others = set(declared) - {scope}
    rows = [row for row in needed if scope in row and not others & set(row)]
    if not rows:
        observed, fix = "all requests do without it", f"remove {scope!r}"
    else:
        lesser = [
            less
            for less in rows[0][: rows[0].index(scope)]
            if all(less in row and row.index(less) < row.index(scope) for row in rows)
        ]
        if not lesser:
            return
        observed = f"{lesser[0]!r} would do for all its requests"
        fix = f"declare {lesser[0]!r} instead"
    yield Finding(
        "POLICY108",
        f"the scope {scope!r} is wider than needed",
        f"scopes = {_shown(declared)}: what its credential must be allowed to do, and no more",
        observed,
        plan.reproduce(NAME, ""),
        fix,
    )


def _unknown(plan: Plan, backend: str) -> Finding:
    wire = plan.backend(backend).wire
    return Finding(
        "POLICY110",
        "nobody can say which permissions the requests need",
        "a reference may tell: scopes(request)",
        f"the reference of the wire {wire!r} does not tell",
        plan.reproduce(NAME, ""),
        "give the reference the method `scopes`, from the vendor's documents",
        severity=Severity.NOTE,
    )


def _not_allowed(plan: Plan, declared: Sequence[str]) -> Iterator[Finding]:
    for scope in declared:
        if problem := plan.policy.scopes.problem(scope):
            yield Finding(
                "POLICY103",
                f"the policy allows no plugin the scope {scope!r}",
                f"the policy {plan.policy.name!r}: scopes {problem}",
                f"scopes = {_shown(declared)}",
                plan.reproduce(NAME, ""),
                "do without it, or let whoever keeps the policy allow it",
            )


def _any(row: Sequence[str]) -> str:
    return " or ".join(map(repr, row))


def _shown(declared: Sequence[str]) -> str:
    return ", ".join(map(repr, declared)) or "nothing"
