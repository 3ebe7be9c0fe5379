"""The axes along which a replay differs, each alone and all together.

With the service pinned, whatever differs between two replays comes from the plugin's own
surroundings; an operation that claims anything better than nondeterministic shows no difference.
"""

from collections.abc import Mapping
from types import MappingProxyType

from flows_registry.lab.lab import Profile

__all__ = ["AXES", "REPEAT", "all_axes", "thread_schedule"]

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
            Profile("locale", locale="C", environment=_C_LOCALE),
            Profile("environment", environment=_ELSEWHERE),
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
    inside: dict[str, object] = {}
    environment: dict[str, str] = {}
    server: dict[str, object] = {}
    for axis in AXES.values():
        if axis.name not in without:
            inside |= axis.inside
            environment |= axis.environment
            server |= axis.server
    return Profile(
        f"every axis without {', '.join(sorted(without))}" if without else "every axis",
        hash_seed=AXES["hash seed"].hash_seed,
        timezone=AXES["time zone"].timezone,
        locale=AXES["locale"].locale,
        environment=environment,
        directory=AXES["working directory"].directory,
        inside=inside,
        server=server,
        nonce=2,
    )
