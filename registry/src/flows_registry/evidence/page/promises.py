"""What was promised, and beside it what was seen of it on each backend."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from flows_registry.evidence.page.markup import Child, Markup, join, tag
from flows_registry.evidence.page.shown import amount
from flows_registry.verdict import Certification, CheckResult, Outcome, Verdict

__all__ = ["promises"]

_PROMISE = "/promise/"
_REST = ("Retries", "Deadlines")


def promises(certification: Certification) -> Markup:
    """Capabilities with their operations, then the backends; nothing where no manifest is told."""
    promised = _table(certification.facts.get("promised"))
    if not promised:
        return join()
    capabilities = _table(promised.get("capabilities"))
    backends = _table(promised.get("backends"))
    return join(
        [
            _capability(certification, str(name), _table(told), backends, len(capabilities) > 1)
            for name, told in capabilities.items()
        ],
        _backends(certification, backends),
        _data(_table(promised.get("data"))),
    )


def _table(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


def _capability(
    certification: Certification,
    name: str,
    told: Mapping[str, Any],
    backends: Mapping[str, Any],
    several: bool,
) -> Markup:
    ran = [
        backend
        for backend in backends
        if any(check.backend == backend for check in certification.checks)
    ]
    heads = ["Operation", "Promised", *(f"Seen on {backend}" for backend in ran)]
    seen = [_Seen(certification, backend, name if several else "") for backend in ran]
    rows = [
        tag(
            "tr",
            tag("th", tag("code", operation), scope="row"),
            tag("td", list(_claims(_table(claim)))),
            [tag("td", list(one.of(operation))) for one in seen],
        )
        for operation, claim in _table(told.get("operations")).items()
    ]
    head = tag("tr", [tag("th", title, scope="col") for title in heads])
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="plain seen")
    return join(
        tag("h3", name, " ", tag("small", str(told.get("contract", "")))),
        tag("div", table, class_="wide", tabindex=0, role="region", aria_label=f"What {name} does"),
        tag(
            "div",
            _guarantees(_table(told.get("guarantees"))),
            _limits(_table(told.get("limits"))),
            class_="cards",
        ),
        [_kept(check, name if several else "") for check in certification.checks],
    )


def _claims(claim: Mapping[str, Any]) -> Iterator[Markup]:
    for key in ("effects", "determinism", "repeat"):
        if value := claim.get(key):
            shown = f"repeat {value}" if key == "repeat" else str(value).replace("_", " ")
            yield tag("span", shown, class_="tag", title=key)
    if hints := _list(claim.get("hints")):
        yield tag("div", [(tag("code", str(hint)), " ") for hint in hints], class_="hints")


class _Seen:
    """What was seen of one capability on one backend."""

    def __init__(self, certification: Certification, backend: str, capability: str) -> None:
        self._checks = {c.check: c for c in certification.checks if c.backend == backend}
        self._capability = capability
        self._has_wire = any(c.facts.get("reached") for c in self._checks.values())

    def of(self, operation: str) -> Iterator[Markup]:
        """Each check's word about an operation."""
        for name, say in (
            ("effects", self._effects),
            ("determinism", self._determinism),
            ("contract", self._contract),
        ):
            if (check := self._checks.get(name)) is not None:
                outcomes = self._outcomes(check, operation)
                if outcomes:
                    yield _said(say(check, operation, outcomes), outcomes)

    def _outcomes(self, check: CheckResult, operation: str) -> Counter[Outcome]:
        return Counter(r.outcome for r in check.records if r.operation == operation)

    def _effects(self, check: CheckResult, operation: str, outcomes: Counter[Outcome]) -> str:
        words = {
            "changes it": "changes the service",
            "asks it": "asks the service, changes nothing",
            "stays away": "asks nobody",
        }
        deed = str(_observed(check, self._capability).get(operation, ""))
        return words.get(deed, "never seen alone") if self._has_wire else "read back, as promised"

    def _determinism(self, check: CheckResult, operation: str, outcomes: Counter[Outcome]) -> str:
        return f"{amount(outcomes.total(), 'perturbed run')}, alike"

    def _contract(self, check: CheckResult, operation: str, outcomes: Counter[Outcome]) -> str:
        return f"{amount(outcomes.total(), 'fault')} met"


def _observed(check: CheckResult, capability: str) -> Mapping[str, Any]:
    """By operation, what its calls did; each capability has its own."""
    for facts in map(_table, _list(check.facts.get("each"))):
        if facts.get("capability") == capability:
            return _table(facts.get("observed"))
    return _table(check.facts.get("observed"))


def _said(text: str, outcomes: Counter[Outcome]) -> Markup:
    refused = outcomes[Outcome.REFUSED]
    if refused:
        text = text.replace(", alike", "").replace(", as promised", "")
        return tag("div", tag("b", "✗ "), f"{text}; found in {refused}", class_="bad")
    return tag("div", tag("b", "✓ "), text, class_="good")


