"""What a Worker imports reaches the standard library only, and importing the package is cheap."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import core_caps
import pytest

pytestmark = pytest.mark.feature("DC-01")

SOURCE = Path(core_caps.__file__).parent

BEYOND = ("plugins", "http")
"""Parts that a Worker does not import: it is given its capabilities, and has `fetch` for HTTP."""

TOOLS = (
    "core_caps.claims.manifest_model",
    "core_caps.contract.declared",
    "core_caps.contract.pytest_plugin",
)
"""Modules for tools and tests, which need more than the standard library."""


def modules() -> list[str]:
    found: list[str] = []
    for file in sorted(SOURCE.rglob("*.py")):
        parts = file.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(("core_caps", *(part for part in parts if part != "__init__")))
        if parts[0] not in BEYOND and name not in TOOLS:
            found.append(name)
    return found


def isolated(script: str, *arguments: str) -> str:
    """What a script prints under an interpreter that sees the standard library and our source."""
    with tempfile.TemporaryDirectory() as folder:
        # Of itself: beside an installed package lie all the others.
        Path(folder, "core_caps").symlink_to(SOURCE)
        head = f"import sys; sys.path.append({folder!r})\n"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", head + script, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_edge_set_imports_with_the_standard_library_alone() -> None:
    names = modules()
    assert {"core_caps.claims.manifest", "core_caps.calls.retrying", "core_caps.errors"} <= set(
        names
    )
    script = """
import importlib, json
for name in sys.argv[1:]:
    importlib.import_module(name)
allowed = set(sys.stdlib_module_names) | {"core_caps", "__main__"}
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} - allowed)))
"""
    assert json.loads(isolated(script, *names)) == []


def test_discovery_needs_the_standard_library_alone() -> None:
    isolated("from core_caps.plugins import discovery; discovery.discover()")


def test_every_exported_name_of_the_edge_set_is_there() -> None:
    script = """
import core_caps
for name in dir(core_caps):
    if name not in ("connect", "sync", "hookimpl", "Opening"):
        getattr(core_caps, name)
"""
    isolated(script)


def test_importing_the_package_imports_nothing_else() -> None:
    script = "before = set(sys.modules); import core_caps; print(sorted(set(sys.modules) - before))"
    assert isolated(script) == "['core_caps']\n"


def test_importing_the_package_takes_under_three_milliseconds() -> None:
    script = """
import time
started = time.perf_counter()
import core_caps
print(time.perf_counter() - started)
"""
    deadline = time.monotonic() + 10
    best = min(float(isolated(script)) for _ in range(5))
    assert best < 0.003
    assert time.monotonic() < deadline


def test_checkers_and_the_interpreter_know_the_same_names() -> None:
    source = (SOURCE / "__init__.py").read_text()
    shown_to_checkers = {
        line.rpartition(" as ")[2]
        for line in source.splitlines()
        if line.startswith("    from core_caps")
    }
    assert shown_to_checkers == set(core_caps._HOMES)  # pyright: ignore[reportPrivateUsage]
