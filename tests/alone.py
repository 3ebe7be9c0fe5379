"""Run a package's tests against its built wheel: alone, and from a folder outside the source.

    python tests/alone.py prepare PACKAGE SCRATCH   build the wheel and install it with its `test` extra
    python tests/alone.py run PACKAGE SCRATCH …     copy its tests away and run them there

Only the standard library is used here; uv and pytest are the environment's own.
"""

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = {"core-caps": "fast,manifest,test"}
"""What the tests of a package need besides itself; `test` unless said."""


def folder_of(package: str) -> Path:
    """Where a package's sources are."""
    plugin = ROOT / "plugins" / package
    return plugin if plugin.is_dir() else ROOT / package


def prepare(package: str, scratch: Path) -> None:
    """Install the package's wheel, with its own dependencies and nothing else of ours."""
    wheels = scratch / "wheels"
    build = ["uv", "build", "-q", "--wheel", "--out-dir", str(wheels), str(folder_of(package))]
    subprocess.run(build, check=True, cwd=ROOT)
    [wheel] = wheels.glob(f"{package.replace('-', '_')}-*.whl")
    wanted = f"{package}[{EXTRAS.get(package, 'test')}] @ {wheel.as_uri()}"
    # The wheels just built must win over an index that may know the same names.
    ours = [path.as_uri() for path in wheels.glob("core_caps-*.whl")]
    needs = [wanted] if package == "core-caps" else [wanted, f"core-caps @ {ours[0]}"]
    install = ["uv", "pip", "install", "-q", "--python", sys.executable, "--reinstall-package"]
    subprocess.run([*install, package, *needs], check=True, cwd=ROOT)


def run(package: str, scratch: Path, arguments: list[str]) -> int:
    """Run the copied tests; the installed package must be the one that is imported."""
    others = {"core-caps", "flows-registry", "cap-cloudflare-kv", "cap-cloudflare-r2"}
    others -= {package, "core-caps"}
    present = {each.name for each in importlib.metadata.distributions()} & others
    if present:
        print(f"not alone: {', '.join(sorted(present))} is installed too", file=sys.stderr)
        return 1
    copied = scratch / "outside" / package
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(folder_of(package) / "tests", copied / "tests")
    for name in ("README.md", "docs"):
        source = folder_of(package) / name
        if source.is_file():
            shutil.copy(source, copied / name)
    pytest = [sys.executable, "-P", "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml")]
    command = [*pytest, f"--rootdir={copied}", str(copied / "tests"), *arguments]
    return subprocess.run(command, check=False, cwd=copied).returncode


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", name, where]:
            prepare(name, Path(where))
        case ["run", name, where, *rest]:
            raise SystemExit(run(name, Path(where), rest))
        case _:
            raise SystemExit(__doc__)
