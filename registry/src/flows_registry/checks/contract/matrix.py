"""The matrix: which faults an exercise meets, and at which of its requests."""

from collections.abc import Iterator

from core_caps.claims.lattice import Effects
from core_caps.contract.suite import Call

from flows_registry.checks.plan import Baseline
from flows_registry.lab.case import Case, Exchange
from flows_registry.lab.faults import (
    CONNECTION,
    FAULTS,
    MUTE,
    OF_BYTES,
    PINNED_ONLY,
    READS_ONLY,
    STRUCTURED_ONLY,
    Fault,
)

__all__ = ["REQUESTS_MAX", "cases_of"]

REQUESTS_MAX = 4
"""At how many of an operation's requests each fault is tried."""

_ONE_OF_EACH = frozenset(
    {
        "status 401", "status 404", "status 500", "status 429, Retry-After: 2", "bare status 204",
        "redirect 302", "untrusted certificate", "reset before commit", "reset after commit",
        "truncated body", "wrong content type", "corrupted body", "html page", "slow body",
        "stale read",
    }
)  # fmt: skip

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})

CANCEL_AFTER_SECONDS = 2.0


def cases_of(
    base: Baseline, backend: str, settle_seconds: float, probe: Call, *, whole: bool
) -> Iterator[tuple[Case, Fault]]:
    """Every case that an exercise gives; none where it makes no request.

    Args:
        base: the exercise on a healthy service.
        backend: the backend's name.
        settle_seconds: how long a cancelled call may hold its connection.
        probe: the operation's plainest use, made afterwards to see whether the client recovered.
        whole: meet every fault; else one fault of each class, for a further way to use an
            operation that meets them all already.
    """
    shapes: set[tuple[str, str, frozenset[str]]] = set()
    for at, exchange in enumerate(base.run.exchanges[:REQUESTS_MAX]):
        every = whole and _shape(exchange) not in shapes
        shapes.add(_shape(exchange))
        for fault in FAULTS:
            if (every or fault.name in _ONE_OF_EACH) and _applies(fault, base, at, exchange):
                armed = Fault(fault.kind, at, fault.status, fault.retry_after)
                yield _case(base, backend, probe, armed), armed
        stall = Fault("stall", at)
        yield _case(base, backend, probe, stall, settle_seconds), stall


def _shape(exchange: Exchange) -> tuple[str, str, frozenset[str]]:
    """What makes two requests of one call the same request with other values in it."""
    path, _, query = exchange.target.partition("?")
    return exchange.method, path, frozenset(item.partition("=")[0] for item in query.split("&"))


def _case(
    base: Baseline,
    backend: str,
    probe: Call,
    fault: Fault,
    settle_seconds: float | None = None,
) -> Case:
    where = f" at request {fault.at + 1}" if len(base.run.exchanges) > 1 else ""
    cancelled = settle_seconds is not None
    what = "cancelled during a stall" if cancelled else fault.name
    return Case(
        f"{base.name}/{what}{where}",
        base.capability.contract,
        backend,
        (base.exercise.call,),
        setup=base.exercise.setup,
        probe=(probe,),
        faults=(fault,),
        cancel_after_seconds=CANCEL_AFTER_SECONDS if cancelled else None,
        settle_seconds=settle_seconds or 0.0,
    )


def _applies(fault: Fault, base: Baseline, at: int, exchange: Exchange) -> bool:
    """Whether this fault can be told from a healthy answer to this request at all."""
    kind = fault.kind
    if not exchange.scheme.startswith("http") and kind not in OF_BYTES:
        return False
    if kind in CONNECTION or kind == MUTE:
        # Who speaks with its own machine has no certificate to look at.
        return at == 0 and (kind == "refused" or exchange.host not in _THIS_MACHINE)
    if kind in READS_ONLY:
        return base.claim.effects <= Effects.READ_ONLY
    if kind in PINNED_ONLY:
        return any(hint.endswith("::pinned") for hint in base.claim.hints)
    if kind in STRUCTURED_ONLY:
        document = any(word in exchange.answer_type for word in ("json", "xml"))
        return document and exchange.method != "HEAD"
    if kind in ("bare status", "empty answer"):
        # Where a healthy answer is this very status without content, nobody could tell.
        healthy = exchange.status == (fault.status or 200) and exchange.answer_bytes == 0
        return not healthy
    return True
