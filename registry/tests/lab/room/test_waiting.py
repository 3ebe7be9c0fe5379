"""How long a case waited is told in its own time, and costs none of ours."""

from collections.abc import Callable

import pytest
from flows_registry.lab.case import CaseRun

from .conftest import act


@pytest.mark.feature("AL-07", "P4-03")
@pytest.mark.parametrize("way", ["wait_in_a_task", "wait_in_a_thread"])
def test_an_hour_of_waiting_is_told_in_virtual_seconds(
    run: Callable[..., CaseRun], way: str
) -> None:
    done = run(act(way, 3600.0), setup=(act(way, 60.0),))
    assert done.trouble is None
    assert done.steps[0].seconds == pytest.approx(3600, abs=0.1)
    assert done.virtual_seconds == pytest.approx(3660, abs=0.1)
    assert done.real_seconds < done.case.real_seconds_max
