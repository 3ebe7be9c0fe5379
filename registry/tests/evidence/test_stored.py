"""A case is kept as data, and comes back as it was; nothing that the data names is imported."""

import json
import sys
from typing import Any

import pytest
from core_caps.contract.suite import Call, Result
from flows_registry.evidence.canonical import canonical, plain, portable
from flows_registry.lab.case import Case, Place, Use
from flows_registry.lab.faults import Fault
from flows_registry.lab.lab import Profile
from flows_registry.lab.stored import restored, stored

pytestmark = pytest.mark.feature("AC-07")

CASES = (
    Case("plain", "kv/1", "mock", ()),
    Case(
        "full",
        "kv/1",
        "remote",
        (
            Call(
                "put", ("a\ud800", b"\0\xff"), {"ttl_seconds": 3600, "large": 2**64, "whole": 1.0}
            ),
            Call("get", (Result(0, "key"),)),
        ),
        setup=(Call("put", ("a", b"x" * 100_000)),),
        use=Use("GET", b"content", 1.5),
        probe=(Call("list", ((), [1, None, float("inf")])),),
        faults=(Fault("status", 1, 429, "2"), Fault("stall")),
        perturbation={"chunk_bytes": 1, "marks": [["a", "b"]]},
        cancel_after_seconds=0.5,
        concurrent=True,
        places=(Place("cap_x/remote.py", 1, 2, 3, 4),),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_comes_back_as_it_was(case: Case) -> None:
    profile = Profile("other", hash_seed=7, environment={"TZ": "UTC"}, inside={"shift": 3.0})
    written = canonical(portable(stored(case, profile)))
    again, surroundings = restored(plain(json.loads(written)))
    assert stored(again, surroundings) == stored(case, profile)
    assert (again.name, again.faults, again.places, again.use) == (
        case.name,
        case.faults,
        case.places,
        case.use,
    )
    assert surroundings == profile
    assert [call.operation for call in again.calls] == [call.operation for call in case.calls]


_CALL = "core_caps.contract.suite:Call"
_CASE = "flows_registry.lab.case:Case"
_PROFILE = {"$value": "flows_registry.lab.room.furniture:Profile"}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"case": {"$value": _CASE}, "profile": _PROFILE},
        {"case": {"$value": "os:system", "command": "true"}, "profile": _PROFILE},
        {"case": {"$value": _CASE, "name": 5, "contract": "kv/1", "backend": "b", "calls": []}},
        {"case": {"$value": _CASE, "name": "n", "contract": "c", "backend": "b", "calls": [1]}},
        {"case": {"$repeated": ["eA==", 1 << 40]}, "profile": _PROFILE},
        {"case": [{"$repeated": ["eA==", 1 << 29]}] * 3, "profile": _PROFILE},
    ],
)
def test_what_is_no_case_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        restored({"profile": _PROFILE, **data})


def test_nothing_that_it_names_is_imported() -> None:
    call = {"$value": _CALL, "operation": "get", "args": [{"$value": "antigravity:Thing", "x": 1}]}
    case = {"$value": _CASE, "name": "n", "contract": "c", "backend": "b", "calls": [call]}
    again, _ = restored({"case": case, "profile": _PROFILE})
    assert "antigravity" not in sys.modules
    assert stored(again, Profile())["case"]["calls"][0]["args"] == call["args"]
