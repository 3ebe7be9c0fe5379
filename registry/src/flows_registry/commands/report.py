"""A certification as text: the verdict first, the table, then every finding with what to do."""

import textwrap
from collections.abc import Iterator, Sequence

from flows_registry.commands.output import coloured
from flows_registry.commands.story import story
from flows_registry.evidence.page.shown import seconds as duration
from flows_registry.evidence.words import carried_from, stories
from flows_registry.verdict import Certification, CheckResult, Finding, Level, Verdict

__all__ = ["CODES", "as_text", "exit_code"]

CODES = {
    Verdict.PASSED: 0,
    Verdict.WAIVED: 0,
    Verdict.REFUSED: 1,
    Verdict.INCONCLUSIVE: 3,
}
"""The exit code of each verdict."""

_WORDS = {
    Verdict.PASSED: ("✓ passed", "green"),
    Verdict.WAIVED: ("~ waived", "yellow"),
    Verdict.REFUSED: ("✗ refused", "red"),
    Verdict.INCONCLUSIVE: ("? inconclusive", "yellow"),
}
_HEADLINES = {
    Verdict.PASSED: ("certified", "green"),
    Verdict.WAIVED: ("certified under waivers", "yellow"),
    Verdict.REFUSED: ("REFUSED", "red"),
    Verdict.INCONCLUSIVE: ("INCONCLUSIVE", "yellow"),
}
_WIDTH = 100
_NAMES_MAX = 3


def exit_code(certification: Certification) -> int:
    """0 certified, 1 refused, 3 inconclusive."""
    return CODES[certification.verdict]


def as_text(certification: Certification, report: str = "") -> str:
    """The report that a person reads on a terminal; `report` is where the one to look at is."""
    lines = [*_headline(certification), "", *_table(certification)]
    for check in certification.checks:
        lines += _unwatched(check)
    findings = [(check, f) for check in certification.checks for f in check.findings]
    for number, (check, finding) in enumerate(findings, 1):
        lines += ["", *_finding(number, check, finding)]
    lines += ["", *_closing(certification)]
    lines += [f"  Report: {report}"] if report else []
    return "\n".join(lines) + "\n"


def _headline(certification: Certification) -> Iterator[str]:
    word, colour = _HEADLINES[certification.verdict]
    if certification.part and word.startswith("certified"):
        named = "" if certification.facts.get("against") else f" {certification.part}"
        word = word.replace("certified", f"passed{named}")
    cases = sum(check.cases for check in certification.checks)
    seconds = certification.facts.get("seconds", 0.0)
    against = certification.facts.get("against")
    where = f"against {against}" if against else f"at {certification.level}"
    yield (
        f"{coloured(certification.subject, 'bold')}  {coloured(word, colour)} "
        f"{where}, {cases} cases in {seconds:.1f} s"
    )


def _table(certification: Certification) -> Iterator[str]:
    yield coloured(f"  {'check':<13}{'backend':<9}{'verdict':<16}{'cases':>6}  level   time", "dim")
    for check in certification.checks:
        word, colour = _WORDS[check.verdict]
        seconds = check.facts.get("seconds")
        time = f"{seconds:6.1f} s" if isinstance(seconds, float) else ""
        shown = coloured(f"{word:<16}", colour)
        yield (
            f"  {check.check:<13}{check.backend:<9}{shown}{check.cases:>6}  "
            f"{check.facts.get('against', check.level)!s:<5}"
            f"{time}{_waited(check)}{_remark(check)}"
        )
    for contract in certification.facts.get("no_simulator", ()):
        said = f"no simulator for contract {contract}: not compared with what its vendor runs"
        yield f"  {'parity':<22}{coloured(said, 'yellow')}"


def _waited(check: CheckResult) -> str:
    """The virtual time of its cases, where that is worth telling."""
    waited = check.virtual_seconds
    return f"  ({duration(waited)} of virtual time)" if waited >= 1 else ""


def _remark(check: CheckResult) -> str:
    """What is worth knowing beside a verdict."""
    if carried := carried_from(check):
        return f"  carried from {carried}"
    if changed := check.facts.get("changed"):
        return f"  run again: {', '.join(changed)}"
    simulator = check.facts.get("simulator")
    if simulator:
        return f"  against {simulator}"
    if check.facts.get("own_reference"):
        return "  against the plugin's own reference"
    unknown = check.facts.get("static_unknown")
    if unknown:
        return f"  source not followed everywhere in {len(unknown)} operations"
    return ""


