"""Which promises of a suite the certifier asks of a plugin."""

import pytest
from core_caps.capabilities.key_value import KeyValue
from core_caps.claims.operation import spec_of
from core_caps.contract.kv import CONTRACT
from flows_registry.lab.agent.promises import promises_of


def _asked(*operations: str) -> set[str]:
    case = {
        "suite": "core_caps.contract.kv:CONTRACT",
        "backend": "mock",
        "operations": list(operations),
        "world": {"limits": {}, "guarantees": {}},
    }
    return set(promises_of(case))


@pytest.mark.feature("CK-05")
def test_every_promise_of_what_is_provided_is_asked_but_no_courtesy() -> None:
    courtesies = {case.name for case in CONTRACT.cases if case.courtesy}
    asked = _asked(*spec_of(KeyValue).operations)
    assert courtesies
    assert not asked & courtesies
    assert asked <= {case.name for case in CONTRACT.cases}
    assert len(asked) > 30


@pytest.mark.feature("CK-05")
def test_what_is_not_provided_is_not_asked() -> None:
    reading = _asked("get", "list")
    assert reading < _asked(*spec_of(KeyValue).operations)
    by_name = {case.name: case for case in CONTRACT.cases}
    assert all(by_name[name].operations <= {"get", "list"} for name in reading)
