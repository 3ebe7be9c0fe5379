"""A Worker that a plugin ships for its users to deploy: read from its wrangler configuration.

The simulator runs it as the vendor would, beside the lab's own bridge, so that a backend is
compared with the very code that answers it in production.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows_registry.lab.simulators.absence import SimulatorFailed

__all__ = ["DeployedWorker", "read_worker"]


@dataclass(frozen=True, slots=True)
class DeployedWorker:
    """A Worker as the simulator is told of it.

    Attributes:
        main: its module's name.
        source: the module's text.
        objects: class names by binding, each a class of Durable Objects with SQLite storage.
        secrets: text bindings by name.
        compatibility_date: selects the runtime's behaviour.
        compatibility_flags: what it asks for besides.
    """

    main: str
    source: str
    objects: Mapping[str, str]
    secrets: Mapping[str, str]
    compatibility_date: str
    compatibility_flags: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """What the driver reads."""
        return {
            "main": self.main,
            "source": self.source,
            "objects": dict(self.objects),
            "secrets": dict(self.secrets),
            "compatibility_date": self.compatibility_date,
            "compatibility_flags": list(self.compatibility_flags),
        }


def read_worker(configuration: Path, secrets: Mapping[str, str]) -> DeployedWorker:
    """The Worker of a `wrangler.toml`, with these secrets.

    Raises:
        SimulatorFailed: the configuration or the module cannot be read, or needs what is not
            simulated here.
    """
    try:
        found = tomllib.loads(configuration.read_text())
        main = found["main"]
        source = (configuration.parent / main).read_text()
        objects = {
            binding["name"]: binding["class_name"]
            for binding in found.get("durable_objects", {}).get("bindings", [])
        }
        with_sqlite = {
            name for step in found.get("migrations", []) for name in step["new_sqlite_classes"]
        }
        date, flags = found["compatibility_date"], tuple(found.get("compatibility_flags", ()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SimulatorFailed(f"{configuration} is not understood: {error!r}") from error
    if not set(objects.values()) <= with_sqlite:
        raise SimulatorFailed(f"{configuration} has classes without SQLite storage")
    return DeployedWorker(main, source, objects, dict(secrets), date, flags)
