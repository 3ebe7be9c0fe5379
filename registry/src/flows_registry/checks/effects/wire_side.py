"""The wire side: what was asked of the world, by whatever road, whether or not it changed anything.

Requests, connections, names, processes and files: all that leaves the operation.
"""

from collections.abc import Iterator

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.declared import over_declared, ways_left, without_request
from flows_registry.checks.effects.evidence import Evidence
from flows_registry.checks.effects.seen import Seen, only_reads
from flows_registry.checks.reading import is_read
from flows_registry.checks.ways_out import declared, strangers
from flows_registry.verdict import Finding

__all__ = ["wire_side"]


def wire_side(evidence: Evidence) -> Iterator[tuple[str, Finding]]:
    """Requests that do more than declared or never come, and roads that nobody declared."""
    for seen in evidence.seen:
        for finding in (*_requests(evidence, seen), *_strangers(evidence, seen)):
            yield seen.operation, finding
    for base in without_request(evidence):
        if not ways_left(evidence, base):
            yield base.exercise.call.operation, over_declared(evidence, base, "reads the service")


def _requests(evidence: Evidence, seen: Seen) -> Iterator[Finding]:
    base, exchanges = seen.base, seen.run.exchanges
    reproduce = evidence.reproduce(seen.base.name)
    safe_posts = evidence.plan.backend(evidence.backend).safe_posts
    unsafe = [exchange for exchange in exchanges if not is_read(exchange, safe_posts)]
    if only_reads(base) and unsafe:
        first = unsafe[0]
        yield Finding(
            "EFFECT201",
            f"{seen.operation} sends {first.method} {seen.path}",
            f"{seen.operation} declares effects {base.claim.effects}",
            f"{first.method} {first.host}{first.target}"
            + ("" if first.changed else ", which this time changed nothing"),
            reproduce,
            "list the route under safe_posts if it only reads; else declare the effect",
        )
    if base.claim.effects is Effects.PURE and exchanges:
        yield Finding(
            "EFFECT201",
            f"{seen.operation} reads the world",
            f"{seen.operation} declares effects pure",
            f"{exchanges[0].method} {exchanges[0].host}",
            reproduce,
            "declare effects = 'read_only'",
        )


_BESIDES = {
    "process": "starts a process",
    "file": "writes a file",
    "local socket": "speaks with another process",
}
"""What the interpreter tells of the machine, besides the network: its kind, and in words."""


def _strangers(evidence: Evidence, seen: Seen) -> Iterator[Finding]:
    """Hosts, processes and files that nobody declared."""
    allowed = evidence.plan.egress(evidence.backend)
    reproduce = evidence.reproduce(seen.base.name)
    for deed in strangers(seen.run, allowed, evidence.plan.lab.canaries(evidence.backend)):
        yield Finding(
            "EGRESS101",
            f"{seen.operation} {deed} {seen.path}",
            declared(allowed),
            f"it {deed}",
            reproduce,
            "declare the host under the backend's egress, or do not go there",
        )
    for kind, detail in seen.run.watched:
        if does := _BESIDES.get(kind):
            yield Finding(
                "EFFECT203",
                f"{seen.operation} {does} {seen.path}",
                "an operation reaches its service and nothing else of the machine",
                f"{kind}: {detail}",
                reproduce,
                "keep the work inside the process; hand files to a capability made for them",
            )
            break
