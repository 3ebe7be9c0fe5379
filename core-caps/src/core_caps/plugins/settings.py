"""A backend's settings: the manifest's declarations met by what the binding gives.

This is the one place that reads the environment on a plugin's behalf.
"""

import dataclasses
import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from core_caps.claims.manifest import Setting
from core_caps.errors import ConfigInvalid, ManifestInvalid
from core_caps.secret import Secret

if TYPE_CHECKING:
    from core_caps.capabilities.secrets import Secrets

__all__ = ["given_settings", "kept_in", "resolved"]

_Config = TypeVar("_Config")

_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True,
             "false": False, "0": False, "no": False, "off": False}  # fmt: skip

_TYPES: Mapping[str, type] = {"str": str, "int": int, "float": float, "bool": bool}

REDACTED_LETTERS_MIN = 4
"""A secret shorter than this is not redacted within a text: the text is withheld."""

_ABSENT = object()


def resolved(
    config: type[_Config],
    declared: Mapping[str, Setting],
    given: Mapping[str, object],
    secrets: "Mapping[str, str | Secret]",
    *,
    subject: str,
) -> _Config:
    """An instance of the dataclass `config`; see `Opening.settings`."""
    _check_fields(config, declared, subject)
    misplaced = dict(_misplaced(given, secrets, declared))
    findings = [
        *_unknown(given, declared, "config"),
        *_unknown(secrets, declared, "secrets"),
        *misplaced.values(),
    ]
    values: dict[str, object] = {}
    for setting in declared.values():
        if setting.name in misplaced:
            continue
        value = _chosen(setting, secrets if setting.type == "secret" else given, findings)
        if value is not _ABSENT:
            values[setting.name] = value
    if findings:
        raise _refused(subject, findings)
    try:
        return config(**values)
    except ValueError as error:
        raise _refused(subject, [_told(error, values)]) from None


def _check_fields(config: type[object], declared: Mapping[str, Setting], subject: str) -> None:
    title = config.__qualname__
    if not dataclasses.is_dataclass(config):
        raise ManifestInvalid(f"{subject}: {title} is not a dataclass")
    fields = {field.name: field for field in dataclasses.fields(config) if field.init}
    findings = [
        f"{name} is declared, but {title} has no such field"
        for name in declared
        if name not in fields
    ] + [
        f"{title}.{name} is required, but the manifest does not declare it"
        for name, field in fields.items()
        if name not in declared
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if findings:
        raise ManifestInvalid(f"{subject}: manifest and {title} disagree", findings=findings)


def given_settings(given: object, where: str) -> dict[str, Any]:
    """What a binding gives, as a table of its own.

    Raises:
        ConfigInvalid: it is no mapping of names to values; the values are not shown (CAP105).
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):  # pyright: ignore[reportUnknownVariableType]
        raise ConfigInvalid(
            f"{where} is no mapping of settings' names to values", hint=f"give {where} a dict"
        )
    return dict(cast("Mapping[str, Any]", given))


async def kept_in(store: "Secrets", declared: Mapping[str, Setting]) -> dict[str, Secret]:
    """The secret settings that a store has: each is asked for by its environment variable's name,
    or else by its own."""
    found = {
        setting.name: await store.get(setting.env or setting.name)
        for setting in declared.values()
        if setting.type == "secret"
    }
    return {name: secret for name, secret in found.items() if secret is not None}


def _unknown(given: Iterable[str], declared: Mapping[str, Setting], where: str) -> list[str]:
    findings: list[str] = []
    for name in given:
        if name in declared:
            continue
        near = difflib.get_close_matches(name, declared, n=1)
        known = ", ".join(declared) or "none"
        findings.append(
            f"{where}: unknown setting {name!r}; "
            + (f"did you mean {near[0]!r}?" if near else f"there are: {known}")
        )
    return findings


def _misplaced(
    given: Mapping[str, object], secrets: Mapping[str, object], declared: Mapping[str, Setting]
) -> Iterator[tuple[str, str]]:
    """The settings that were given in the wrong place, each with what to say of it."""
    for name in given:
        if name in declared and declared[name].type == "secret":
            yield name, f"{name} is a secret: give it in secrets, not in config"
    for name in secrets:
        if name in declared and declared[name].type != "secret":
            yield name, f"{name} is not a secret: give it in config, not in secrets"


def _chosen(setting: Setting, given: Mapping[str, object], findings: list[str]) -> object:
    if setting.name in given:
        return _typed(setting, given[setting.name], findings)
    # An empty variable counts as unset: shells and deployment tools often leave one behind.
    text = os.environ.get(setting.env, "") if setting.env else ""
    if text:
        return _from_text(setting, text, findings)
    if setting.default is not None:
        return _typed(setting, setting.default, findings)
    if setting.required:
        where = "secrets" if setting.type == "secret" else "config"
        also = f" or the environment variable {setting.env}" if setting.env else ""
        findings.append(f"{setting.name} is missing: give it in {where}{also}{_as_in(setting)}")
    return _ABSENT


def _typed(setting: Setting, value: object, findings: list[str]) -> object:
    if setting.type == "secret":
        value = Secret(value) if isinstance(value, str) else value
        if isinstance(value, Secret) and value.reveal():
            return value
        what = "is empty" if isinstance(value, Secret) else f"must be text, not {_kind(value)}"
        findings.append(f"{setting.name} {what}")
        return _ABSENT
    if setting.type == "float" and type(value) is int:
        return float(value)
    wanted = _TYPES[setting.type]
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        must = f"{setting.name} must be {setting.type}, not {_kind(value)}"
        findings.append(f"{must}{_as_in(setting)}")
        return _ABSENT
    if setting.required and value == "":
        findings.append(f"{setting.name} is empty{_as_in(setting)}")
        return _ABSENT
    return value


def _as_in(setting: Setting) -> str:
    """The manifest's example, which is no secret."""
    known = setting.type != "secret" and setting.example is not None
    return f", as in {setting.example!r}" if known else ""


def _kind(value: object) -> str:
    # The type alone: a value in the wrong place may well be a secret.
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _from_text(setting: Setting, text: str, findings: list[str]) -> object:
    try:
        match setting.type:
            case "secret":
                return Secret(text)
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return _BOOLEANS[text.strip().lower()]
            case _:
                return text
    except (ValueError, KeyError):
        findings.append(f"{setting.name} must be {setting.type}, and {setting.env} is not")
        return _ABSENT


def _refused(subject: str, findings: list[str]) -> ConfigInvalid:
    count = "1 problem" if len(findings) == 1 else f"{len(findings)} problems"
    listed = "\n".join(f"  - {finding}" for finding in findings)
    return ConfigInvalid(f"{subject}: {count}\n{listed}")


def _told(error: ValueError, values: Mapping[str, object]) -> str:
    """What the dataclass says against its values, without a secret.

    A secret is redacted by its value. A short one stands in other words by chance: dots in their
    midst would tell it, so that nothing of the text is shown.
    """
    text = str(error)
    secrets = {name: each.reveal() for name, each in values.items() if isinstance(each, Secret)}
    for name, secret in secrets.items():
        if len(secret) < REDACTED_LETTERS_MIN and secret in text:
            return f"they are refused; why is not shown, for {name} is too short to be redacted"
    for secret in sorted(secrets.values(), key=len, reverse=True):
        text = text.replace(secret, repr(Secret(secret)))
    return text
