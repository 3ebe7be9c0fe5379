"""The axes: each changes something of its own, and the replay under all of them leaves none out."""

from dataclasses import fields

import pytest
from flows_registry.checks.determinism.axes import AXES, REPEAT, all_axes
from flows_registry.lab.lab import Profile

_BASE = Profile()
_NAMES_ONLY = ("name", "nonce")


def _changed(profile: Profile) -> dict[str, object]:
    """What a profile changes, by field; of mappings each entry by itself."""
    changed: dict[str, object] = {}
    for field in fields(Profile):
        value = getattr(profile, field.name)
        if field.name in _NAMES_ONLY or value == getattr(_BASE, field.name):
            continue
        entries = value.items() if hasattr(value, "items") else [("", value)]
        changed |= {f"{field.name} {name}".strip(): entry for name, entry in entries}
    return changed


@pytest.mark.feature("P4-02", "CK-02")
@pytest.mark.parametrize("axis", AXES)
def test_an_axis_is_part_of_the_replay_under_all_and_shares_nothing(axis: str) -> None:
    own = _changed(AXES[axis])
    assert own
    assert own.items() <= _changed(all_axes()).items()
    others = [_changed(profile) for name, profile in AXES.items() if name != axis]
    assert not any(own.keys() & other.keys() for other in others)


@pytest.mark.feature("P4-02")
@pytest.mark.parametrize("axis", ["clock", "random numbers"])
def test_a_declared_axis_is_left_out(axis: str) -> None:
    left = _changed(all_axes(without=frozenset({axis})))
    assert not left.keys() & _changed(AXES[axis]).keys()
    assert left.keys() | _changed(AXES[axis]).keys() == _changed(all_axes()).keys()


@pytest.mark.feature("P4-02")
def test_a_repeat_changes_nothing_but_the_process() -> None:
    assert not _changed(REPEAT)
    assert (REPEAT.name, REPEAT.nonce) != (_BASE.name, _BASE.nonce)
