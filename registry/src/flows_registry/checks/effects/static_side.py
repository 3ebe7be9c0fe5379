"""The static side: what the source could do, on paths that no case need ever take."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from core_caps.claims.lattice import Effects
from core_caps.claims.manifest import SafePost

from flows_registry.checks.effects.evidence import Evidence
from flows_registry.checks.effects.static import OPENING, Sink
from flows_registry.verdict import Finding

__all__ = ["static_side"]


def static_side(evidence: Evidence) -> Iterator[tuple[str, Finding]]:
    """Calls in the source that do more than their operation declares."""
    claims = {
        name: claim
        for capability in evidence.plan.subject.capabilities.values()
        for name, claim in capability.claims.items()
    }
    backend = evidence.plan.backend(evidence.backend)
    has_files = any(setting.folder for setting in backend.config.values())
    for name, derived in evidence.derived.items():
        ceiling = claims[name].effects if name in claims else Effects.READ_ONLY
        for sink in derived.sinks:
            if has_files and _own_file(name, sink):
                continue
            if sink.effects > ceiling and not _safe(sink, backend.safe_posts):
                yield name, _finding(evidence, name, ceiling, sink)


def _finding(evidence: Evidence, name: str, ceiling: Effects, sink: Sink) -> Finding:
    what = "opening the provider" if name == OPENING else name
    uses = (base.name for base in evidence.usable if base.exercise.call.operation == name)
    return Finding(
        "EFFECT201",
        f"{what} can be {sink.effects}: {sink.detail}",
        f"{what} declares effects {ceiling}",
        f"{' → '.join(sink.path) or name} at {sink.location}",
        evidence.reproduce(next(uses, "")),
        f"declare effects = {str(sink.effects)!r} for {name}, or remove the call",
    )


def _own_file(name: str, sink: Sink) -> bool:
    """Whether it may be a file of the backend's own, or the tables that opening makes there.

    Which file it is does not stand in the source: the wire side sees that all of them lie in the
    folder, and reading back that a read changes nothing.
    """
    return sink.kind == "file" or (sink.kind == "sql" and name == OPENING)


def _safe(sink: Sink, safe_posts: Sequence[SafePost]) -> bool:
    """Whether the source cannot say more than that a route is used which is declared to only
    read; which route it really is, the wire shows."""
    path = (urlsplit(sink.url).path or sink.url).rstrip("/")
    return any(
        sink.method == safe.method and path.endswith(("*", safe.path.rstrip("/")))
        for safe in safe_posts
    )