def _guarantees(told: Mapping[str, Any]) -> Markup | None:
    if not told:
        return None
    rows = [(tag("dt", str(key)), tag("dd", str(value))) for key, value in told.items()]
    return tag("div", tag("h4", "Guarantees"), tag("dl", rows, class_="pairs"))


def _limits(told: Mapping[str, Any]) -> Markup | None:
    if not told:
        return None
    rows = [
        (tag("dt", name.replace("_", " ")), tag("dd", _limit(_table(limit))))
        for name, limit in told.items()
    ]
    return tag("div", tag("h4", "Documented limits"), tag("dl", rows, class_="pairs"))


def _limit(limit: Mapping[str, Any]) -> Child:
    value, source = limit.get("value", ""), str(limit.get("source", ""))
    shown = f"{value:,}" if isinstance(value, int) else str(value)
    if not source.startswith("https://"):
        return shown
    return tag("a", shown, href=source, rel="noopener noreferrer nofollow")


def _kept(check: CheckResult, capability: str) -> Markup | None:
    """The promises of the contract that a backend was held to, listed."""
    if check.check != "contract":
        return None
    held = [r for r in check.records if _PROMISE in r.name]
    if capability:
        held = [record for record in held if record.name.startswith(f"{capability}/")]
    if not held:
        return None
    broken = sum(record.outcome is Outcome.REFUSED for record in held)
    told = f"{amount(len(held), 'promise')} of the contract on {check.backend}"
    told += f", {broken} broken" if broken else ", all kept"
    rows = [
        tag(
            "li",
            tag("span", "✗" if record.outcome is Outcome.REFUSED else "✓", class_="sign"),
            " ",
            record.name.partition(_PROMISE)[2].replace("_", " "),
            class_=record.outcome.value.replace(" ", "-"),
        )
        for record in held
    ]
    return tag("details", tag("summary", told), tag("ul", rows, class_="kept"))


def _backends(certification: Certification, backends: Mapping[str, Any]) -> Markup:
    heads = (
        "Backend",
        "Egress promised",
        "Egress seen",
        "Scopes promised",
        "Scopes needed",
        *_REST,
    )
    rows = [
        tag(
            "tr",
            tag("th", name, scope="row"),
            tag("td", _codes(_list(_table(told).get("egress")), "nothing")),
            tag("td", _reached(certification, name, _table(told))),
            tag("td", ", ".join(map(str, _list(_table(told).get("scopes")))) or "none"),
            tag("td", _needed(certification, name)),
            tag("td", f"by the {_table(told).get('retry_owner', 'caller')}"),
            tag("td", _deadlines(_table(told))),
        )
        for name, told in backends.items()
    ]
    head = tag("tr", [tag("th", title, scope="col") for title in heads])
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="plain")
    return join(
        tag("h3", "Backends"),
        tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Backends"),
    )


def _codes(values: Sequence[Any], none: str) -> Child:
    return [(tag("code", str(value)), " ") for value in values] or none


def _reached(certification: Certification, backend: str, told: Mapping[str, Any]) -> Child:
    ran = [check for check in certification.checks if check.backend == backend]
    if not any("reached" in check.facts for check in ran):
        return "not run"
    places: dict[str, None] = {}
    for check in ran:
        each = [_table(facts) for facts in _list(check.facts.get("each"))] or [check.facts]
        places |= dict.fromkeys(str(p) for facts in each for p in _list(facts.get("reached")))
    strangers = places.keys() - set(map(str, _list(told.get("egress"))))
    refused = any(check.verdict is Verdict.REFUSED for check in ran)
    return [
        (tag("code", place, class_="bad" if refused and place in strangers else None), " ")
        for place in sorted(places)
    ] or "nothing"


def _needed(certification: Certification, backend: str) -> str:
    """The permissions that the requests needed, as far as the reference tells."""
    found = dict.fromkeys(
        str(scope)
        for check in certification.checks
        if check.backend == backend
        for scope in _list(check.facts.get("scopes"))
    )
    return ", ".join(found) or "not told"


def _deadlines(told: Mapping[str, Any]) -> str:
    silent, cancelled = told.get("timeout_seconds_max"), told.get("cancel_seconds_max")
    return f"{silent} s on a silent service, {cancelled} s after a cancellation"


def _data(told: Mapping[str, Any]) -> Markup | None:
    classes, residency = _list(told.get("classes")), _list(told.get("residency"))
    if not classes and not residency:
        return None
    return tag(
        "p",
        tag("b", "Data: "),
        _codes(classes, "no class named"),
        tag("b", " Residency: "),
        _codes(residency, "none named"),
    )
