"""Discovery among 150 distributions, beside the importlib_metadata backport on the same folder.

`warm` is a process that asked before; `next process` reads what another one left on disk;
`first time` has nothing to go by. All three are checked to give the same answer as the peer.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import importlib_metadata
from core_caps.plugins import snapshot
from side_by_side import Comparison, compare, measure, report

DISTRIBUTIONS = 150
PLUGINS = 3

MANIFEST = """
schema = 1
name = "plugin-{number}"
summary = "One of many"
[capabilities.kv]
contract = "kv/1"
operations = ["get", "get_with_metadata", "list", "put", "delete"]
[backends.mock]
providers.kv = "plugin_{number}.mock:Mock"
"""


def install(site: Path) -> None:
    """Write what 150 installed distributions leave behind: metadata, a third of it with scripts."""
    for number in range(DISTRIBUTIONS):
        info = site / f"dist_{number}-1.{number}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: dist-{number}\nVersion: 1.{number}\n\n" + "text\n" * 200
        )
        (info / "RECORD").write_text("a,b,c\n" * 100)
        lines = [f"[console_scripts]\ndist-{number} = dist_{number}.main:main\n"]
        if number < PLUGINS:
            lines.append(f"[flows.capabilities]\nplugin-{number} = plugin_{number}.plugin\n")
            package = site / f"plugin_{number}"
            package.mkdir()
            (package / "__init__.py").touch()
            (package / "capability.toml").write_text(MANIFEST.format(number=number))
        (info / "entry_points.txt").write_text("\n".join(lines))


def comparisons(site: Path, cache: Path) -> list[Comparison]:
    """Every way to ask, each beside the peer."""
    from core_caps.plugins.discovery import discover

    # What a process of an environment has besides the folder of distributions.
    path = [str(site), *(entry for entry in sys.path if entry and "site-packages" not in entry)]
    path = [entry for entry in path if not entry.endswith("/src")]

    def warm() -> None:
        if len(discover(path)) != PLUGINS:
            raise AssertionError("not every plugin was found")

    def next_process() -> None:
        snapshot.forget()
        warm()

    def first_time() -> None:
        shutil.rmtree(cache)
        next_process()

    def peer() -> None:
        before, sys.path = sys.path, path
        try:
            found = importlib_metadata.entry_points(group="flows.capabilities")
        finally:
            sys.path = before
        if len(found) != PLUGINS:
            raise AssertionError("the peer found others")

    warm()
    return [
        measure("cached discovery, warm", warm, goal="<= 0.3 ms", rounds=31),
        compare("warm ÷ importlib_metadata", warm, peer, goal=">= 10x"),
        compare("next process ÷ importlib_metadata", next_process, peer),
        compare("first time ÷ importlib_metadata", first_time, peer),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        site, cache = Path(folder, "site-packages"), Path(folder, "cache")
        site.mkdir()
        os.environ["XDG_CACHE_HOME"] = str(cache)
        install(site)
        time.sleep(snapshot.INSTALLED_SECONDS + 0.2)  # what is being installed is watched closer
        rows = comparisons(site, cache)
    report(rows)


if __name__ == "__main__":
    main()
