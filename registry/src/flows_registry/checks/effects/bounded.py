"""The static derivation in a process of its own: a source may be made to keep it busy for ever.

What is not derived in time is Top, everywhere: nothing is known, so nothing is claimed, and the
wire and the state have to show it.
"""

import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.static import Derived, Location, Top, derive

__all__ = ["SECONDS_MAX", "derive_bounded"]

SECONDS_MAX = 20.0


def derive_bounded(
    source: Path, provider: str, operations: Sequence[str], *, seconds: float = SECONDS_MAX
) -> Mapping[str, Derived]:
    """As `derive`, with an end: after `seconds` every operation is Top."""
    command = [sys.executable, "-P", "-m", __name__, str(source), provider, *operations]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=True)
    except subprocess.TimeoutExpired:
        return _unknown(operations, f"the source was not followed within {seconds:g} s")
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return _unknown(operations, f"the source could not be followed: {''.join(last)}")
    derived: Mapping[str, Derived] = pickle.loads(done.stdout)  # noqa: S301 (our own process)
    return derived


def _unknown(operations: Sequence[str], reason: str) -> Mapping[str, Derived]:
    top = Top(reason, Location("", 0))
    return {name: Derived(Effects.PURE, top=(top,)) for name in operations}


if __name__ == "__main__":
    found = derive(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
    sys.stdout.buffer.write(pickle.dumps(dict(found)))
