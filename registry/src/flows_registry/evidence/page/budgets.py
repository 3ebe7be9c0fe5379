"""What a call takes of each operation: on a healthy service, and at worst under faults."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows_registry.evidence.page.markup import Child, Markup, join, tag
from flows_registry.evidence.page.shown import number, seconds, size
from flows_registry.verdict import CaseRecord, Certification, CheckResult

__all__ = ["budgets"]

_WIDTH = 120


@dataclass(frozen=True, slots=True)
class _Measure:
    """One thing that a call takes.

    Attributes:
        name: to print.
        figures: the figures of a record that add up to it.
        shown: its number, to print.
    """

    name: str
    figures: tuple[str, ...]
    shown: Callable[[float], str]

    def of(self, record: CaseRecord) -> float:
        return sum(float(record.figures.get(name, 0)) for name in self.figures)


_MEASURES = (
    _Measure("Requests", ("requests",), number),
    _Measure("Bytes", ("sent_bytes", "received_bytes"), size),
    _Measure("Time, virtual", ("virtual_seconds",), seconds),
    _Measure("Processor", ("cpu_seconds",), seconds),
)


def budgets(certification: Certification) -> Markup:
    """One table of bars for each backend that faults were tried on."""
    checks = [check for check in certification.checks if check.check == "contract"]
    return join(_table(certification, check, its) for check in checks if (its := _of(check)))


def _of(check: CheckResult) -> Mapping[str, Sequence[CaseRecord]]:
    """The cases of each operation; what somebody else is asked by nobody has no bars."""
    found: defaultdict[str, list[CaseRecord]] = defaultdict(list)
    for record in check.records:
        if record.operation:
            found[record.operation].append(record)
    return found if any(record.faults for its in found.values() for record in its) else {}


def _table(
    certification: Certification, check: CheckResult, its: Mapping[str, Sequence[CaseRecord]]
) -> Markup:
    healthy = _healthy(certification, check)
    most = {
        measure.name: max((measure.of(r) for records in its.values() for r in records), default=0)
        for measure in _MEASURES
    }
    heads = [tag("th", measure.name, scope="col") for measure in _MEASURES]
    rows = [
        tag(
            "tr",
            tag("th", operation, scope="row"),
            [
                tag("td", _bars(measure, healthy.get(operation, ()), records, most[measure.name]))
                for measure in _MEASURES
            ],
        )
        for operation, records in its.items()
    ]
    head = tag("tr", tag("th", "Operation", scope="col"), heads)
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="plain bars")
    legend = (
        tag("span", class_="key healthy"), "healthy, the most of any use  ",
        tag("span", class_="key worst"), "the worst under a fault",
    )  # fmt: skip
    return tag(
        "div",
        tag("h3", check.backend),
        tag("p", legend, class_="quiet"),
        tag("div", table, class_="wide", tabindex=0, role="region", aria_label="What a call takes"),
    )


def _healthy(
    certification: Certification, check: CheckResult
) -> Mapping[str, Sequence[CaseRecord]]:
    """Every call on its own that met no fault, whichever check made it."""
    found: defaultdict[str, list[CaseRecord]] = defaultdict(list)
    for other in certification.checks:
        if other.backend == check.backend and other.check in ("effects", "contract"):
            for record in other.records:
                if record.operation and not record.faults:
                    found[record.operation].append(record)
    return found


def _bars(
    measure: _Measure, healthy: Sequence[CaseRecord], met: Sequence[CaseRecord], most: float
) -> Iterator[Child]:
    sound = max((measure.of(record) for record in healthy), default=None)
    worst = max(met, key=measure.of)
    if sound is not None:
        yield _bar("healthy", sound, most, measure.shown(sound))
    told = f"{measure.shown(measure.of(worst))} in {worst.name}"
    yield _bar("worst", measure.of(worst), most, measure.shown(measure.of(worst)), told)


def _bar(kind: str, value: float, most: float, shown: str, told: str = "") -> Markup:
    length = max(1.5, value / most * _WIDTH) if most else 1.5
    picture = tag(
        "svg",
        tag("rect", width=_WIDTH, height=7, rx=3.5, class_="track"),
        tag("rect", width=round(length, 1), height=7, rx=3.5, class_=kind),
        width=_WIDTH,
        height=7,
        aria_hidden="true",
    )
    return tag("div", picture, tag("span", shown), class_=f"measure {kind}", title=told or None)
