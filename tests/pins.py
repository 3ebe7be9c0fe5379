"""Write the pins of the root's pyproject.toml anew, from what resolves today.

    python tests/pins.py

`[tool.uv] constraint-dependencies` gets the exact version of all that any member needs, with every
extra and group; `build-constraint-dependencies` that of all that builds a member. uv obeys both in
`run`, `sync`, `build` and `pip install`. Nothing else of the file changes, and no index is named.
"""

import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NEEDED, BUILDING = "constraint-dependencies", "build-constraint-dependencies"

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)(?: ; (.+))?$")
_ARRAY = re.compile(rf"^(?:{NEEDED}|{BUILDING}) = \[\n(?:.*\n)*?\]\n", re.MULTILINE)
_TABLE = re.compile(r"^\[tool\.uv\]\n(?:(?!\[).*\n)*?(?=\n*(?:\[|\Z))", re.MULTILINE)


def projects() -> Iterator[Path]:
    """Where each pyproject.toml of the workspace is, the root's first."""
    yield ROOT / "pyproject.toml"
    for pattern in ("*/pyproject.toml", "plugins/*/pyproject.toml"):
        yield from sorted(ROOT.glob(pattern))


def needed_today() -> list[str]:
    """The pins of all that the workspace needs, its present ones forgotten."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder)
        for project in projects():
            copy = bare / project.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project, copy)
        root = bare / "pyproject.toml"
        root.write_text(with_pins(root.read_text("utf-8"), {}), "utf-8")
        everything = ["--all-packages", "--all-extras", "--all-groups", "--no-emit-workspace"]
        plain = ["--no-hashes", "--no-annotate", "--no-header"]
        return pins_of(_uv("export", "--quiet", *everything, *plain, at=bare))


def building_today() -> list[str]:
    """The pins of all that builds the members."""
    tables = [tomllib.loads(project.read_text("utf-8")) for project in projects()]
    wanted = {
        need for table in tables for need in table.get("build-system", {}).get("requires", ())
    }
    python = tables[0]["project"]["requires-python"].removeprefix(">=")
    settings = ["--no-config", "--quiet", "--universal", "--python-version", python]
    plain = ["--no-annotate", "--no-header"]
    requirements = "\n".join(sorted(wanted))
    with tempfile.TemporaryDirectory() as folder:
        command = ("pip", "compile", *settings, *plain, "-")
        return pins_of(_uv(*command, at=Path(folder), given=requirements))


def pins_of(exported: str) -> list[str]:
    """`name==version` of each line; a marker stays only where a name has several versions."""
    found = [match.groups() for match in map(_PIN.match, exported.splitlines()) if match]
    versions = Counter(name for name, _, _ in found)
    return sorted(
        f"{name}=={version} ; {marker}" if marker and versions[name] > 1 else f"{name}=={version}"
        for name, version, marker in found
    )


def with_pins(text: str, pins: Mapping[str, Sequence[str]]) -> str:
    """The file's text with these arrays at the end of `[tool.uv]`, and none of the old ones.

    Raises:
        ValueError: there is no such table, or something else would change.
    """
    arrays = "".join(
        f"{key} = [\n" + "".join(f"    {_quoted(pin)},\n" for pin in found) + "]\n"
        for key, found in pins.items()
    )
    emptied = _ARRAY.sub("", text)
    table = _TABLE.search(emptied)
    if table is None:
        raise ValueError("pyproject.toml has no table [tool.uv]")
    written = emptied[: table.end()] + arrays + emptied[table.end() :]
    if _without_pins(written) != _without_pins(text):
        raise ValueError("more than the pins would change")
    return written


def _quoted(pin: str) -> str:
    return '"' + pin.replace('"', "'") + '"'


def _without_pins(text: str) -> dict[str, Any]:
    whole = tomllib.loads(text)
    for key in (NEEDED, BUILDING):
        whole["tool"]["uv"].pop(key, None)
    return whole


def _uv(*arguments: str, at: Path, given: str = "") -> str:
    environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        ["uv", *arguments], cwd=at, input=given, stdout=subprocess.PIPE, text=True, env=environ
    )
    if done.returncode:
        raise SystemExit(f"uv {arguments[0]} ended with {done.returncode}; nothing was written")
    return done.stdout


def main() -> None:
    """Write the file, and say how much is pinned."""
    pins = {NEEDED: needed_today(), BUILDING: building_today()}
    file = ROOT / "pyproject.toml"
    file.write_text(with_pins(file.read_text("utf-8"), pins), "utf-8")
    print(", ".join(f"{len(found)} {key}" for key, found in pins.items()))


if __name__ == "__main__":
    main()
