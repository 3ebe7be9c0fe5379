"""A URL that does what was granted, and where it may lead."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from core_caps.contract.suite import Call, Exercise, Grant
from flows_registry.checks.effects.evidence import Evidence
from flows_registry.checks.effects.use_side import use_side
from flows_registry.checks.plan import Plan
from flows_registry.lab.case import Answer, Case, CaseRun, Step

pytestmark = pytest.mark.feature("P4-01", "CK-01")

HELD = Exercise(
    "presign",
    Call("presign", ("key",)),
    grant=Grant("GET", 60, Call("get", ("key",)), answer=b"content"),
)


class _Lab:
    """Every URL is good for what was granted, wherever it leads."""

    def __init__(self, url: str) -> None:
        self._url = url

    def run(self, cases: Sequence[Case], **_: object) -> list[CaseRun]:
        return [self._run(case) for case in cases]

    def _run(self, case: Case) -> CaseRun:
        use = case.use
        granted = use is not None and use.method == "GET" and use.after_seconds < 60
        answer = Answer(200, b"content") if granted else Answer(403, b"")
        return CaseRun(case, steps=(Step(self._url),), answer=answer if use else None)


def _found(url: str, endpoint: str = "", egress: str = "store.example:443") -> list[str]:
    """What is said of a URL of a backend with this endpoint and egress."""
    setting = SimpleNamespace(name="base_url", default=endpoint, example=None, endpoint=True)
    backend = SimpleNamespace(wire="s3", egress=[egress], config={"base_url": setting})
    judge = SimpleNamespace(comparable=lambda _, value: value, read_back=lambda _: ())
    base: Any = SimpleNamespace(
        exercise=HELD,
        name="remote/presign",
        capability=SimpleNamespace(contract="store/1", judge=judge, claims={"get": None}),
    )
    subject: Any = SimpleNamespace(manifest=SimpleNamespace(backends={"remote": backend}))
    lab: Any = _Lab(url)
    evidence = Evidence(Plan(subject, lab, "plugin"), "remote", {}, [base], [])
    findings = [finding for _, finding in use_side(evidence)]
    assert {finding.code for finding in findings} <= {"EFFECT206"}
    return [finding.message for finding in findings]


@pytest.mark.parametrize(
    "url", ["https://store.example/key?signature=s", "https://STORE.example:443/key"]
)
def test_a_url_may_lead_to_a_declared_address(url: str) -> None:
    assert _found(url) == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://store.example/key?signature=s", "http://store.example:80"),
        ("http://store.example:443/key", "http://store.example:443"),
        ("https://store.example:8443/key", "https://store.example:8443"),
        ("https://elsewhere.example/key?signature=s", "https://elsewhere.example:443"),
    ],
)
def test_a_url_that_leads_elsewhere_or_goes_without_tls_is_refused(url: str, place: str) -> None:
    messages = _found(url)
    assert messages
    assert all(message.endswith(f"leads to {place}") for message in messages)


@pytest.mark.parametrize(
    ("url", "is_good"), [("http://store.example/key", True), ("ftp://store.example:80/key", False)]
)
def test_a_service_that_is_declared_without_tls_hands_out_urls_without(
    url: str, *, is_good: bool
) -> None:
    messages = _found(url, endpoint="http://store.example", egress="store.example:80")
    assert (not messages) == is_good
