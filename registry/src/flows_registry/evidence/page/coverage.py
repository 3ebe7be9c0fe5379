"""How much of a backend's own source ran while its effects were watched, and what never did."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from flows_registry.evidence.page.markup import Markup, join, tag
from flows_registry.evidence.page.shown import amount
from flows_registry.verdict import Certification, CheckResult

__all__ = ["coverage"]

_WIDTH = 240


def coverage(certification: Certification) -> Markup:
    """Two bars for each backend, and the lines that nobody saw at work."""
    told = [each for check in certification.checks for each in _told(check)]
    return join(_LEAD, [_backend(title, of) for title, of in told]) if told else join()


_LEAD = tag(
    "p",
    "Every exercise, and the first of each operation under faults, with every line told of. What "
    "did not run was not watched there: of that the source alone speaks.",
    class_="quiet",
)


def _told(check: CheckResult) -> Iterator[tuple[str, Mapping[str, Any]]]:
    each = cast("Sequence[Mapping[str, Any]]", check.facts.get("each") or [check.facts])
    for facts in each:
        if isinstance(found := facts.get("coverage"), Mapping):
            capability = facts.get("capability")
            title = f"{capability} on {check.backend}" if capability else check.backend
            yield title, cast("Mapping[str, Any]", found)


def _backend(title: str, of: Mapping[str, Any]) -> Markup:
    places = cast("Sequence[object]", of.get("unreached", ()))
    return join(
        tag("h3", title),
        [_bar(kind, of.get(kind, (0, 0))) for kind in ("lines", "branches")],
        tag(
            "details",
            tag("summary", f"{amount(len(places), 'place')} where nothing ran"),
            tag("ul", [tag("li", tag("code", str(place))) for place in places], class_="kept"),
        )
        if places
        else None,
    )


def _bar(kind: str, counts: Sequence[int]) -> Markup:
    ran, count = counts
    share = ran / count if count else 1.0
    picture = tag(
        "svg",
        tag("rect", width=_WIDTH, height=7, rx=3.5, class_="track"),
        tag("rect", width=round(share * _WIDTH, 1), height=7, rx=3.5, class_="healthy"),
        width=_WIDTH,
        height=7,
        aria_hidden="true",
    )
    return tag(
        "div",
        picture,
        tag("span", f"{share:.0%} of {count:,} {kind}"),
        class_="measure healthy",
    )
