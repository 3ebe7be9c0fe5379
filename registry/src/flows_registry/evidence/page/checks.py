"""Every check on every backend: what it says, how closely it looked, on how many cases."""

from collections.abc import Iterator

from flows_registry.evidence.page.markup import Child, Markup, tag
from flows_registry.evidence.page.shown import amount, seconds
from flows_registry.evidence.words import carried_from, is_carried, verdict_word
from flows_registry.verdict import Certification, CheckResult

__all__ = ["checks"]


def checks(certification: Certification) -> Markup:
    """The table, and what was not compared with anybody."""
    heads = ("Check", "Backend", "Verdict", "Level", "Cases", "Time", "Virtual time", "Remarks")
    head = tag("tr", [tag("th", name, scope="col") for name in heads])
    rows = [_row(check) for check in certification.checks]
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="plain")
    unplayed = certification.facts.get("no_simulator", ())
    return tag(
        "div",
        tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Checks"),
        [tag("p", _unplayed(str(contract)), class_="remark") for contract in unplayed],
    )


def _row(check: CheckResult) -> Markup:
    took = check.facts.get("seconds")
    return tag(
        "tr",
        tag("th", check.check, scope="row"),
        tag("td", check.backend or "the package"),
        tag("td", tag("span", verdict_word(check.verdict), class_=f"word {check.verdict.value}")),
        tag("td", str(check.level)),
        tag("td", f"{check.cases:,}", class_="number"),
        tag("td", seconds(took) if isinstance(took, float) else "", class_="number"),
        tag("td", seconds(check.virtual_seconds) if check.virtual_seconds else "", class_="number"),
        tag("td", list(_remarks(check))),
    )


def _remarks(check: CheckResult) -> Iterator[Child]:
    facts = check.facts
    if is_carried(check):
        why = "not run again: nothing it reads has changed"
        yield tag("span", f"carried from {carried_from(check)}", class_="tag", title=why)
    if changed := facts.get("changed"):
        yield tag("span", f"run again: {', '.join(map(str, changed))}")
    waived = sum(finding.waived is not None for finding in check.findings)
    if waived:
        yield tag("span", f"{waived} waived", class_="tag")
    if simulator := facts.get("simulator"):
        yield tag("span", f"against {simulator}")
    if facts.get("own_reference"):
        yield tag("span", "against the plugin's own reference")
    if promised := facts.get("promises"):
        met = amount(int(facts.get("faults", 0)), "fault")
        yield tag("span", f"{amount(int(promised), 'promise')}, {met}")
    if axes := facts.get("axes"):
        yield tag("span", f"perturbed on {len(axes)} axes")
    if unknown := facts.get("static_unknown"):
        yield tag("span", f"source not followed everywhere in {amount(len(unknown), 'operation')}")


def _unplayed(contract: str) -> str:
    return f"No simulator for contract {contract}: not compared with what its vendor runs."
