"""What a healthy run of an exercise says of its operation."""

from typing import Any

import pytest
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import OperationClaim
from core_caps.claims.operation import Repeat
from core_caps.contract.suite import Call, Exercise
from flows_registry.checks.plan import Baseline
from flows_registry.lab.case import Case, CaseRun

PUT = Call("put", ("key", b"value"))
SHOWN = "the first part of a state, as far as it is shown"


def _writes_something_new(before: tuple[str, int], after: tuple[str, int]) -> bool:
    run = CaseRun(
        Case("remote/put", "kv/1", "remote", (PUT,)),
        state_before=before[0],
        state_after=after[0],
        state_bytes_before=before[1],
        state_bytes_after=after[1],
        state_text_before=SHOWN,
        state_text_after=SHOWN,
    )
    claim = OperationClaim((), Effects.EFFECTFUL, Determinism.BEST_EFFORT, Repeat.SAFE)
    capability: Any = None
    return Baseline(capability, Exercise("put", PUT), claim, run).writes_something_new


@pytest.mark.feature("P4-03")
@pytest.mark.parametrize(
    ("after", "new"),
    [
        (("other", 60_000), True),
        (("other", 50_000), True),
        (("other", 40_000), False),
        (("one", 50_000), False),
    ],
    ids=["more", "something else", "less", "the same"],
)
def test_a_write_in_a_large_state_is_seen(after: tuple[str, int], *, new: bool) -> None:
    assert _writes_something_new(("one", 50_000), after) == new
