"""The page: the verdict in words first, then what it stands on, then how to look closer."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import cast

from flows_registry.evidence.page.budgets import budgets
from flows_registry.evidence.page.checks import checks
from flows_registry.evidence.page.coverage import coverage
from flows_registry.evidence.page.findings import findings
from flows_registry.evidence.page.grid import grids
from flows_registry.evidence.page.markup import Child, Markup, page_text, tag
from flows_registry.evidence.page.promises import promises
from flows_registry.evidence.page.shown import amount, seconds
from flows_registry.evidence.words import LEVELS, headline, is_carried, standing
from flows_registry.verdict import Certification, CheckResult, Level, Verdict

__all__ = ["page"]

_SECTIONS = {
    "findings": ("Findings", findings),
    "checks": ("Checks", checks),
    "promises": ("Promised and seen", promises),
    "faults": ("Operations and faults", grids),
    "coverage": ("What ran of its source", coverage),
    "budgets": ("What a call takes", budgets),
}


def page(certification: Certification) -> bytes:
    """The whole file."""
    style, script = _own("style.css"), _own("script.js")
    sections = {
        name: (title, content)
        for name, (title, make) in _SECTIONS.items()
        if (content := make(certification))
    }
    links = [tag("li", tag("a", title, href=f"#{name}")) for name, (title, _) in sections.items()]
    body = tag(
        "body",
        tag("a", "Skip to the report", href="#report", class_="skip"),
        _top(certification),
        tag("nav", tag("ul", links), aria_label="Sections"),
        tag(
            "main",
            [_section(name, title, content) for name, (title, content) in sections.items()],
            id="report",
        ),
        _foot(certification),
        tag("script", page_text(script)),
        class_=standing(certification),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=f"flows-registry {version('flows-registry')}"),
        tag("title", f"{certification.subject}: {headline(certification)}"),
        tag("style", page_text(style)),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n".encode()


def _own(name: str) -> str:
    return files("flows_registry.evidence.page").joinpath(name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """The browser itself runs and loads nothing but what this program wrote."""
    return (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; "
        f"script-src 'sha256-{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _section(name: str, title: str, content: Markup) -> Markup:
    heading = tag("h2", title, id=f"{name}-title")
    return tag("section", heading, content, id=name, aria_labelledby=f"{name}-title")


def _top(certification: Certification) -> Markup:
    name, _, number = certification.subject.partition(" ")
    return tag(
        "header",
        tag(
            "div",
            tag("p", "Certification", class_="kicker"),
            tag("h1", name, " ", tag("small", number) if number else None),
            tag("p", headline(certification), class_="verdict"),
            tag("p", list(_told(certification)), class_="lead"),
            tag("dl", list(_figures(certification)), class_="figures"),
            class_="inner",
        ),
        class_="top",
    )


def _told(certification: Certification) -> Iterator[Child]:
    """The verdict as a person would say it."""
    match standing(certification):
        case "bad":
            checks = [c for c in certification.checks if c.verdict is Verdict.REFUSED]
            found = sum(finding.refuses for check in checks for finding in check.findings)
            yield f"{amount(found, 'thing')} found in {amount(len(checks), 'check')} "
            yield "is not as promised. " if found == 1 else "are not as promised. "
            yield "It must not be published as it stands. "
        case "open":
            checks = sum(c.verdict is Verdict.INCONCLUSIVE for c in certification.checks)
            yield f"{amount(checks, 'check')} could not prove anything, which is not a pass. "
            yield "What is missing stands below. "
        case "part":
            yield "What was looked at is as promised. "
        case _:
            yield "Everything it declares was seen"
            yield ", and nothing else. " if certification.level > Level.STATIC else ". "
    if certification.part:
        yield tag("strong", "Only a part was asked for")
        yield f" ({certification.part}): a part certifies nothing. "
    if waived := len(certification.waivers):
        yield f"{amount(waived, 'finding')} "
        yield "is waived" if waived == 1 else "are waived"
        yield " by somebody with a name, for a time. "
    if carried := sum(map(is_carried, certification.checks)):
        yield f"{amount(carried, 'result')} of {len(certification.checks)} "
        yield "is" if carried == 1 else "are"
        yield " carried: nothing that they stand on has changed since they were found. "
    if removed := _removed(certification):
        yield f"Secrets stood where none may, and are shown as {', '.join(removed)}. "


def _removed(certification: Certification) -> list[str]:
    named = {
        name for check in certification.checks for name in check.facts.get("secrets_removed", ())
    }
    return sorted(map(str, named))


def _figures(certification: Certification) -> Iterator[Markup]:
    records = [record for check in certification.checks for record in check.records]
    yield _figure(str(certification.level), LEVELS[certification.level])
    yield _figure(f"{sum(check.cases for check in certification.checks):,}", "cases")
    faults = sum(bool(record.faults) for record in records)
    if faults:
        yield _figure(f"{faults:,}", "of them met a fault")
    lived = sum(check.virtual_seconds for check in certification.checks)
    if lived >= 1:
        yield _figure(seconds(lived), "lived through in virtual time")
    yield _figure(seconds(float(certification.facts.get("seconds", 0))), "on the clock")


def _figure(value: str, label: str) -> Markup:
    return tag("div", tag("dt", label), tag("dd", value))


def _foot(certification: Certification) -> Markup:
    digests = [row for check in certification.checks for row in _digests(check)]
    beside = ("evidence.json", "cases.jsonl", "results.sarif", "junit.xml", "badge.svg")
    links = [(tag("a", name, href=name), " ") for name in beside]
    levels = [(tag("dt", str(level)), tag("dd", meaning)) for level, meaning in LEVELS.items()]
    return tag(
        "footer",
        (tag("h2", "The bytes this is about"), tag("ul", digests)) if digests else None,
        tag("h2", "How closely a check looked"),
        tag("dl", levels, class_="levels"),
        tag("h2", "Closer still"),
        tag(
            "p",
            "A case runs again by ",
            tag("code", "flows-registry certify PATH --replay CASE"),
            ", and ",
            tag("code", "flows-registry explain CODE"),
            " tells what a code means. Beside this page: ",
            links,
        ),
        tag("p", f"flows-registry {version('flows-registry')}", class_="quiet"),
    )


def _digests(check: CheckResult) -> Iterator[Markup]:
    """Of the files that were built, the wheel's first."""
    found = check.facts.get("sha256")
    if not isinstance(found, Mapping):
        return
    told = sorted(cast("Mapping[str, str]", found).items(), key=lambda item: item[0][-4:] != ".whl")
    for name, digest in told:
        yield tag("li", tag("code", name), " ", tag("code", digest, class_="digest"))
