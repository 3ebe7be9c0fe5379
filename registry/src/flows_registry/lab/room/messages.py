"""What an agent is told of a case, and the run that its report and the server's make together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from core_caps.contract.codec import decode, encode
from core_caps.contract.suite import PERSONAL

from flows_registry.lab.case import (
    Answer,
    Case,
    CaseRun,
    ErrorFacts,
    Exchange,
    Place,
    Sighting,
    Step,
)
from flows_registry.lab.ran import Ran
from flows_registry.lab.room.folders import Folders
from flows_registry.lab.room.furniture import Furniture

__all__ = ["message_of", "parted", "run_of"]


def message_of(case: Case, furniture: Furniture, folders: Folders) -> dict[str, Any]:
    """The case as its agent takes it."""
    given = {setting: folders.given(setting) for setting in furniture.folders}
    message: dict[str, Any] = {
        "plugin": furniture.plugin,
        "backend": case.backend,
        "protocol": furniture.protocols[case.contract],
        "operations": list(furniture.operations[case.contract]),
        "config": {**furniture.config, **given, **case.config},
        "secrets": {**furniture.secrets, **case.secrets},
        "together": case.together,
        "personal": dict(PERSONAL),
        "packages": [name.partition(".")[0] for name in furniture.warm],
        "listening": case.listening,
    }
    if case.promise is not None:
        return {**message, "promise": case.promise, **furniture.worlds[case.contract]}
    return {
        **message,
        "setup": encode(list(case.setup)),
        "calls": encode(list(case.calls)),
        "use": None if case.use is None else encode(asdict(case.use)),
        "probe": encode(list(case.probe)),
        "elapsed_seconds": case.elapsed_seconds,
        "cancel_after_seconds": case.cancel_after_seconds,
        "settle_seconds": case.settle_seconds,
        "concurrent": case.concurrent,
        "turns": [astuple(turn) for turn in case.turns],
        "measured": case.measured,
        "followed": case.followed,
        "places": [astuple(place) for place in case.places],
    }


def parted(message: Mapping[str, Any], case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    """The case as the client takes it that dies in it, and as those do who go on afterwards."""
    calls, nothing = encode(list(case.victim)), encode([])
    dying: dict[str, Any] = {
        "calls": calls,
        "turns": [],
        "probe": nothing,
        "dies": True,
        "together": False,
    }
    return {**message, **dying}, {**message, "setup": nothing, "goes_on": True, "together": False}


def run_of(
    case: Case,
    report: Mapping[str, Any],
    seen: Mapping[str, Any],
    folders: Folders,
    trouble: str | None,
    real_seconds: float,
    *,
    died: bool = False,
) -> CaseRun:
    """What came of a case: the agent's report, and what the server has seen."""

    def steps(name: str) -> tuple[Step, ...]:
        return tuple(Step.of(step) for step in report.get(name, ()))

    opening = report.get("opening")
    return CaseRun(
        case=case,
        setup=steps("setup"),
        steps=steps("steps"),
        probe=steps("probe"),
        answer=Answer(**decode(report["answer"], foreign=False)) if "answer" in report else None,
        opening=ErrorFacts(**dict(opening, ancestors=tuple(opening["ancestors"])))
        if opening
        else None,
        exchanges=tuple(
            Exchange(
                **dict(
                    exchange,
                    carried=tuple(exchange["carried"]),
                    headers=tuple(exchange["headers"]),
                    scopes=_scopes(exchange["scopes"]),
                    sightings=_sightings(exchange["sightings"]),
                )
            )
            for exchange in seen.get("exchanges", ())
        ),
        consumed=tuple(seen.get("consumed", ())),
        state_before=seen.get("state_before", ""),
        state_after=seen.get("state_after", ""),
        state_bytes_before=seen.get("state_bytes_before", 0),
        state_bytes_after=seen.get("state_bytes_after", 0),
        state_text_before=seen.get("state_text_before", ""),
        state_text_after=seen.get("state_text_after", ""),
        egress=tuple(
            (host, port) for host, port in (*seen.get("egress", ()), *report.get("attempts", ()))
        ),
        lookups=(*seen.get("lookups", ()), *map(str, report.get("lookups", ()))),
        egress_around=tuple((host, port) for host, port in seen.get("egress_around", ())),
        lookups_around=tuple(seen.get("lookups_around", ())),
        watched=tuple(_watched(report.get("watched", ()), folders)),
        reached=_places(case, report.get("reached", ())),
        reached_around=_places(case, report.get("reached_around", ())),
        ran=Ran.of(report.get("ran", {})),
        sources=tuple(map(str, report.get("sources", ()))),
        sightings=_sightings(report.get("sightings", ())),
        kept=report.get("kept"),
        broken={key: report[key] for key in ("promised", "observed", "text") if key in report},
        died=died,
        trouble=trouble,
        stalled_connections=seen.get("stalled_connections", 0),
        virtual_seconds=report.get("virtual_seconds", 0.0),
        real_seconds=real_seconds,
    )


def _watched(told: Sequence[Sequence[str]], folders: Folders) -> Iterator[tuple[str, str]]:
    """What its process reported, and the files that lie there although it did not."""
    names = {Path(detail).name for _, detail in told}
    for kind, detail in told:
        yield ("own file" if kind == "file" and folders.holds(detail) else kind), detail
    for path in folders.left():
        if Path(path).name not in names:
            yield "file", path


def _scopes(told: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if told is None else tuple(map(str, told))


def _sightings(told: Sequence[Sequence[str]]) -> tuple[Sighting, ...]:
    return tuple(Sighting(str(kind), str(name), str(place)) for kind, name, place in told)


def _places(case: Case, numbers: Sequence[int]) -> frozenset[Place]:
    return frozenset(case.places[number] for number in numbers if 0 <= number < len(case.places))
