"""The manifest's published form, for tools: what an author may write, and everything wrong with it.

Imports pydantic (extra `manifest`); providers and connections never import this module.
`python -m core_caps.claims.manifest_model` prints the JSON Schema.
"""

import difflib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core_caps.claims.manifest import FILE_NAME, Finding, Manifest, draft, parse_toml
from core_caps.claims.manifest_rules import RULES
from core_caps.claims.operation import CapabilitySpec

__all__ = ["ManifestModel", "findings_of", "json_schema", "table_of", "validate"]

SpecFor = Callable[[str], CapabilitySpec | None]
"""The specification of a contract, `kv/1`, or None where it is not known."""

_LAZY = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$"
_URL = r"^https?://[^\s/]+\S*$"
_HINT = r"^([a-z][a-z0-9_]*(::[a-z0-9_]+)+|[a-z0-9]+(_[a-z0-9]+)+)$"

Line = Annotated[str, Field(min_length=1, pattern=r"^[^\n]*$")]
LazyName = Annotated[str, Field(pattern=_LAZY)]
HintPath = Annotated[str, Field(pattern=_HINT)]
Url = Annotated[str, Field(pattern=_URL)]
EffectsWord = Literal["pure", "read_only", "effectful"]
DeterminismWord = Literal["strict", "stable", "best_effort", "nondeterministic"]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class DeviationModel(_Model):
    """How one operation differs from the capability's own claim."""

    hints: list[HintPath] | None = Field(None, min_length=1, description="What it touches instead.")
    effects: EffectsWord | None = Field(None, description="Never below a hint's floor.")
    determinism: DeterminismWord | None = Field(None, description="Never above a hint's floor.")
    repeat: Literal["safe", "keyed", "unsafe"] | None = Field(
        None, description="What the same call made twice does."
    )
    delegates: list[HintPath] | None = Field(
        None, description="The hints of calls that a credential it mints permits."
    )


Costs = dict[str, dict[str, Annotated[float, Field(ge=0)]]]


class LimitModel(_Model):
    """A documented limit."""

    value: int | float = Field(description="The limit, in the unit that ends its name.")
    source: Url = Field(description="Where the vendor documents it.")


class ProvidedModel(_Model):
    """A capability that the plugin provides."""

    contract: str = Field(pattern=r"^[a-z][a-z0-9_-]*/[1-9]\d*$", description="As in `kv/1`.")
    operations: list[str] = Field(min_length=1, description="The operations provided.")
    guarantees: dict[str, str] = Field({}, description="What is not said is `unknown`.")
    deviations: dict[str, DeviationModel] = Field({}, description="By operation.")
    protocol: LazyName | None = Field(
        None, description="The Protocol class, for a capability of one's own."
    )
    suite: LazyName | None = Field(None, description="Its Contract, for a capability of one's own.")
    limits: dict[str, LimitModel] = Field({}, description="Documented limits of it alone.")
    costs: Costs = Field({}, description="Per operation of it: what one call costs, by unit.")


class SettingModel(_Model):
    """One setting of a backend."""

    type: Literal["str", "int", "float", "bool", "secret"] = Field(description="Its type.")
    required: bool = Field(False, description="A binding, or the environment, must give it.")
    default: str | int | float | bool | None = Field(None, description="Where nothing is given.")
    env: str | None = Field(
        None, pattern=r"^[A-Za-z_]\w*$", description="The environment variable read for it."
    )
    example: str | int | float | bool | None = Field(None, description="What the lab uses.")
    endpoint: bool = Field(False, description="It is the service's address.")
    folder: bool = Field(False, description="It is the folder of the backend's own files.")
    apart: bool = Field(False, description="Another value is another service, an empty one.")
    needed_by: list[str] = Field(
        [], description="The operations that need it, where the others do without."
    )
    summary: str = Field("", description="One line for people.")


class SafePostModel(_Model):
    """A request that only reads although its method says write."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = Field("POST", description="Its method.")
    path: str = Field(pattern=r"^/\S*$", description="The path, or its end.")
    header: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]+: [!-~]+$",
        description="`Name: value` of a header that it has, too, where one route reads and writes.",
    )


class BackendModel(_Model):
    """A way to reach the service."""

    providers: dict[str, LazyName] = Field(min_length=1, description="Capability → provider class.")
    extra: str | None = Field(
        None, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", description="What to install."
    )
    wire: Line | None = Field(None, description="The protocol it speaks, by the lab's name.")
    reference: LazyName | None = Field(
        None, description="The plugin's own reference server of its wire."
    )
    worker: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]+\.toml$",
        description="The wrangler configuration of the Worker that its users deploy.",
    )
    egress: list[str] = Field([], description="Every `host:port` that it connects to.")
    scopes: list[Line] = Field([], description="What its credential must be allowed to do.")
    retry_owner: Literal["caller", "provider"] = Field("caller", description="Who retries.")
    cancel_seconds_max: Seconds = Field(0.5, description="A cancelled call is gone by then.")
    timeout_seconds_max: Seconds = Field(60.0, description="No call waits longer on silence.")
    config: dict[str, SettingModel] = Field({}, description="Its settings.")
    safe_posts: list[SafePostModel] = Field([], description="Writes by name that only read.")


class DataModel(_Model):
    """What kind of data the service holds, and where."""

    classes: list[Line] = Field([], description="Data classes.")
    residency: list[Line] = Field([], description="Regions, or `global`.")


class HintModel(_Model):
    """The floors of a hint of the plugin's own."""

    effects: EffectsWord = Field(description="The least effects of an operation with this hint.")
    determinism: DeterminismWord = Field(description="The strongest claim it allows.")


