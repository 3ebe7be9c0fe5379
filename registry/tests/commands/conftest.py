"""The command as it is installed: an environment of its own, plugins put in and taken out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flows_registry.lab.uv import index_environment, uv_binary

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Installation:
    """An environment with flows-registry in it.

    Attributes:
        folder: the environment.
        cache: its user's cache folder.
    """

    folder: Path
    cache: Path

    def python(self) -> str:
        return str(self.folder / "bin/python")

    def uv(self, *words: str) -> None:
        command = [uv_binary(), "pip", *words, "--quiet", "--python", self.python()]
        subprocess.run(command, env=index_environment(), check=True)

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.defpath, "HOME": str(self.cache), "LANG": "C.UTF-8", **variables}
        command = [str(self.folder / "bin/flows-registry"), *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    def rows(self) -> list[dict[str, Any]]:
        """The rows of `list --json`."""
        done = self.run("list", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["plugins"]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """flows-registry installed from wheels, as users have it."""
    folder = tmp_path_factory.mktemp("installation")
    venv = folder / "venv"
    command = [uv_binary(), "venv", "--quiet", "--no-project", "--python", sys.executable]
    subprocess.run([*command, str(venv)], env=index_environment(), check=True)
    made = Installation(venv, folder / "home")
    made.uv("install", f"{ROOT}/core-caps[manifest]", str(ROOT / "registry"))
    return made


@pytest.fixture
def command(installation: Installation) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the installed command."""
    return installation.run


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Ctrl-C is heard even where the tests run behind a shell that lets nobody hear it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
