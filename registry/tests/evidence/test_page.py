"""The report: what a person finds in it, and that nothing of a plugin's is ever more than text."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import pytest
from flows_registry.evidence.page.page import page
from flows_registry.verdict import (
    Certification,
    CheckResult,
    Finding,
    Level,
    Outcome,
    Reproduction,
    Verdict,
)

pytestmark = pytest.mark.feature("AC-07")

SIZE_BYTES_MAX = 2_000_000

HOSTILE = (
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)' x='",
    "<!-- <svg onload=alert(1)>",
    "\u202egnp.exe\u2066\u200f",
    "\x00\x1b[31m\ud800\ufffe",
    "x" * 1_000_000,
    "]]>&lt;&amp;&#0;",
)


class _Outline(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


def _outline(certification: Certification) -> _Outline:
    return _Outline(page(certification).decode("utf-8"))


def test_the_verdict_is_said_in_words(sample: ModuleType) -> None:
    said = _outline(sample.certified()).said
    assert "certified L2" in said
    assert "Everything it declares was seen, and nothing else." in said
    said = _outline(sample.refused()).said
    assert "1 thing found in 1 check is not as promised." in said
    assert "Only a part was asked for (contract on cases with 'put'): a part certifies" in said
    assert "1 finding is waived by somebody with a name" in said


@pytest.mark.feature("CK-05")
def test_what_was_promised_stands_beside_what_was_seen(sample: ModuleType) -> None:
    said = _outline(sample.certified()).said
    assert "✓ asks the service, changes nothing" in said
    assert "✓ changes the service" in said
    assert "read back, as promised" in said
    assert "api.example.com:443" in said
    assert "1 promise of the contract on remote, all kept ✓ an absent key is none" in said
    assert "No simulator for contract x/1" in said
    assert "carried from 2026-11-20" in said


def test_what_ran_of_the_source_is_told(sample: ModuleType) -> None:
    told = _outline(sample.certified()).said
    assert "84% of 223 lines" in told
    assert "66% of 152 branches" in told
    assert "2 places where nothing ran" in told
    assert "cap_x/remote.py:61 in <lambda>" in told


def test_a_finding_says_all_that_helps(sample: ModuleType) -> None:
    outline = _outline(sample.refused())
    finding = sample.refused().checks[2].findings[0]
    for text in (finding.message, finding.promised, finding.observed, finding.fix):
        assert text in outline.said
    assert finding.reproduce.command in outline.said
    assert "Waived by Ada until 2027-05-31: moves in May" in outline.said
    assert "⚡reset after commit: PUT /values/a → no answer · changed the state" in outline.said
    assert "svg" in {name for name, _ in outline.elements}


def test_every_cell_of_the_grid_tells_of_its_cases(sample: ModuleType) -> None:
    cells = [a for name, a in _outline(sample.refused()).elements if "data-cell" in a]
    told = {str(a["class"]): str(a["title"]) for a in cells}
    assert set(told) == {"passed", "refused", "not-met"}
    assert told["refused"].startswith("put meets reset after commit: 1 case\n✗ remote/put/reset")


def test_a_link_leads_to_nothing_but_the_web(sample: ModuleType) -> None:
    links = [a["href"] for name, a in _outline(sample.certified()).elements if name == "a"]
    assert "https://example.com/limits" in links
    assert not [href for href in links if href is not None and "javascript" in href]


def _hostile(text: str, sample: ModuleType) -> Certification:
    """The text wherever a plugin can put one."""
    finding = Finding(text, text, text, text, Reproduction(text, text), text, text, (text, text))
    timeline = tuple({**line, "text": text, "fault": text} for line in sample.TIMELINE)
    timeline += ({"at_seconds": "soon", "lane": text, "kind": text}, {})
    record = sample.record(text, text, text, outcome=Outcome.REFUSED, timeline=timeline)
    record = replace(record, profile=text, course=(text,))
    promised: dict[str, Any] = {
        "capabilities": {
            text: {
                "contract": text,
                "guarantees": {text: text},
                "operations": {text: {"hints": [text], "effects": text, "repeat": text}},
                "limits": {text: {"value": text, "source": f"https://{text}"}},
            }
        },
        "backends": {text: {"egress": [text], "scopes": [text]}},
        "data": {"classes": [text], "residency": text},
    }
    facts = {
        "observed": {text: text}, "reached": [text], "simulator": text, "sha256": {text: text},
        "operations": {text: {"requests": {"healthy": 1, "worst": text}}}, "axes": [text],
        "secrets_removed": [text], "scopes": text,
    }  # fmt: skip
    checks = tuple(
        CheckResult(name, text, Verdict.REFUSED, 1, (finding,), Level.WIRE, facts, (record,))
        for name in ("effects", "contract", "budget", text)
    )
    return Certification(text, checks, {"promised": promised, "no_simulator": [text]}, text)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_what_a_plugin_says_is_text_and_nothing_else(sample: ModuleType, text: str) -> None:
    harmless = _outline(_hostile("harmless", sample))
    content = page(_hostile(text, sample))
    hostile = _Outline(content.decode("utf-8"))
    known = {name for name, _ in harmless.elements}
    assert {name for name, _ in hostile.elements} <= known | {"title"}
    assert [name for name, _ in hostile.elements].count("script") == 1
    assert not [a for _, a in hostile.elements for key in a if key.startswith("on")]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00\x1b]", content.decode())
    assert len(content) < SIZE_BYTES_MAX


def _many(sample: ModuleType) -> Iterator[Any]:
    for number in range(2000):
        fault = f"status {number % 50}"
        name = f"remote/operation_{number % 8}/a use of it {number}/{fault}"
        changes = {"outcome": Outcome.REFUSED, "timeline": sample.TIMELINE * 8}
        yield sample.record(
            name, f"operation_{number % 8}", fault, **(changes if number % 2 else {})
        )


def test_it_stays_small_with_thousands_of_cases(sample: ModuleType) -> None:
    records = tuple(_many(sample))
    names = [record.name for record in records if record.timeline]
    findings = tuple(
        Finding("CONTRACT014", f"found {at}", reproduce=Reproduction("c", name), also=tuple(names))
        for at, name in enumerate(names[:100])
    )
    check = CheckResult(
        "contract", "remote", Verdict.REFUSED, 2000, findings, Level.WIRE, {}, records
    )
    content = page(Certification("cap-x 1.0.0", (check,), {}))
    assert len(content) < SIZE_BYTES_MAX
    assert _Outline(content.decode()).said.count("found 99") == 1


def test_it_needs_nothing_from_anywhere(sample: ModuleType) -> None:
    for made in (sample.certified(), sample.refused()):
        for name, attributes in _outline(made).elements:
            assert name not in ("link", "img", "iframe", "object", "embed", "base", "form")
            assert "src" not in attributes
            assert "style" not in attributes
