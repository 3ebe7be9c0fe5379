"""What is not as promised: each finding with what was promised, what happened, and the picture of
a case in which it did."""

from collections.abc import Iterator
from itertools import islice

from core_caps.diagnostics import DIAGNOSTICS

from flows_registry.evidence.page.markup import Child, Markup, join, tag
from flows_registry.evidence.page.shown import amount
from flows_registry.evidence.page.story import story
from flows_registry.evidence.words import place, stories
from flows_registry.verdict import CaseRecord, Certification, CheckResult, Finding, Verdict

__all__ = ["findings"]

_STORIES_MAX = 3
_SEVERAL_MAX, _ONE_MAX = 8, 30
"""So many findings have several pictures, and so many one; beyond, they are told in words."""

_CASES_MAX = 40
_FINDINGS_MAX = 300


def findings(certification: Certification) -> Markup:
    """All of them, those that refuse first; nothing where all is as promised."""
    found = [(check, finding) for check in certification.checks for finding in check.findings]
    found.sort(key=lambda each: (not each[1].refuses, each[1].waived is not None))
    shown = found[:_FINDINGS_MAX]
    more = len(found) - len(shown)
    return join(
        [_finding(number, check, finding) for number, (check, finding) in enumerate(shown, 1)],
        tag("p", f"{amount(more, 'further finding')} in evidence.json") if more else None,
    )


def _finding(number: int, check: CheckResult, finding: Finding) -> Markup:
    pictures = _STORIES_MAX if number <= _SEVERAL_MAX else int(number <= _ONE_MAX)
    told = list(islice(stories(check, finding), pictures))
    row = DIAGNOSTICS.get(finding.code)
    return tag(
        "article",
        tag(
            "header",
            tag("p", list(_tags(check, finding)), class_="tags"),
            tag("h3", finding.message),
        ),
        _waived(finding),
        tag(
            "div",
            _side("Promised", finding.promised),
            _side("Observed", finding.observed),
            class_="sides",
        ),
        _story(told[0]) if told else None,
        _more(told[1:]),
        tag("dl", list(_do(finding)), class_="do"),
        tag("p", tag("b", f"{finding.code}. "), row.meaning, class_="quiet") if row else None,
        _cases(finding),
        class_=f"finding {_kind(check, finding)}",
        id=f"finding-{number}",
    )


def _kind(check: CheckResult, finding: Finding) -> str:
    if finding.waived is not None:
        return "waived"
    if not finding.refuses:
        return finding.severity.value
    return "inconclusive" if check.verdict is Verdict.INCONCLUSIVE else "refused"


def _tags(check: CheckResult, finding: Finding) -> Iterator[Child]:
    yield tag("span", finding.code, class_="tag code")
    yield tag("span", place(check, finding), class_="tag")
    kind = _kind(check, finding)
    if kind != "refused":
        yield tag("span", kind, class_="tag")


def _waived(finding: Finding) -> Markup | None:
    if finding.waived is None:
        return tag("p", finding.because, class_="remark") if finding.because else None
    waived = finding.waived
    return tag(
        "p",
        tag("b", f"Waived by {waived.owner} until {waived.expires}: "),
        waived.reason,
        f" ({waived.issue})" if waived.issue else None,
        class_="remark",
    )


def _side(label: str, text: str) -> Markup | None:
    return tag("div", tag("h4", label), tag("p", text), class_=label.lower()) if text else None


def _do(finding: Finding) -> Iterator[Markup]:
    if finding.fix:
        yield tag("div", tag("dt", "Fix"), tag("dd", finding.fix))
    if command := finding.reproduce.command:
        copied = tag("button", "copy", type="button", class_="copy", hidden=True)
        shown = tag("dd", tag("code", command), " ", copied, class_="command")
        yield tag("div", tag("dt", "Reproduce"), shown)


def _story(record: CaseRecord) -> Markup:
    caption = tag("figcaption", "What happened in ", tag("code", record.name))
    return tag("figure", caption, story(record), class_="story")


def _more(told: list[CaseRecord]) -> Markup | None:
    if not told:
        return None
    summary = tag("summary", amount(len(told), "further case") + " in pictures")
    return tag("details", summary, map(_story, told))


def _cases(finding: Finding) -> Markup | None:
    if len(finding.cases) < 2:
        return None
    summary = tag("summary", f"Seen in {amount(len(finding.cases), 'case')}")
    shown = [tag("li", tag("code", name)) for name in finding.cases[:_CASES_MAX]]
    more = len(finding.cases) - _CASES_MAX
    rest = tag("li", f"and {more} more") if more > 0 else None
    return tag("details", summary, tag("ul", shown, rest, class_="cases"))