class ManifestModel(_Model):
    """A plugin's `capability.toml`."""

    schema_: Literal[1] = Field(alias="schema", description="The version of this schema.")
    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="The entry point's name.")
    summary: Line = Field(description="One line for people.")
    homepage: Url | None = Field(None, description="The service's page.")
    capabilities: dict[str, ProvidedModel] = Field(min_length=1, description="What it provides.")
    backends: dict[str, BackendModel] = Field(min_length=1, description="How it is reached.")
    limits: dict[str, LimitModel] = Field({}, description="Documented limits of all of them.")
    data: DataModel = Field(DataModel(classes=[], residency=[]), description="What data it holds.")
    costs: Costs = Field({}, description="Per operation: what one call costs, by unit.")
    hints: dict[HintPath, HintModel] = Field({}, description="Hint families of its own.")


def validate(
    source: str | os.PathLike[str] | bytes, *, spec_for: SpecFor, origin: str = ""
) -> tuple[Manifest, list[Finding]]:
    """The manifest and everything wrong with it; no findings means that it is sound.

    Args:
        source: a path, or the file's content.
        spec_for: the specification of a contract; `core_caps.capabilities.spec_for` knows ours,
            and one of the plugin's own is described by whoever may import it.
        origin: how messages call the source; a path names itself.

    Returns:
        The manifest, as far as it can be read, and the findings.

    Raises:
        ManifestInvalid: it is missing or is not TOML; line and column are told.
    """
    origin = origin or (FILE_NAME if isinstance(source, bytes) else os.fspath(source))
    return findings_of(parse_toml(source, origin), spec_for=spec_for, origin=origin)


def findings_of(
    data: Mapping[str, Any], *, spec_for: SpecFor, origin: str
) -> tuple[Manifest, list[Finding]]:
    """As `validate`, of tables that are parsed already."""
    findings: list[Finding] = []
    try:
        ManifestModel.model_validate(data)
    except ValidationError as error:
        findings = [_finding(cast("Mapping[str, Any]", detail)) for detail in error.errors()]
    # Rules read what is readable, so that an author hears of everything at once; where the
    # structure is already faulted they stay silent.
    manifest, unread = draft(data, origin)
    findings += [new for new in unread if not _within(new.location, findings)]
    structural = tuple(findings)
    for rule in RULES:
        findings += [
            new for new in rule(manifest, spec_for) if not _within(new.location, structural)
        ]
    return manifest, findings


def _within(location: str, findings: Sequence[Finding]) -> bool:
    return any(
        f"{location}.".startswith((f"{finding.location}.", f"{finding.location}["))
        for finding in findings
    )


def json_schema() -> str:
    """The JSON Schema of the manifest, as published in `docs/capability.schema.json`."""
    schema = ManifestModel.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


_MODELS: Mapping[str, type[_Model]] = MappingProxyType(
    {
        "(top)": ManifestModel,
        "capabilities.NAME": ProvidedModel,
        "capabilities.NAME.deviations.OPERATION": DeviationModel,
        "backends.NAME": BackendModel,
        "backends.NAME.config.SETTING": SettingModel,
        "backends.NAME.safe_posts[]": SafePostModel,
        "limits.NAME": LimitModel,
        "data": DataModel,
        'hints."HINT"': HintModel,
    }
)
"""Which model describes which table; what is in capitals stands for any name."""


def table_of(model: type[BaseModel]) -> str:
    """The table that a model describes, as the documentation names it."""
    return next(table for table, described in _MODELS.items() if described is model)


def _model_at(path: tuple[str | int, ...]) -> type[_Model] | None:
    for table, model in _MODELS.items():
        parts = [] if table == "(top)" else table.replace("[]", ".INDEX").split(".")
        if len(parts) == len(path) and all(
            part.strip('"').isupper() or part == given
            for part, given in zip(parts, path, strict=True)
        ):
            return model
    return None


def _finding(detail: Mapping[str, Any]) -> Finding:
    path: tuple[str | int, ...] = detail["loc"]
    location = _location(path)
    match detail["type"]:
        case "extra_forbidden":
            return Finding(location, "is not a field of the manifest", fix=_nearest(path))
        case "missing":
            return Finding(location, "is missing")
        case "string_pattern_mismatch":
            return Finding(location, _FORMS.get(detail["ctx"]["pattern"], detail["msg"]).format(
                detail["input"]))  # fmt: skip
        case _:
            # The value itself stays unsaid: an author may have put a secret where none belongs.
            return Finding(location, detail["msg"].replace("Input should", "must"))


_FORMS: Mapping[str, str] = MappingProxyType(
    {
        _LAZY: "{!r} is not of the form 'package.module:Class'",
        _URL: "{!r} is not a URL: give the page where the vendor documents it",
        _HINT: "{!r} is not a hint: write it as 'resource::kv::read'",
    }
)


def _location(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part not in ("[key]", "str", "int", "float", "bool"):
            quoted = part if part.replace("-", "_").isidentifier() else f'"{part}"'
            text += f".{quoted}" if text else quoted
    return text


def _nearest(path: tuple[str | int, ...]) -> str:
    model = _model_at(path[:-1])
    if model is None:
        return ""
    names = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(str(path[-1]), names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"


if __name__ == "__main__":
    print(json_schema(), end="")
