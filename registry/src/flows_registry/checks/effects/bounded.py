"""The static derivation in a process of its own: a source may be made to keep it busy for ever.

What is not derived in time is Top, everywhere: nothing is known, so nothing is claimed, and the
wire and the state have to show it.
"""

import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.static import Derived, Location, Top, derive

__all__ = ["SECONDS_MAX", "derive_bounded"]

SECONDS_MAX = 20
"""Of the processor's time: what else this machine does changes no verdict."""

MEMORY_BYTES_MAX = 4 << 30

_PATIENCE = 10
"""How many times as long it may take by the clock."""


def derive_bounded(
    source: Path, provider: str, operations: Sequence[str], *, seconds: int = SECONDS_MAX
) -> Mapping[str, Derived]:
    """As `derive`, with an end: after `seconds` every operation is Top."""
    words = [str(seconds), str(source), provider, *operations]
    command = [sys.executable, "-P", "-m", __name__, *words]
    late = f"the source was not followed within {seconds} s"
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds * _PATIENCE, check=True)
    except subprocess.TimeoutExpired:
        return _unknown(operations, late)
    except subprocess.CalledProcessError as error:
        if error.returncode == -signal.SIGXCPU:
            return _unknown(operations, late)
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return _unknown(operations, f"the source could not be followed: {''.join(last)}")
    derived: Mapping[str, Derived] = pickle.loads(done.stdout)  # noqa: S301 (our own process)
    return derived


def _unknown(operations: Sequence[str], reason: str) -> Mapping[str, Derived]:
    top = Top(reason, Location("", 0))
    return {name: Derived(Effects.PURE, top=(top,)) for name in operations}


def _bound(seconds: int) -> None:
    """Let the kernel end this process where it takes too much."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))


if __name__ == "__main__":
    _bound(int(sys.argv[1]))
    found = derive(Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
    sys.stdout.buffer.write(pickle.dumps(dict(found)))
