"""The axes along which a replay differs, each alone and all together.

With the service pinned, whatever differs between two replays comes from the plugin's own
surroundings; an operation that claims anything better than nondeterministic shows no difference.
"""

from collections.abc import Mapping
from types import MappingProxyType

from flows_registry.lab.lab import Profile

__all__ = ["ALL_AXES", "AXES", "BASE", "REPEAT"]

CLOCK_OFFSET_SECONDS = 40_000_003.0 + 0.625
"""More than a year and not a whole number of anything: every field of a date changes."""

BASE = Profile("base")
"""Everything pinned."""

REPEAT = Profile("memory addresses", nonce=1)
"""Everything pinned, in another process: only where things lie in memory differs."""

AXES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile("hash seed", hash_seed=4242),
            Profile("clock", inside={"clock_offset_seconds": CLOCK_OFFSET_SECONDS}),
            Profile("random numbers", inside={"random_seed": 99}),
            Profile("time zone", timezone="XYZ-5:45"),
            Profile("locale", locale="C", environment={"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
            Profile(
                "environment",
                environment={"USER": "somebody", "HOSTNAME": "elsewhere", "LANG": "de_DE", "DEBUG": "1"},
            ),
            Profile("working directory", directory="elsewhere"),
            Profile("directory listing order", inside={"reverse_listings": True}),
            Profile("thread schedule", inside={"switch_seconds": 0.000_01}),
            Profile("answer order", server={"delay_seed": 7}),
            Profile("chunking", server={"chunk_bytes": 7}),
        )
    }
)  # fmt: skip
"""Each axis alone, to name the culprit."""

ALL_AXES = Profile(
    "every axis",
    hash_seed=4242,
    timezone="XYZ-5:45",
    locale="C",
    environment={
        **AXES["locale"].environment,
        **AXES["environment"].environment,
    },
    directory="elsewhere",
    inside={
        "clock_offset_seconds": CLOCK_OFFSET_SECONDS,
        "random_seed": 99,
        "reverse_listings": True,
        "switch_seconds": 0.000_01,
    },
    server={"delay_seed": 7, "chunk_bytes": 7},
    nonce=2,
)
"""All of them at once: one replay finds out whether any matters."""
