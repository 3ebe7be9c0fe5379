"""Operations by faults: where each operation was led by each fault, and how that ended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from flows_registry.evidence.page.markup import Child, Markup, join, tag
from flows_registry.evidence.page.shown import amount
from flows_registry.verdict import CaseRecord, Certification, CheckResult, Outcome

__all__ = ["grids"]

_SIGNS = {Outcome.PASSED: "✓", Outcome.REFUSED: "✗", Outcome.NOT_MET: "○"}
_WORST_FIRST = (Outcome.REFUSED, Outcome.NOT_MET, Outcome.PASSED)
_NAMES_MAX = 12
_HOW = "Choose a cell, by the pointer or the arrow keys, to read of its cases."

_Cells = Mapping[str, Mapping[str, Sequence[CaseRecord]]]
"""Fault → operation → the cases in which it met that."""


def grids(certification: Certification) -> Markup:
    """One grid for each backend that faults were tried on."""
    checks = [check for check in certification.checks if check.check == "contract"]
    return join(_grid(check, cells) for check in checks if (cells := _cells(check)))


def _cells(check: CheckResult) -> _Cells:
    cells: defaultdict[str, defaultdict[str, list[CaseRecord]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for record in check.records:
        if record.operation and record.faults:
            cells[_met(record)][record.operation].append(record)
    return cells


def _met(record: CaseRecord) -> str:
    return " + ".join(dict.fromkeys(record.faults))


def _grid(check: CheckResult, cells: _Cells) -> Markup:
    operations = list(dict.fromkeys(name for row in cells.values() for name in row))
    head = tag(
        "tr",
        tag("th", "Fault", scope="col"),
        [tag("th", tag("span", name), scope="col") for name in operations],
    )
    rows = [
        tag(
            "tr",
            tag("th", fault, scope="row"),
            [_cell(fault, name, row.get(name, ())) for name in operations],
        )
        for fault, row in cells.items()
    ]
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="grid")
    met = sum(len(its) for row in cells.values() for its in row.values())
    by = f"{amount(len(operations), 'operation')} and {amount(len(cells), 'fault')}"
    return tag(
        "div",
        tag("h3", check.backend),
        tag("p", f"{amount(met, 'case')} of {by}. ", _legend(), class_="quiet"),
        tag(
            "div",
            tag(
                "div", table, class_="wide", role="region", aria_label=f"Faults on {check.backend}"
            ),
            tag("p", _HOW, class_="told", role="status", hidden=True),
            class_="beside",
        ),
        class_="matrix",
    )


def _legend() -> list[Child]:
    return [
        tag("span", "✓", class_="sign passed"), " as promised, ",
        tag("span", "✗", class_="sign refused"), " something was found, ",
        tag("span", "○", class_="sign not-met"), " the fault was never met, ",
        tag("span", "·", class_="sign"), " does not apply",
    ]  # fmt: skip


def _cell(fault: str, operation: str, records: Sequence[CaseRecord]) -> Markup:
    if not records:
        return tag("td", tag("span", "·", class_="sign"), class_="none")
    worst = min((record.outcome for record in records), key=_WORST_FIRST.index)
    several = tag("small", str(len(records))) if len(records) > 1 else None
    kind = worst.value.replace(" ", "-")
    return tag(
        "td",
        tag("span", _SIGNS[worst], class_="sign"),
        several,
        class_=kind,
        title=_told(fault, operation, records),
        data_cell=True,
    )


def _told(fault: str, operation: str, records: Sequence[CaseRecord]) -> str:
    lines = [f"{operation} meets {fault}: {amount(len(records), 'case')}"]
    ordered = sorted(records, key=lambda record: _WORST_FIRST.index(record.outcome))
    lines += [_line(record) for record in ordered[:_NAMES_MAX]]
    more = len(records) - _NAMES_MAX
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)


def _line(record: CaseRecord) -> str:
    ended = next((step for step in record.course if step.startswith(f"{record.operation} →")), "")
    asked = int(record.figures.get("requests", 0))
    parts = (record.outcome.value, ended, amount(asked, "request"))
    return f"{_SIGNS[record.outcome]} {record.name}: {', '.join(filter(None, parts))}"
