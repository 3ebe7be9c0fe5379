"""The shape of `evidence.json`: what others may rely on, published as docs/evidence.schema.json."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = [
    "SCHEMA",
    "CheckEvidence",
    "Evidence",
    "FileEvidence",
    "FindingEvidence",
    "RecordEvidence",
    "schema",
]

SCHEMA = 1
"""The number of the shape; a reader refuses any other."""

Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
LevelWord = Literal["L0", "L1", "L2", "L3"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WaiverEvidence(_Strict):
    """Why a finding does not refuse."""

    reason: str = Field(description="why the risk is taken")
    owner: str = Field(description="who takes it")
    expires: str = Field(description="the last day on which that holds")
    issue: str = Field(default="", description="where it is followed up")


class FindingEvidence(_Strict):
    """One thing that is not as promised."""

    code: str = Field(description="a diagnostic code, see docs/error-codes.md")
    message: str = Field(description="one sentence, with the values")
    promised: str = Field(description="what was declared or documented, and where")
    observed: str = Field(description="what happened")
    reproduce: str = Field(description="the command that shows it again, or empty")
    fix: str = Field(description="the likely correction")
    capability: str = Field(description="the capability it is about, where there are several")
    cases: list[str] = Field(description="every case in which it was seen, the plainest first")
    severity: Literal["error", "warning", "note"] = Field(description="what it does to its check")
    because: str = Field(description="why a policy made it less than an error, or empty")
    waived: WaiverEvidence | None = Field(description="who took the risk, or null")


class CheckEvidence(_Strict):
    """One check on one backend."""

    check: str = Field(description="the check's name")
    backend: str = Field(description="the backend, or empty where it is about the package")
    verdict: Literal["passed", "refused", "inconclusive", "waived"]
    cases: int = Field(ge=0, description="how many cases proved something")
    level: LevelWord = Field(description="how closely it looked")
    facts: dict[str, Any] = Field(description="figures worth showing")
    findings: list[FindingEvidence]


class FileEvidence(_Strict):
    """One of the other files, as it was written."""

    sha256: Digest
    size_bytes: int = Field(ge=0)


class Evidence(_Strict):
    """Everything that was found out about one subject."""

    schema_version: Literal[1] = Field(alias="schema", description="the number of this shape")
    tool: str = Field(description="what wrote it, with its version")
    subject: str = Field(description="the distribution and its version")
    verdict: Literal["certified", "passed", "refused", "inconclusive"]
    part: str = Field(description="what was asked for, where that was not everything, or empty")
    level: LevelWord = Field(description="the lowest level among the checks that ran code")
    waivers: int = Field(ge=0, description="how many findings somebody took the risk of")
    facts: dict[str, Any] = Field(description="figures worth showing")
    checks: list[CheckEvidence]
    files: dict[str, FileEvidence] = Field(description="every other file of the evidence, by name")


class RecordEvidence(_Strict):
    """One line of `cases.jsonl`: a case that ran."""

    check: str
    backend: str
    name: str = Field(description="unique within its check and profile")
    operation: str = Field(description="the operation under test, or empty")
    faults: list[str] = Field(description="what its requests met")
    outcome: Literal["passed", "refused", "not met"]
    profile: str = Field(description="the surroundings it ran in")
    figures: dict[str, float] = Field(description="requests, bytes, and seconds by their kind")
    case: dict[str, Any] = Field(description="the case itself, from which it can run again")
    course: list[str] = Field(description="what became of its calls and requests, in short")
    timeline: list[dict[str, Any]] = Field(description="what happened in it, where refused")


def schema() -> dict[str, Any]:
    """The JSON Schema of `evidence.json`, with that of a line of `cases.jsonl` beside it."""
    told = Evidence.model_json_schema(by_alias=True)
    record = RecordEvidence.model_json_schema()
    told["$defs"]["RecordEvidence"] = {key: record[key] for key in record if key != "$defs"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **told}
