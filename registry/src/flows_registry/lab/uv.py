"""How uv is called: always the same way, knowing where the package index is and nothing else."""

import configparser
import functools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows_registry.lab.running import Ran, Run, run

__all__ = ["Uv", "bare_environment", "index_environment", "uv_binary"]

_INDEX_VARIABLES = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|INDEX_STRATEGY"
    r"|KEYRING_PROVIDER|INSECURE_HOST|SYSTEM_CERTS|NATIVE_TLS|OFFLINE|CACHE_DIR|HTTP_TIMEOUT"
    r"|CONFIG_FILE|INDEX_\w+_(USERNAME|PASSWORD))"
)
"""Of uv's variables, those that say where packages come from; the others would change a result."""

_SCRUBBED = re.compile(r"(UV_|PIP_|PYTHON|VIRTUAL_ENV|CONDA_|__PYVENV)")

_PIP_OPTIONS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
"""Where only pip was told how to reach its index, uv is told the same."""

UV_SECONDS_MAX = 300.0


@functools.cache
def uv_binary() -> str:
    """The uv that our own `uv` dependency brought."""
    import uv

    return os.fspath(uv.find_uv_bin())


def index_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables for a step that fetches packages and runs no foreign code."""
    kept = {
        name: value
        for name, value in environ.items()
        if _INDEX_VARIABLES.fullmatch(name) or not _SCRUBBED.match(name)
    }
    for option, value in _pip_settings(environ).items():
        kept.setdefault(_PIP_OPTIONS[option], value)
    kept["UV_PYTHON_DOWNLOADS"] = "never"
    kept["UV_LINK_MODE"] = "copy"  # a plugin that writes to its files must not reach uv's cache
    return kept


def bare_environment(scratch: Path, **more: str) -> dict[str, str]:
    """The variables for a step that runs foreign code: no secret, no home, no configuration."""
    home, temporary = scratch / "home", scratch / "tmp"
    home.mkdir(parents=True, exist_ok=True)
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"SYSTEMROOT": os.environ["SYSTEMROOT"]} if "SYSTEMROOT" in os.environ else {}),
        **more,
    }


@dataclass(frozen=True, slots=True)
class Uv:
    """uv as the lab uses it.

    Attributes:
        offline: use only what uv has cached.
        find_links: folders with wheels to offer beside the index.
        run: how commands are run.
    """

    offline: bool = False
    find_links: tuple[Path, ...] = ()
    run: Run = run
    env: Mapping[str, str] = field(default_factory=index_environment)

    def __call__(self, *arguments: str, cwd: Path, timeout_seconds: float = UV_SECONDS_MAX) -> Ran:
        """Run one uv command that may reach the index; `cwd` holds no project of its own."""
        command = [uv_binary(), *arguments, "--no-progress", "--color", "never"]
        if self.offline:
            command.append("--offline")
        return self.run(command, env=self.env, cwd=cwd, timeout_seconds=timeout_seconds)

    def sources(self) -> Sequence[str]:
        """The options that name the folders with wheels."""
        return [part for folder in self.find_links for part in ("--find-links", str(folder))]


def _pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """What pip was told in variables and configuration files, the stronger source last."""
    found: dict[str, str] = {}
    home = Path(environ.get("HOME") or Path.home())
    config_home = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [Path("/etc/pip.conf"), home / ".pip/pip.conf", config_home / "pip/pip.conf"]
    if named := environ.get("PIP_CONFIG_FILE"):
        files.append(Path(named))
    parser = configparser.RawConfigParser()
    try:
        parser.read(files, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        parser = configparser.RawConfigParser()
    for option in _PIP_OPTIONS:
        variable = "PIP_" + option.upper().replace("-", "_")
        value = environ.get(variable) or parser.get("global", option, fallback="")
        if value:
            found[option] = " ".join(value.split())
    return found
