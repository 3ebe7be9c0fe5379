"""What kind of data a plugin's service holds, and where: declared, and allowed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import cast

from core_caps.contract.suite import PERSONAL, Call, Stream

from flows_registry.checks.plan import Baseline, Plan
from flows_registry.checks.policy.egress import NAME
from flows_registry.policy.policy import Words
from flows_registry.verdict import Finding

__all__ = ["data"]


def data(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> Iterator[Finding]:
    """Every finding about the data of a backend."""
    declared = plan.subject.manifest.data
    carries = _carrying(baselines)
    if carries and not declared.classes:
        yield Finding(
            "POLICY111",
            f"{carries} carries content of its users, and no data class is declared",
            "[data] classes: what kind of data the service holds",
            f"{carries} takes what its callers give; classes = nothing",
            plan.reproduce(NAME, ""),
            'declare it: classes = ["user_content"]',
        )
    if plan.backend(backend).egress and not declared.residency:
        yield Finding(
            "POLICY112",
            "where the data lies is not declared",
            "[data] residency: regions, `global`, or `deployment` where a setting decides",
            f"data goes to {', '.join(plan.backend(backend).egress)}; residency = nothing",
            plan.reproduce(NAME, ""),
            'declare it: residency = ["global"]',
        )
    yield from _not_allowed(plan, "POLICY104", "residency", declared.residency)
    yield from _not_allowed(plan, "POLICY105", "data_classes", declared.classes)


def _not_allowed(plan: Plan, code: str, what: str, words: Sequence[str]) -> Iterator[Finding]:
    asked: Words = getattr(plan.policy, what)
    for word in words:
        if problem := asked.problem(word):
            yield Finding(
                code,
                f"the policy allows no plugin {what.replace('_', ' ')} {word!r}",
                f"the policy {plan.policy.name!r}: {what} {problem}",
                f"{', '.join(map(repr, words))} is declared",
                plan.reproduce(NAME, ""),
                "use another plugin, or let whoever keeps the policy allow it",
            )


def _carrying(baselines: Sequence[Baseline]) -> str:
    """The first operation whose calls carry content: bytes, or what is a person's."""
    for base in baselines:
        for call in (base.exercise.call, *base.exercise.setup):
            if _is_content(call):
                return call.operation
    return ""


def _is_content(value: object) -> bool:
    match value:
        case bytes():
            return bool(value)
        case str():
            return any(text in value for text in PERSONAL.values())
        case Call():
            return _is_content(value.args) or _is_content(value.kwargs)
        case Stream():
            return True
        case Mapping():
            return any(map(_is_content, cast("Mapping[object, object]", value).values()))
        case list() | tuple():
            return any(map(_is_content, cast("Sequence[object]", value)))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return any(_is_content(getattr(value, field.name)) for field in fields(value))
        case _:
            return False
