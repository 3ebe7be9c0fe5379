"""Made-up credentials and a made-up person, shown where nobody should see them."""

from collections.abc import Iterator

from flows_registry.checks.observed import Shown
from flows_registry.checks.plan import Plan
from flows_registry.checks.policy.egress import NAME
from flows_registry.lab.agent.hearing import UNASKED
from flows_registry.verdict import Finding, Severity

__all__ = ["canaries"]

_CREDENTIALS = ("auth", "token", "key", "secret", "password", "credential", "connection", "sign")
"""What the name of a header says that is made to carry a credential."""


def canaries(plan: Plan, backend: str) -> Iterator[Finding]:
    """One finding for each canary and place, in all cases of every check so far."""
    (contract,) = plan.subject.capabilities
    for shown, cases in plan.observations.shown(contract, backend).items():
        if _belongs(shown, plan.egress(backend)):
            continue
        yield _finding(plan, shown, cases)


def _belongs(shown: Shown, egress: frozenset[tuple[str, int]]) -> bool:
    """Whether a credential stands where its service takes it: in the content, or a header that is
    made for one, of a request to a declared host."""
    place = shown.sighting.place
    if shown.to is None or shown.sighting.kind != "secret" or shown.to not in egress:
        return False
    header = place.removeprefix("header ")
    return place == "content" or (header != place and any(w in header for w in _CREDENTIALS))


def _finding(plan: Plan, shown: Shown, cases: list[str]) -> Finding:
    sighting = shown.sighting
    place = sighting.place if shown.to is None else f"the {sighting.place} of a request"
    to = "" if shown.to is None else f" to {shown.to[0]}:{shown.to[1]}"
    first, *others = cases
    if sighting.kind == "secret":
        code, what = "SECR101", f"the secret {sighting.name}"
        promised = "a credential is shown to the service alone: no error, log, URL or file holds it"
        fix = "keep it in core_caps.secret.Secret; reveal it only in the header that needs it"
    else:
        code, what = "SECR102", f"personal data ({sighting.name})"
        promised = "content stays content: no error, log, output or URL repeats it"
        fix = "say which key or field is wrong, never what it holds"
    return Finding(
        code,
        f"{what} shows in {place}{to}",
        promised,
        f"the value of {sighting.name}, or a form of it, stands in {place}{to}",
        plan.reproduce(NAME, first),
        fix,
        also=tuple(others),
        severity=Severity.WARNING if sighting.place.endswith(UNASKED) else Severity.ERROR,
    )
