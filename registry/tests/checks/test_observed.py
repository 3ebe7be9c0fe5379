"""What passes while cases run is kept in short: places, permissions, canaries, costs."""

import pytest
from core_caps.contract.suite import Call
from flows_registry.checks.observed import Observations, Shown
from flows_registry.lab.case import Case, CaseRun, Exchange, Sighting, Step
from flows_registry.lab.faults import Fault

pytestmark = pytest.mark.feature("P4-05", "P4-06")

SEEN = Sighting("secret", "api_token", "a log line of 'x' at DEBUG")
IN_URL = Sighting("secret", "api_token", "url")


def _exchange(number: int, status: int = 200, fault: str | None = None) -> Exchange:
    return Exchange(
        number, "GET", "API.example.com", 443, "/", fault, status, fault is None, False, 5, "", "",
        request_bytes=3, scopes=("Read",), sightings=(IN_URL,) if fault else (),
    )  # fmt: skip


def _run(name: str, *exchanges: Exchange, faults: tuple[Fault, ...] = ()) -> CaseRun:
    case = Case(name, "kv/1", "remote", (Call("get", ("k",)),), faults=faults)
    return CaseRun(
        case, steps=(Step(value=1, seconds=2.0),), exchanges=exchanges, sightings=(SEEN,)
    )


def _observed() -> Observations:
    observed = Observations()
    observed.add("baseline", _run("remote/get", _exchange(0)))
    assert not observed.has_met_faults("kv/1", "remote")
    fault = Fault("status", status=503)
    retried = [_exchange(0, 503, "status"), _exchange(1), _exchange(2)]
    observed.add("contract", _run("remote/get/status 503", *retried, faults=(fault,)))
    return observed


def test_a_call_under_a_fault_is_compared_with_the_healthy_one() -> None:
    observed = _observed()
    healthy, worst = observed.costs("kv/1", "remote")
    assert healthy.healthy
    assert healthy.figures["requests"] == 1
    assert "amplification" not in healthy.figures
    assert (worst.healthy, worst.figures["amplification"]) == (False, 3)
    assert worst.figures["sent_bytes"] == 9
    assert observed.has_met_faults("kv/1", "remote")


def test_places_and_permissions_are_the_whole_backends() -> None:
    observed = _observed()
    assert observed.reached("remote") == {("api.example.com", 443)}
    assert list(observed.scopes("remote")) == [("Read",)]
    assert not observed.untold("remote")
    assert not observed.reached("mock")


def test_a_canary_is_kept_once_with_every_case_that_showed_it() -> None:
    shown = _observed().shown("kv/1", "remote")
    assert shown[Shown(SEEN)] == ["remote/get", "remote/get/status 503"]
    assert shown[Shown(IN_URL, ("api.example.com", 443))] == ["remote/get/status 503"]


def test_cases_of_other_checks_cost_nothing() -> None:
    observed = _observed()
    observed.add("injection", _run("remote/history 1", *map(_exchange, range(30))))
    assert len(observed.costs("kv/1", "remote")) == 2
