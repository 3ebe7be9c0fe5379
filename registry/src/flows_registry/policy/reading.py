"""Reading a policy file: all that is wrong with it is told at once, by line and field."""

import datetime as dt
import hashlib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from core_caps.diagnostics import explain
from core_caps.errors import CapsError
from pydantic import ValidationError

from flows_registry.policy.model import PolicyModel
from flows_registry.policy.policy import UNITS, Budget, Hosts, Override, Policy, Waiver, Words
from flows_registry.verdict import Level, Severity

__all__ = ["PolicyInvalid", "built_in", "read", "read_text"]

_BUILT_IN = Path(__file__).with_name("default.toml")
_SIZE_BYTES_MAX = 1_000_000
_NOT_OVERRIDDEN = re.compile(r"POLICY001|POLICY106")

_Path = tuple[str | int, ...]
_Problem = tuple[_Path, str, str]
"""Where, what is wrong, and what to do."""


class PolicyInvalid(CapsError):
    """A policy file cannot be used; `findings` holds every problem, not only the first."""

    code = "POLICY001"

    def __init__(self, message: str, *, findings: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  - {finding}" for finding in self.findings)])


def built_in() -> Policy:
    """What holds where nobody gives a policy."""
    return read_text(_BUILT_IN.read_text("utf-8"), _BUILT_IN.name, dt.date.min)


def read(path: str | os.PathLike[str], today: dt.date) -> Policy:
    """The policy in a file.

    Raises:
        PolicyInvalid: it cannot be read, is not TOML, or says what no policy may say.
    """
    origin = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(_SIZE_BYTES_MAX + 1)
    except OSError as error:
        raise PolicyInvalid(
            f"{origin} cannot be read: {error.strerror}", hint="give the path of a policy file"
        ) from None
    if len(content) > _SIZE_BYTES_MAX:
        raise PolicyInvalid(
            f"{origin} is larger than {_SIZE_BYTES_MAX} bytes", hint="give a policy file"
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise PolicyInvalid(
            f"{origin} is not text in UTF-8: byte {error.start}", hint="save it as UTF-8"
        ) from None
    return read_text(text, origin, today)


def read_text(text: str, origin: str, today: dt.date) -> Policy:
    """The policy that a text is.

    Raises:
        PolicyInvalid: as `read`.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyInvalid(
            f"{origin} is not TOML: {error}", hint="correct the line that it names"
        ) from None
    problems: list[_Problem] = []
    model: PolicyModel | None = None
    try:
        model = PolicyModel.model_validate(data)
    except ValidationError as error:
        problems += map(_of_the_model, cast("Sequence[Mapping[str, Any]]", error.errors()))
    if model is not None:
        problems += _rules(model, today)
    if model is None or problems:
        raise PolicyInvalid(
            f"{origin} is no policy that can be used",
            findings=[_told(text, problem) for problem in problems],
            hint="correct these fields; docs/policy.md lists every one",
        )
    return _policy(model, hashlib.sha256(text.encode()).hexdigest())


def _of_the_model(detail: Mapping[str, Any]) -> _Problem:
    path: _Path = tuple(part for part in detail["loc"] if part != "[key]")
    match detail["type"]:
        case "extra_forbidden":
            return path, "is not a field of a policy", "remove it, or correct its name"
        case "missing" if path[0] == "waivers":
            return path, "is missing", "a waiver says why, who answers for it, and until when"
        case "missing":
            return path, "is missing", "add it"
        case "date_type":
            return path, "is no date", "write it without quotes: expires = 2027-01-31"
        case _:
            told = (
                str(detail["msg"]).replace("Input should", "must").replace("String should", "must")
            )
            return path, told, "correct it"


def _rules(model: PolicyModel, today: dt.date) -> Iterator[_Problem]:
    """What a policy may not say although it has the form of one."""
    for code, override in model.severity.items():
        if explain(code) is None or _NOT_OVERRIDDEN.fullmatch(code):
            yield ("severity", code), "is no code of a finding", "see docs/error-codes.md"
        if override.level != "error" and override.reason is None:
            yield ("severity", code, "reason"), "is missing", "say why it is less than an error"
    for number, budget in enumerate(model.budgets):
        if not any(getattr(budget, unit) is not None for unit in UNITS):
            yield ("budgets", number), "has no ceiling", f"give one of {', '.join(UNITS)}"
    last = today + dt.timedelta(days=model.waiver_days_max) if model.waivers else today
    for number, waiver in enumerate(model.waivers):
        if explain(waiver.code) is None or _NOT_OVERRIDDEN.fullmatch(waiver.code):
            yield ("waivers", number, "code"), "is no code of a finding", "see docs/error-codes.md"
        if waiver.expires > last:
            yield (
                ("waivers", number, "expires"),
                f"is more than waiver_days_max = {model.waiver_days_max} days away",
                f"let it end by {last.isoformat()}; it can be renewed then",
            )


def _told(text: str, problem: _Problem) -> str:
    path, wrong, fix = problem
    return f"line {_line_of(text, path)}: {_shown(path)} {wrong}; {fix}"


def _shown(path: _Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_ENTRY = re.compile(r"""\s*["']?([A-Za-z0-9_.-]+)["']?\s*=""")


def _line_of(text: str, path: _Path) -> int:
    """The line of a field, of the nearest thing around it where it is not there, from 1."""
    best, best_line = 0, 1
    table: _Path = ()
    counted: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = tuple(name.strip().strip("\"'") for name in header[2].split("."))
            table = names
            if header[1] == "[[":
                counted[header[2]] = counted.get(header[2], -1) + 1
                table = (*names, counted[header[2]])
            here = table
        elif entry := _ENTRY.match(line):
            here = (*table, *entry[1].split("."))
        else:
            continue
        alike = _alike(here, path)
        if alike == len(here) and alike > best:
            best, best_line = alike, number
    return best_line


def _alike(one: _Path, other: _Path) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _policy(model: PolicyModel, sha256: str) -> Policy:
    return Policy(
        name=model.name,
        sha256=sha256,
        level_min=Level(int(model.level_min[1:])),
        carry_days_max=model.carry_days_max,
        egress=Hosts(_given(model.egress.allow), tuple(model.egress.forbid)),
        scopes=Words(_given(model.scopes.allow), tuple(model.scopes.forbid)),
        residency=Words(_given(model.residency.allow), tuple(model.residency.forbid)),
        data_classes=Words(_given(model.data_classes.allow), tuple(model.data_classes.forbid)),
        severities={
            code: Override(Severity(given.level), given.reason or "")
            for code, given in model.severity.items()
        },
        budgets=tuple(
            Budget(
                {unit: most for unit in UNITS if (most := getattr(budget, unit)) is not None},
                budget.capability or "",
                budget.operation or "",
            )
            for budget in model.budgets
        ),
        waivers=tuple(
            Waiver(
                check=waiver.check,
                code=waiver.code,
                plugin=waiver.plugin,
                reason=waiver.reason,
                owner=waiver.owner,
                expires=waiver.expires,
                backend=waiver.backend,
                case=waiver.case,
                issue=waiver.issue or "",
            )
            for waiver in model.waivers
        ),
    )


def _given(patterns: list[str] | None) -> tuple[str, ...] | None:
    return None if patterns is None else tuple(patterns)
