"""The axes along which a replay differs, each alone and all together.

With the service pinned, whatever differs between two replays comes from the plugin's own
surroundings; an operation that claims anything better than nondeterministic shows no difference.
"""

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from flows_registry.lab.lab import Profile

__all__ = ["AXES", "REPEAT", "all_axes", "thread_schedule", "together"]

_BASE = Profile()

CLOCK_OFFSET_SECONDS = 40_000_003.0 + 0.625
"""More than a year and not a whole number of anything: every field of a date changes."""

REPEAT = Profile("memory addresses", nonce=1)
"""Everything pinned, in another process: only where things lie in memory differs."""

_C_LOCALE = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
_ELSEWHERE = {"USER": "somebody", "HOSTNAME": "elsewhere", "LANG": "de_DE", "DEBUG": "1"}


def thread_schedule(seed: int) -> Profile:
    """Threads take turns as the seed says: no two schedules find the same races."""
    return Profile("thread schedule", inside={"switch_seconds": 0.000_01, "schedule_seed": seed})


AXES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile("hash seed", hash_seed=4242),
            Profile("clock", inside={"clock_offset_seconds": CLOCK_OFFSET_SECONDS}),
            Profile("random numbers", inside={"random_seed": 99}),
            Profile("time zone", timezone="XYZ-5:45"),
            Profile("locale", locale="C", environment=_C_LOCALE, inside={"comma_decimals": True}),
            Profile("environment", environment=_ELSEWHERE, inside={"stranger": True}),
            Profile("working directory", directory="elsewhere"),
            Profile("directory listing order", inside={"reverse_listings": True}),
            thread_schedule(1),
            Profile("answer order", server={"delay_seed": 7}),
            Profile("chunking", server={"chunk_bytes": 7}),
        )
    }
)  # fmt: skip
"""Each axis alone, to name the culprit."""


def all_axes(without: frozenset[str] = frozenset()) -> Profile:
    """All axes at once, so that one replay finds out whether any matters.

    Args:
        without: axes that an operation declares to depend on.
    """
    profile = together([axis for axis in AXES if axis not in without])
    left = f" without {', '.join(sorted(without))}" if without else ""
    return replace(profile, name=f"every axis{left}", nonce=2)


def together(axes: Collection[str]) -> Profile:
    """These axes at once."""
    chosen = [AXES[name] for name in AXES if name in axes]
    changed: dict[str, Any] = {}
    for field in fields(Profile):
        usual = getattr(_BASE, field.name)
        for value in (getattr(profile, field.name) for profile in chosen):
            if isinstance(usual, Mapping):
                changed[field.name] = {**changed.get(field.name, {}), **value}
            elif value != usual:
                changed[field.name] = value
    named = " + ".join(profile.name for profile in chosen)
    return replace(_BASE, **{**changed, "name": named})
