"""Results that tell what the service answered: who is told the truth was not lied to."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from core_caps.capabilities.http import Response
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import OperationClaim
from core_caps.claims.operation import Repeat
from core_caps.contract.http import CONTRACT
from core_caps.contract.suite import Call, Exercise
from flows_registry.checks.contract.oracles import Rules, judge
from flows_registry.checks.injection.histories import rekeyed
from flows_registry.lab.case import Case, CaseRun, Exchange, Step
from flows_registry.lab.faults import Fault
from flows_registry.verdict import Reproduction

pytestmark = pytest.mark.feature("P4-03")

URL = "https://site.example/a"
GET, PUT = Call("get", (URL,)), Call("put", (URL, b"body"))


def untold(call: Call, result: object) -> int | None:
    """Where results tell no status, as those of most capabilities."""
    return None


def codes(
    call: Call,
    served: int,
    value: object,
    fault: Fault,
    answered: Callable[[Call, object], int | None] = CONTRACT.answered,
) -> set[str]:
    """What is said of a call that met a fault, was served this status and returned this."""
    case = Case("case", "http/1", "remote", (call,))
    writes = call is PUT
    claim = OperationClaim(
        ("resource::http::write" if writes else "resource::http::read",),
        Effects.EFFECTFUL if writes else Effects.READ_ONLY,
        Determinism.BEST_EFFORT,
        Repeat.SAFE,
    )
    healthy = Step(Response(201 if writes else 200, method=call.operation.upper(), url=URL))
    base: Any = SimpleNamespace(
        name="remote/case",
        exercise=Exercise("case", call),
        claim=claim,
        capability=None,
        run=CaseRun(case, steps=(healthy,), state_after="after"),
        writes=writes,
        writes_something_new=writes,
        problem=None,
    )
    exchange = Exchange(
        0, call.operation.upper(), "site.example", 443, "/a", fault.kind, served, False, False,
        0, "", "",
    )  # fmt: skip
    run = CaseRun(case, steps=(Step(value),), exchanges=(exchange,), consumed=(True,))
    rules = Rules(
        retry_owner="caller",
        timeout_seconds_max=30,
        cancel_seconds_max=1,
        egress=frozenset({("site.example", 443)}),
        safe_posts=(),
        canaries={},
        comparable=CONTRACT.comparable,
        answered=answered,
        reproduce=lambda case: Reproduction(case, case),
    )
    return {finding.code for finding in judge(base, run, fault, rules)}


FAILED, BARE = Fault("status", status=503), Fault("bare status", status=204)


@pytest.mark.parametrize("call", [GET, PUT], ids=["a read", "a write"])
@pytest.mark.parametrize(("fault", "served"), [(FAILED, 503), (BARE, 204)])
def test_who_is_told_the_status_is_not_lied_to(call: Call, fault: Fault, served: int) -> None:
    assert codes(call, served, Response(served, method=call.operation.upper()), fault) == set()


@pytest.mark.parametrize("told", [200, 201, 500])
def test_another_status_is_a_lie(told: int) -> None:
    assert "CONTRACT012" in codes(PUT, 503, Response(told, method="PUT"), FAILED)


def test_where_results_tell_no_status_a_failure_is_no_success() -> None:
    assert "CONTRACT012" in codes(PUT, 503, Response(503, method="PUT"), FAILED, untold)


def test_a_url_is_moved_to_another_path_of_its_host() -> None:
    assert rekeyed(PUT, "apart-1").args == ("https://site.example/apart-1", b"body")
    assert rekeyed(Call("put", ("a/b", b"v")), "apart-1").args == ("apart-1", b"v")
