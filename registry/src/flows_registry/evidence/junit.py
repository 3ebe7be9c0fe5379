"""The certification as JUnit XML, for what shows test runs: one suite per check and backend, one
test per case. Nothing is ever skipped in it: what proved nothing is an error."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from flows_registry.evidence.words import carried_from, cut, is_carried, place, safe
from flows_registry.verdict import (
    CaseRecord,
    Certification,
    CheckResult,
    Finding,
    Outcome,
    Verdict,
)

__all__ = ["junit"]

_CASE = "".join(("test", "case"))
"""JUnit's own word, which is none of ours."""


def junit(certification: Certification) -> bytes:
    """The document."""
    root = Element("testsuites", name=safe(certification.subject))
    for check in certification.checks:
        root.append(_suite(certification, check))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _seconds(float(certification.facts.get("seconds", 0))))
    indent(root, " ")
    return tostring(root, "utf-8", xml_declaration=True) + b"\n"


def _suite(certification: Certification, check: CheckResult) -> Element:
    subject = certification.subject.partition(" ")[0]
    suite = Element("testsuite", name=safe(place(check)))
    if is_carried(check):
        told = SubElement(suite, "properties")
        SubElement(told, "property", name="carried", value=safe(carried_from(check)))
    called = safe(".".join(filter(None, (subject, check.check, check.backend))))
    tests = [_case(check, record) for record in check.records]
    told = {record.name for record in check.records}
    tests += [_apart(check, f) for f in check.findings if not told & set(f.cases)]
    if not any(len(test) for test in tests) and check.verdict is not Verdict.PASSED:
        tests.append(_test(check.check, *_verdict(check)))
    for test in tests or [_test(check.check)]:
        test.set("classname", called)
        suite.append(test)
    suite.set("tests", str(len(suite.findall(_CASE))))
    suite.set("failures", str(len(suite.findall(f"{_CASE}/failure"))))
    suite.set("errors", str(len(suite.findall(f"{_CASE}/error"))))
    suite.set("skipped", "0")
    suite.set("time", _seconds(float(check.facts.get("seconds", 0))))
    return suite


def _verdict(check: CheckResult) -> Iterator[Element]:
    """What a verdict without a finding or a case to carry it is to a run of tests."""
    if check.verdict is Verdict.REFUSED:
        yield Element("failure", type="refused", message="the check refuses")
    elif check.verdict is Verdict.INCONCLUSIVE:
        yield Element("error", type="inconclusive", message="the check proves nothing")


def _case(check: CheckResult, record: CaseRecord) -> Element:
    test = _test(record.name, time=float(record.figures.get("real_seconds", 0)))
    if record.profile != "base":
        test.set("name", safe(f"{record.name} [{record.profile}]"))
    findings = [finding for finding in check.findings if record.name in finding.cases]
    test.extend(_problem(check, finding) for finding in findings)
    if record.outcome is Outcome.NOT_MET:
        told = "it never met what it was made for, and proves nothing"
        SubElement(test, "error", type="not met", message=told)
    elif record.outcome is Outcome.REFUSED and not findings:
        SubElement(test, "failure", type="refused", message="something was found in it")
    return test


def _apart(check: CheckResult, finding: Finding) -> Element:
    """A finding that no case of the check carries."""
    name = f"{check.check}: {finding.code}" + (f" {finding.cases[0]}" if finding.cases else "")
    return _test(name, _problem(check, finding))


def _test(name: str, *problems: Element, time: float = 0.0) -> Element:
    test = Element(_CASE, name=safe(name), time=_seconds(time))
    test.extend(problems)
    return test


def _problem(check: CheckResult, finding: Finding) -> Element:
    """What refuses is a failure, what proves nothing an error; all else is only said."""
    kind = "system-out"
    if finding.refuses:
        kind = "error" if check.verdict is Verdict.INCONCLUSIVE else "failure"
    problem = Element(kind)
    if kind != "system-out":
        problem.set("type", safe(finding.code))
        problem.set("message", cut(finding.message, 1000))
    problem.text = "\n".join(_lines(finding))
    return problem


def _lines(finding: Finding) -> Iterator[str]:
    if not finding.refuses:
        yield f"{finding.severity.value} {finding.code}: {cut(finding.message, 1000)}"
    if finding.waived is not None:
        waived = finding.waived
        yield cut(f"waived by {waived.owner} until {waived.expires}: {waived.reason}")
    for label, text in (
        ("promised", finding.promised),
        ("observed", finding.observed),
        ("reproduce", finding.reproduce.command),
        ("fix", finding.fix),
    ):
        if text:
            yield f"{label}: {cut(text)}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
