"""What a call takes of each operation: on a healthy service, at worst under faults, and what was
estimated and is allowed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from flows_registry.evidence.page.markup import Child, Markup, join, tag
from flows_registry.evidence.page.shown import number, seconds, size
from flows_registry.verdict import CaseRecord, Certification, CheckResult

__all__ = ["budgets"]

_WIDTH = 80

_UNITS: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "requests": ("Requests", number),
    "sent_bytes": ("Sent", size),
    "received_bytes": ("Received", size),
    "virtual_seconds": ("Time, virtual", seconds),
    "wait_seconds": ("Waits, virtual", seconds),
    "cpu_seconds": ("Processor", seconds),
    "memory_bytes": ("Memory", size),
    "amplification": ("Amplification", lambda value: f"{number(value)} times"),
}
"""What is shown, in this order: its name, and how it is written."""

_FROM_RECORDS = ("requests", "sent_bytes", "received_bytes", "virtual_seconds", "cpu_seconds")

_Figures = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Operation → unit → `healthy`, `worst`, `estimate` and `ceiling`, where somebody tells."""


def budgets(certification: Certification) -> Markup:
    """One table of bars for each backend with something to compare: the budget check's own figures,
    or where it did not run, those of the faults that were tried."""
    told = [
        (check, title, figures)
        for check in certification.checks
        for title, figures in _told(check)
        if check.check == "budget"
    ]
    measured = {check.backend for check, _, _ in told}
    told += [
        (check, check.backend, figures)
        for check in certification.checks
        if check.check == "contract" and check.backend not in measured
        if (figures := _seen(certification, check))
    ]
    return join(_table(title, figures) for _, title, figures in told)


def _told(check: CheckResult) -> Iterator[tuple[str, _Figures]]:
    """The figures of the budget check, of each capability where there are several."""
    each = cast("Sequence[Mapping[str, Any]]", check.facts.get("each") or [check.facts])
    for facts in each:
        operations = facts.get("operations")
        if isinstance(operations, Mapping) and operations:
            capability = facts.get("capability")
            title = f"{capability} on {check.backend}" if capability else check.backend
            yield str(title), cast("_Figures", operations)


def _seen(certification: Certification, check: CheckResult) -> _Figures:
    """The same from the cases of a backend; nothing where no case met a fault."""
    records = [record for record in check.records if record.operation]
    if not any(record.faults for record in records):
        return {}
    sound = [
        record
        for other in certification.checks
        if other.backend == check.backend and other.check in ("effects", "contract")
        for record in other.records
        if not record.faults
    ]
    operations = dict.fromkeys(record.operation for record in records)
    return {
        name: {
            unit: {"healthy": _most(sound, name, unit), "worst": _most(records, name, unit)}
            for unit in _FROM_RECORDS
        }
        for name in operations
    }


def _most(records: Sequence[CaseRecord], operation: str, unit: str) -> float | None:
    took = [record.figures.get(unit, 0) for record in records if record.operation == operation]
    return max(took, default=None)


def _table(title: str, figures: _Figures) -> Markup:
    most = {unit: max(_top(its.get(unit, {})) for its in figures.values()) for unit in _UNITS}
    units = [unit for unit, value in most.items() if value]
    head = tag(
        "tr",
        tag("th", "Operation", scope="col"),
        [tag("th", _UNITS[unit][0], scope="col") for unit in units],
    )
    rows = [
        tag(
            "tr",
            tag("th", operation, scope="row"),
            [tag("td", list(_bars(unit, its.get(unit, {}), most[unit]))) for unit in units],
        )
        for operation, its in figures.items()
    ]
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="plain bars")
    return tag(
        "div",
        tag("h3", title),
        tag("p", _LEGEND, class_="quiet"),
        tag("div", table, class_="wide", tabindex=0, role="region", aria_label=f"Costs: {title}"),
    )


_LEGEND: Child = (
    tag("span", class_="key healthy"), "healthy, the most of any use ",
    tag("span", class_="key worst"), "the worst under a fault ",
    tag("span", class_="key ceiling"), "the ceiling of the policy",
)  # fmt: skip


def _numbers(its: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in its.items() if isinstance(value, int | float)}


def _top(its: Mapping[str, Any]) -> float:
    """The most that was seen: a ceiling or an estimate far above does not make the bars short."""
    told = _numbers(its)
    return max(told.get("healthy", 0.0), told.get("worst", 0.0))


def _bars(unit: str, its: Mapping[str, Any], most: float) -> Iterator[Child]:
    shown, told = _UNITS[unit][1], _numbers(its)
    ceiling = told.get("ceiling")
    for kind in ("healthy", "worst"):
        if kind in told:
            yield _bar(kind, told[kind], most, shown(told[kind]), ceiling)
    said = [f"{kind} {shown(told[kind])}" for kind in ("estimate", "ceiling") if kind in told]
    if said:
        yield tag("small", ", ".join(said), class_="quiet")


def _bar(kind: str, value: float, most: float, shown: str, ceiling: float | None) -> Markup:
    def along(of: float) -> float:
        return round(min(1.0, of / most) * _WIDTH, 1)

    picture = tag(
        "svg",
        tag("rect", width=_WIDTH, height=7, rx=3.5, class_="track"),
        tag("rect", width=along(value), height=7, rx=3.5, class_=kind),
        _mark(along(ceiling)) if ceiling is not None else None,
        width=_WIDTH,
        height=7,
        aria_hidden="true",
    )
    over = " over" if ceiling is not None and value > ceiling else ""
    return tag("div", picture, tag("span", shown), class_=f"measure {kind}{over}")


def _mark(across: float) -> Markup:
    return tag("line", x1=across - 1, y1=0, x2=across - 1, y2=7, class_="ceiling")
