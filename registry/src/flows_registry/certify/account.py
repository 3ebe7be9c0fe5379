"""The user's own account: the settings that a manifest says where to find, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core_caps.claims.manifest import Backend, Manifest, Setting
from core_caps.errors import CapsError

from flows_registry.checks.package import plugin_source
from flows_registry.checks.package_contents import usable_manifest
from flows_registry.lab.wheel import MANIFEST_NAME

__all__ = ["Account", "AccountUnusable", "account_of", "manifest_at"]


class AccountUnusable(CapsError):
    """The account cannot be used as it is given."""

    code = "LAB020"


@dataclass(frozen=True, slots=True)
class Account:
    """What one backend is pointed at.

    Attributes:
        backend: the backend.
        settings: by name, what is no secret.
        secrets: by name, what is.
        apart: the settings of which another value is another service, an empty one.
    """

    backend: Backend
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    apart: tuple[str, ...] = ()


def manifest_at(path: Path) -> Manifest:
    """The manifest of the plugin's source.

    Raises:
        SourceNotPlugin, SourceRefused, ManifestInvalid: as `plugin_source` does.
    """
    source = plugin_source(path)
    name = next(name for name in source.files if Path(name).name == MANIFEST_NAME)
    return usable_manifest((source.root / name).read_bytes(), str(path / name))


def account_of(
    manifest: Manifest, backend: str, given: Mapping[str, str], environ: Mapping[str, str]
) -> Account:
    """The account that the environment tells of.

    Args:
        manifest: the plugin's.
        backend: the backend's name, or "" for the only one that reaches a service.
        given: settings that go before the environment; no secret among them.
        environ: the environment's variables.

    Raises:
        AccountUnusable: no such backend, or a setting is missing or is none of its settings.
    """
    declared = _backend(manifest, backend)
    settings = {each.name: each for each in declared.config.values() if each.type != "secret"}
    if strange := sorted(given.keys() - settings.keys()):
        raise AccountUnusable(
            f"{strange[0]!r} is no setting of the backend {declared.name!r} that may be given so",
            hint=f"settings: {', '.join(settings)}; secrets come from the environment alone",
        )
    secrets = {n: each for n, each in declared.config.items() if each.type == "secret"}
    values = {name: _value(each, given, environ) for name, each in settings.items()}
    tokens = {name: text for name, each in secrets.items() if (text := _told(each, environ))}
    missing = [n for n, s in settings.items() if s.required and values[n] is None]
    missing += [name for name, each in secrets.items() if each.required and name not in tokens]
    if missing:
        ways = ", ".join(declared.config[name].env or f"--set {name}=…" for name in missing)
        raise AccountUnusable(
            f"the backend {declared.name!r} needs {', '.join(missing)}", hint=f"set {ways}"
        )
    return Account(
        declared,
        {name: value for name, value in values.items() if value is not None},
        tokens,
        tuple(each.name for each in settings.values() if each.apart),
    )


def _backend(manifest: Manifest, name: str) -> Backend:
    remote = [each for each in manifest.backends.values() if each.wire]
    if name:
        remote = [each for each in remote if each.name == name]
    if len(remote) != 1:
        known = ", ".join(each.name for each in manifest.backends.values() if each.wire)
        raise AccountUnusable(
            f"{name!r} reaches no service" if name else "it is not clear which backend is meant",
            hint=f"name one with --backend: {known}"
            if known
            else "no backend of this plugin reaches a service over a network: nothing can be live",
        )
    return remote[0]


def _value(setting: Setting, given: Mapping[str, str], environ: Mapping[str, str]) -> Any:
    text = given.get(setting.name) or _told(setting, environ)
    if not text:
        return setting.default
    try:
        return _READ[setting.type](text)
    except (KeyError, ValueError):
        raise AccountUnusable(
            f"the setting {setting.name!r} is of the type {setting.type}, and {text!r} is not",
            hint="correct its value",
        ) from None


_READ: Mapping[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": {"true": True, "false": False}.__getitem__,
}


def _told(setting: Setting, environ: Mapping[str, str]) -> str:
    """What the environment says of a setting, or ""."""
    return environ.get(setting.env, "") if setting.env else ""
