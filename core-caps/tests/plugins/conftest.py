"""A folder on sys.path into which tests install plugins, as an installer would."""

import importlib
import shutil
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from core_caps.plugins import snapshot

PLUGIN = """
from core_caps import Opening, hookimpl

@hookimpl
def flows_open(opening: Opening) -> object:
    provider = opening.load()
    return provider(opening.settings(provider.Config), clock=opening.clock, rng=opening.rng)
"""

MOCK = """
from dataclasses import dataclass

@dataclass(frozen=True)
class MockConfig:
    stale_seconds: float = 0.0

class MockKv:
    Config = MockConfig

    def __init__(self, config, *, clock, rng):
        self.config, self.clock, self.rng = config, clock, rng
        self.entries = {}
        self.closed = False

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        self.closed = True

    async def get(self, key):
        return self.entries.get(key)

    async def get_with_metadata(self, key):
        return None

    async def list(self, *, prefix="", limit=1000, cursor=None):
        from core_caps.capabilities.key_value import KeyInfo, Page
        return Page(tuple(KeyInfo(key) for key in sorted(self.entries) if key.startswith(prefix)))

    async def put(self, key, value, *, ttl_seconds=None, expires_at=None, metadata=None):
        self.entries[key] = value

    async def delete(self, key):
        self.entries.pop(key, None)
"""

MANIFEST = """
schema = 1
name = "{name}"
summary = "A test's plugin"

[capabilities.kv]
contract = "kv/1"
operations = ["get", "get_with_metadata", "list", "put", "delete"]

[backends.mock]
providers.kv = "{package}.mock:MockKv"

[backends.mock.config]
stale_seconds = {{ type = "float", default = 0.0 }}
"""


class Site:
    """A site-packages folder of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.installed: set[str] = set()

    def write(self, path: str | Path, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        return file

    def metadata(
        self, distribution: str, entries: str, *, version: str = "1.0", extra: str = ""
    ) -> Path:
        """The metadata folder of a distribution with these lines in our group."""
        folder = f"{distribution.replace('-', '_')}-{version}.dist-info"
        head = f"Metadata-Version: 2.4\nName: {distribution}\nVersion: {version}\n{extra}"
        self.write(f"{folder}/METADATA", head)
        self.write(f"{folder}/entry_points.txt", f"[flows.capabilities]\n{entries}\n")
        return self.folder / folder

    def package(self, package: str, *, name: str, folder: Path | None = None, **files: str) -> Path:
        """A plugin's package: hook, mock and manifest, unless files say otherwise."""
        home = (folder or self.folder) / package
        contents = {
            "__init__.py": "",
            "plugin.py": PLUGIN,
            "mock.py": MOCK,
            "capability.toml": MANIFEST.format(name=name, package=package),
        } | {file.replace("__", ".", 1): text for file, text in files.items()}
        for file, text in contents.items():
            self.write(home / file, text)
        self.installed.add(package)
        return home

    def plugin(self, name: str, *, distribution: str = "", version: str = "1.0", extra: str = "",
               **files: str) -> Path:  # fmt: skip
        """Install a whole plugin; its package's folder is returned."""
        distribution = distribution or f"cap-{name}"
        package = distribution.replace("-", "_")
        self.metadata(distribution, f"{name} = {package}.plugin", version=version, extra=extra)
        return self.package(package, name=name, **files)

    def uninstall(self, distribution: str) -> None:
        package = distribution.replace("-", "_")
        for folder in [*self.folder.glob(f"{package}-*.dist-info"), self.folder / package]:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder, empty."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def site(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The only folder of plugins on sys.path; modules imported from it are forgotten again."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    keep = [entry for entry in sys.path if not _holds_plugins(Path(entry or "."))]
    monkeypatch.setattr(sys, "path", [str(folder), *keep])
    importlib.invalidate_caches()
    made = Site(folder)
    before = set(sys.modules)
    yield made
    for module in set(sys.modules) - before:
        if module.partition(".")[0] in made.installed:
            del sys.modules[module]
    snapshot.forget()


def _holds_plugins(folder: Path) -> bool:
    """Whether a path entry has plugins of its own: the workspace's, which a test must not see."""
    return any(
        "flows.capabilities" in file.read_text()
        for file in folder.glob("*.dist-info/entry_points.txt")
    )


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Ctrl-C is heard even where the tests run behind a shell that lets nobody hear it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
