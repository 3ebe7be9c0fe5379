"""The permissions that are declared are the least that the requests needed."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flows_registry.checks.plan import Plan
from flows_registry.checks.policy.scopes import scopes
from flows_registry.policy.policy import Policy, Words
from flows_registry.verdict import Reproduction, Severity

pytestmark = pytest.mark.feature("P4-05", "CK-04")

NO_POLICY = Policy("acme")
READ, WRITE, ADMIN = "Things Read", "Things Write", "Things Admin"
READS, WRITES = (READ, WRITE, ADMIN), (WRITE, ADMIN)


def _found(
    declared: tuple[str, ...],
    *needed: tuple[str, ...],
    unproven: tuple[str, ...] = (),
    untold: int = 0,
    policy: Policy = NO_POLICY,
) -> Mapping[str, str]:
    seen = SimpleNamespace(
        scopes=lambda backend: dict.fromkeys(needed, "get"),
        untold=lambda backend: untold,
        reached=lambda backend: {("api.example.com", 443)},
    )
    plan: Any = SimpleNamespace(
        backend=lambda name: SimpleNamespace(scopes=declared, wire="things"),
        observations=seen,
        policy=policy,
        only="",
        reproduce=lambda check, case: Reproduction("again", case),
    )
    found = list(scopes(cast("Plan", plan), "remote", unproven))
    assert all(finding.fix and finding.observed for finding in found)
    return {f.code: f.fix for f in found if f.severity is Severity.ERROR}


def test_what_all_requests_need_is_declared() -> None:
    assert not _found((WRITE,), READS, WRITES)
    assert not _found((READ,), READS)
    assert not _found((READ, WRITE), (READ,), (WRITE,))


def test_what_no_request_needs_is_too_much() -> None:
    assert _found((WRITE, "Others Write"), READS, WRITES) == {"POLICY108": "remove 'Others Write'"}


def test_a_greater_permission_is_not_declared_where_a_lesser_one_does() -> None:
    assert _found((WRITE,), READS) == {"POLICY108": "declare 'Things Read' instead"}
    assert _found((ADMIN,), READS, WRITES) == {"POLICY108": "declare 'Things Write' instead"}


def test_what_another_permission_includes_is_too_much() -> None:
    assert _found((READ, WRITE), READS, WRITES) == {"POLICY108": "remove 'Things Read'"}


def test_what_a_request_needs_is_declared() -> None:
    assert _found((READ,), READS, WRITES) == {"POLICY109": "declare 'Things Write'"}
    assert _found((), READS) == {"POLICY109": "declare 'Things Read'"}


def test_nothing_is_too_much_for_operations_that_nobody_saw() -> None:
    assert not _found((WRITE,), READS, unproven=("put",))


def test_where_the_reference_does_not_tell_that_is_said_and_refuses_nobody() -> None:
    assert not _found((ADMIN,), untold=3)


def test_what_the_policy_forbids_is_not_declared() -> None:
    policy = Policy("acme", scopes=Words(forbid=("* Write",)))
    assert set(_found((WRITE,), READS, WRITES, policy=policy)) == {"POLICY103"}