def _unwatched(check: CheckResult) -> Iterator[str]:
    """Where the source tells nothing and no case has been, and what to do about it."""
    each = [facts.get("static_unreached", {}) for facts in check.facts.get("each", [check.facts])]
    places = dict.fromkeys(place for of in each for places in of.values() for place in places)
    if places:
        operations = dict.fromkeys(name.strip("()") for of in each for name in of)
        yield ""
        yield from textwrap.wrap(
            f"{check.check} {check.backend} stays at {check.level}: nobody knows all that "
            f"{_some(list(operations))} can do ({_some(list(places))}). The source does not tell, "
            "and no watched call ran it. Let an exercise of the suite reach it, or write it so "
            "that the source tells.",
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="  ",
        )


def _some(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(names) - _NAMES_MAX
    shown = ", ".join(names[:_NAMES_MAX])
    return f"{shown} and {more} more" if more > 0 else shown


def _finding(number: int, check: CheckResult, finding: Finding) -> Iterator[str]:
    colour = _WORDS[check.verdict][1] if finding.refuses else "yellow"
    place = "/".join(filter(None, (finding.capability, check.backend)))
    where = f"{check.check} {place}".strip()
    said = "" if finding.refuses else f"{_standing(finding)}: "
    yield coloured(f"{number}. {finding.code} {said}{finding.message}", colour) + coloured(
        f"  [{where}]", "dim"
    )
    for label, text in (
        ("promised", finding.promised),
        ("observed", finding.observed),
        ("reproduce", finding.reproduce.command),
        ("fix", finding.fix),
        ("because", finding.because),
        ("waived", _answered_for(finding)),
    ):
        if text:
            yield from _paragraph(label, text)
    if told := next(stories(check, finding), None):
        yield f"   {coloured('timeline', 'bold')}"
        yield from (f"     {line}" for line in story(told))


def _standing(finding: Finding) -> str:
    """What a finding that refuses nobody is instead."""
    return finding.severity.value if finding.waived is None else "waived"


def _answered_for(finding: Finding) -> str:
    """Who takes a risk, why and until when."""
    waived = finding.waived
    if waived is None:
        return ""
    issue = f" ({waived.issue})" if waived.issue else ""
    return f"by {waived.owner} until {waived.expires}: {waived.reason}{issue}"


def _paragraph(label: str, text: str) -> Iterator[str]:
    indent = " " * 16
    first = f"   {coloured(f'{label:<10}', 'bold')}   "
    lines: list[str] = []
    for line in text.strip().splitlines():
        keep = label == "reproduce"
        lines += [line] if keep else textwrap.wrap(line, _WIDTH - len(indent)) or [""]
    for index, line in enumerate(lines):
        yield (first if index == 0 else indent) + line


def _delta(certification: Certification) -> Iterator[str]:
    """What was not run again, and why, or why everything was."""
    delta = certification.facts.get("delta", {})
    if why := delta.get("told"):
        yield from textwrap.wrap(why, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    if checks := [check for check in certification.checks if carried_from(check)]:
        yield coloured(
            f"  {len(checks)} of {len(certification.checks)} results are carried, nothing that "
            f"they stand on has changed; {delta.get('again', 0)} of their cases ran again. "
            "--full runs all.",
            "dim",
        )


def _closing(certification: Certification) -> Iterator[str]:
    yield from _delta(certification)
    codes = sorted({f.code for check in certification.checks for f in check.findings})
    if codes:
        yield f"  flows-registry explain {codes[0]}  tells more about a code."
    if certification.part:
        yield coloured(
            "  A part certifies nothing: leave --check, --case and --against away.", "dim"
        )
    elif certification.verdict is Verdict.WAIVED:
        told = f"  Certified under {len(certification.waivers)} waivers: as long as they hold."
        yield coloured(told, "yellow")
    elif certification.verdict is Verdict.PASSED:
        only = ", and nothing else" if certification.level > Level.STATIC else ""
        yield coloured(
            f"  Everything declared was seen{only}. Levels: L0 source, L1 interpreter, "
            "L2 wire and state, L3 the same within walls.",
            "dim",
        )
