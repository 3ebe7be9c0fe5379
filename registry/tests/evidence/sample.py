"""A small certification that never happened, with one of everything that evidence can hold."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flows_registry.verdict import (
    CaseRecord,
    Certification,
    CheckResult,
    Finding,
    Level,
    Outcome,
    Reproduction,
    Severity,
    Verdict,
    Waived,
)

__all__ = ["certified", "record", "refused"]

COMMAND = "flows-registry certify plugins/cap-x --check contract --case 'remote/put/reset'"

PROMISED: Mapping[str, Any] = {
    "summary": "A made-up service",
    "homepage": "https://example.com/",
    "capabilities": {
        "kv": {
            "contract": "kv/1",
            "guarantees": {"consistency": "eventual", "ttl": "unknown"},
            "operations": {
                "get": {
                    "hints": ["resource::kv::read"],
                    "effects": "read_only",
                    "determinism": "best_effort",
                    "repeat": "safe by nature",
                },
                "put": {
                    "hints": ["resource::kv::write"],
                    "effects": "effectful",
                    "determinism": "best_effort",
                    "repeat": "unsafe",
                },
            },
            "limits": {
                "key_size_bytes_max": {"value": 512, "source": "https://example.com/limits"},
                "ttl_seconds_min": {"value": 60, "source": "javascript:alert(1)"},
            },
        }
    },
    "backends": {
        "mock": {"egress": [], "scopes": [], "retry_owner": "caller"},
        "remote": {
            "egress": ["api.example.com:443"],
            "scopes": ["Write"],
            "retry_owner": "caller",
            "timeout_seconds_max": 60,
            "cancel_seconds_max": 0.5,
        },
    },
    "data": {"classes": ["user_content"], "residency": ["global"]},
}

TIMELINE: tuple[Mapping[str, Any], ...] = (
    {"at_seconds": 0.0, "lane": 1, "kind": "begin", "text": "put('a', b'1')", "phase": "setup"},
    {"at_seconds": 0.0, "lane": 1, "kind": "end", "text": "None", "phase": "setup"},
    {"at_seconds": 0.0, "lane": 1, "kind": "begin", "text": "put('a', b'2')", "phase": "call"},
    {
        "at_seconds": 0.01,
        "lane": 0,
        "kind": "request",
        "text": "PUT /values/a",
        "status": None,
        "fault": "reset after commit",
        "committed": True,
        "changed": True,
    },
    {
        "at_seconds": 2.5,
        "lane": 0,
        "kind": "request",
        "text": "PUT /values/a",
        "status": 200,
        "fault": None,
        "committed": True,
        "changed": False,
    },
    {"at_seconds": 2.5, "lane": 1, "kind": "end", "text": "None", "phase": "call"},
)


def record(name: str, operation: str = "get", *faults: str, **changes: Any) -> CaseRecord:
    """A case that passed."""
    figures = {
        "requests": 1,
        "sent_bytes": 12,
        "received_bytes": 340,
        "virtual_seconds": 30.0 if faults else 0.0,
        "cpu_seconds": 0.004,
        "real_seconds": 0.021,
    }
    case = {"case": {"name": name, "text": "\ud800", "size": 1.0, "large": 2**64}, "profile": {}}
    made = CaseRecord(
        name, operation, faults, Outcome.PASSED, "base", figures, case, (f"{operation} → a value",)
    )
    return replace(made, **changes)


def certified() -> Certification:
    """Everything passed."""
    checks = (
        CheckResult("package", "", Verdict.PASSED, 13, level=Level.INTERPRETER, facts=_PACKAGE),
        CheckResult("effects", "mock", Verdict.PASSED, 1, (), Level.WIRE, {}, _records("mock")),
        CheckResult(
            "effects", "remote", Verdict.PASSED, 2, (), Level.WIRE, _SEEN, _records("remote")
        ),
        CheckResult("contract", "remote", Verdict.PASSED, 4, (), Level.WIRE, _MET, _met()),
    )
    facts = {"seconds": 12.5, "no_simulator": ["x/1"], "promised": PROMISED}
    return Certification("cap-x 1.0.0", checks, facts)


def refused() -> Certification:
    """Something was found; something is waived, something could not be proved."""
    package, _, effects, contract = certified().checks
    found = Finding(
        "CONTRACT014",
        "put is sent twice",
        "a write whose answer is lost is not repeated",
        "2 requests; the state changed once",
        Reproduction(COMMAND, "remote/put/reset after commit"),
        "leave retrying to the caller",
        also=("remote/put/closed after commit",),
    )
    waived = Finding(
        "EGRESS101",
        "it goes to stats.example.com:443",
        "egress = api.example.com:443",
        "goes to stats.example.com:443",
        Reproduction("", "remote/get"),
        "declare it",
        waived=Waived("moves in May", "Ada", "2027-05-31", "https://example.com/7"),
    )
    warning = replace(
        found, code="CONTRACT021", severity=Severity.WARNING, because="legacy", also=()
    )
    lacking = Finding(
        "LAB002", "nobody speaks the wire 'x'", "a reference", "none", fix="bring one"
    )
    seen = tuple(
        replace(r, outcome=Outcome.REFUSED, timeline=TIMELINE) if "put/reset" in r.name else r
        for r in contract.records
    )
    return Certification(
        "cap-x 1.0.0",
        (
            package,
            replace(effects, verdict=Verdict.WAIVED, findings=(waived,)),
            replace(contract, verdict=Verdict.REFUSED, findings=(found, warning), records=seen),
            CheckResult("injection", "remote", Verdict.INCONCLUSIVE, 0, (lacking,), Level.WIRE),
        ),
        certified().facts,
        "contract on cases with 'put'",
    )


_PACKAGE = {"sha256": {"cap_x-1.0.0.tar.gz": "b" * 64, "cap_x-1.0.0-py3-none-any.whl": "a" * 64}}
_SEEN = {
    "observed": {"get": "asks it", "put": "changes it"},
    "reached": ["api.example.com:443"],
    "carried": {"from": "2026-11-20", "key": "0" * 64, "evidence": "f" * 64},
    "seconds": 1.25,
    "coverage": {
        "lines": [187, 223],
        "branches": [101, 152],
        "unreached": ["cap_x/remote.py:40-44 in get", "cap_x/remote.py:61 in <lambda>"],
    },
}
_MET = {
    "promises": 1, "faults": 3, "faults_not_met": [], "seconds": 3.5, "virtual_seconds": 3661.0,
}  # fmt: skip


def _records(backend: str) -> tuple[CaseRecord, ...]:
    return record(f"{backend}/get"), record(f"{backend}/put", "put")


def _met() -> tuple[CaseRecord, ...]:
    return (
        record("remote/promise/an_absent_key_is_none", ""),
        record("remote/get/status 500", "get", "status 500"),
        record("remote/put/reset after commit", "put", "reset after commit"),
        record("remote/put/stall", "put", "stall", outcome=Outcome.NOT_MET),
    )
