"""A policy file's published form; `python -m flows_registry.policy.model` prints its schema."""

import datetime as dt
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PolicyModel", "json_schema"]

WAIVER_DAYS_MAX = 366

_CODE = r"^[A-Z]+[0-9]{3}$"
_LABEL = r"(\*{1,2}|[A-Za-z0-9_-]+)"
_HOST = rf"^(\[[0-9a-fA-F:]+\]|{_LABEL}(\.{_LABEL})*)(:(\*|[0-9]{{1,5}}))?$"

Line = Annotated[str, Field(min_length=1, pattern=r"^[^\n]*\S[^\n]*$")]
Code = Annotated[str, Field(pattern=_CODE)]
HostPattern = Annotated[str, Field(pattern=_HOST)]
Amount = Annotated[float, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class HostsModel(_Model):
    """Where plugins may go."""

    allow: list[HostPattern] | None = Field(None, description="Only there; without it, anywhere.")
    forbid: list[HostPattern] = Field([], description="Never there.")


class WordsModel(_Model):
    """What plugins may declare."""

    allow: list[Line] | None = Field(None, description="Only these; without it, anything.")
    forbid: list[Line] = Field([], description="None of these.")


class SeverityModel(_Model):
    """How severe the findings of a code are."""

    level: Literal["error", "warning", "note"] = Field(description="What they are taken for.")
    reason: Line | None = Field(None, description="Why; where it is less than an error, required.")


class BudgetModel(_Model):
    """What one call may cost at most, its repeats under faults included."""

    capability: Line | None = Field(None, description="Of this capability; without it, of any.")
    operation: Line | None = Field(None, description="Of this operation; without it, of any.")
    requests: Amount | None = Field(None, description="Requests.")
    sent_bytes: Amount | None = Field(None, description="Content that goes out.")
    received_bytes: Amount | None = Field(None, description="Content that comes back.")
    wait_seconds: Amount | None = Field(None, description="How long it takes, waits included.")
    cpu_seconds: Amount | None = Field(None, description="The processor's time.")
    memory_bytes: Amount | None = Field(None, description="Memory, at its highest.")
    amplification: Amount | None = Field(
        None, description="Requests under a fault for each request of the healthy run."
    )


class WaiverModel(_Model):
    """A finding that somebody answers for, for a time."""

    check: Line = Field(description="The check.")
    code: Code = Field(description="The finding's code.")
    plugin: Line = Field(description="The plugin's name; `*` stands for anything.")
    backend: Line = Field("*", description="The backend; `*` stands for anything.")
    case: Line = Field("*", description="The case, `remote/put*`; all of a finding's must match.")
    reason: Line = Field(description="Why the risk is taken.")
    owner: Line = Field(description="Who takes it.")
    expires: dt.date = Field(description="The last day on which it holds: `2027-01-31`.")
    issue: Line | None = Field(None, description="Where it is followed up.")


class PolicyModel(_Model):
    """An organisation's policy."""

    schema_: Literal[1] = Field(alias="schema", description="The version of this schema.")
    name: Line = Field(description="What reports call it.")
    level_min: Literal["L0", "L1", "L2", "L3"] = Field(
        "L0", description="How closely checks have to look."
    )
    waiver_days_max: Annotated[int, Field(ge=1, le=WAIVER_DAYS_MAX)] = Field(
        90, description="How far away a waiver may end."
    )
    carry_days_max: Annotated[int, Field(ge=0, le=WAIVER_DAYS_MAX)] = Field(
        30, description="For how many days what has not changed is not run again."
    )
    egress: HostsModel = Field(HostsModel(), description="Where plugins may go.")  # pyright: ignore[reportCallIssue]
    scopes: WordsModel = Field(WordsModel(), description="Permissions.")  # pyright: ignore[reportCallIssue]
    residency: WordsModel = Field(WordsModel(), description="Regions.")  # pyright: ignore[reportCallIssue]
    data_classes: WordsModel = Field(WordsModel(), description="Data classes.")  # pyright: ignore[reportCallIssue]
    severity: dict[Code, SeverityModel] = Field({}, description="By code.")
    budgets: list[BudgetModel] = Field([], description="Ceilings.")
    waivers: list[WaiverModel] = Field([], description="What is not held against a plugin.")


def json_schema() -> str:
    """The JSON Schema of a policy file, as published in `docs/policy.schema.json`."""
    schema = PolicyModel.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")
