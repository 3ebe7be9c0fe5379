"""By what each write may be repeated: its nature, an idempotency key or a precondition.

A key is worth something only where it reaches the service with every attempt, so each keyed write
is made twice under one key, the answer to its first write lost, and its requests are looked into.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast
from urllib.parse import quote

from core_caps.claims.lattice import Effects
from core_caps.claims.manifest import OperationClaim
from core_caps.claims.operation import Repeat, keys_given
from core_caps.contract.codec import Foreign
from core_caps.contract.suite import Call

from flows_registry.checks.plan import Baseline, Plan
from flows_registry.checks.reading import is_read
from flows_registry.lab.case import Case, CaseRun, Exchange
from flows_registry.lab.faults import Fault
from flows_registry.subject import Capability
from flows_registry.verdict import Finding

__all__ = [
    "NAME",
    "UNPROVEN",
    "key_trials",
    "keyless",
    "keys_of",
    "never_keyed",
    "repeated_under",
]

NAME = "injection"
UNPROVEN = "CONTRACT003"
"""The code of a finding that says that nothing was proven, not that something is wrong."""


def repeated_under(capability: Capability) -> Mapping[str, str]:
    """Per write, what makes a repeat safe: `nature`, `key NAME`, `precondition NAME`, or ""."""
    return {name: claim.repeated_under for name, claim in _writes(capability)}


def keyless(plan: Plan, capability: Capability) -> Iterator[Finding]:
    """Writes that nothing makes safe to repeat."""
    for name, claim in _writes(capability):
        if not claim.repeated_under:
            yield Finding(
                "IDEM020",
                f"nothing makes {name} safe to repeat",
                "a write converges by nature, or takes an idempotency key or a precondition",
                f"{name} declares repeat {claim.repeat.value}, no key and no precondition",
                plan.reproduce(NAME, ""),
                'name the argument that takes the key: @operation(…, repeat=Repeat.KEYED, key="…")',
            )


def keys_of(claim: OperationClaim, call: Call) -> tuple[object, ...]:
    """The idempotency keys that a call is given: one, one for each item of a batch, or none."""
    named = {name: _known(value) for name, value in call.kwargs.items()}
    return keys_given(claim, tuple(map(_known, call.args)), named)


def never_keyed(capability: Capability) -> list[str]:
    """The keyed writes that no exercise gives a key."""
    calls = [exercise.call for exercise in capability.exercises]
    return [
        name
        for name, claim in _writes(capability)
        if _is_keyed(claim) and not any(c.operation == name and keys_of(claim, c) for c in calls)
    ]


def key_trials(
    plan: Plan, backend: str, baselines: Sequence[Baseline]
) -> Iterator[tuple[Case, Callable[[CaseRun], Iterator[Finding]]]]:
    """Every keyed write twice under its key, the answer to its first write lost."""
    for base in baselines:
        call = base.exercise.call
        keys = keys_of(base.claim, call)
        if not keys or not _is_keyed(base.claim) or not base.run.exchanges or base.problem:
            continue
        case = Case(
            f"{base.name}/twice under one key",
            base.capability.contract,
            backend,
            (call, call),
            setup=base.exercise.setup,
            faults=(Fault("reset after commit", _first_write(plan, base)),),
            perturbation={"marks": [_forms(key) for key in keys]},
        )
        yield case, lambda run, base=base: _judged(plan, base, run)


def _judged(plan: Plan, base: Baseline, run: CaseRun) -> Iterator[Finding]:
    operation, key = base.exercise.call.operation, base.claim.key
    reproduce = plan.reproduce(NAME, run.case.name)
    writing = _writing(plan, run)
    bare = _bare(writing, len(keys_of(base.claim, base.exercise.call)))
    if bare is not None:
        yield Finding(
            "IDEM021",
            f"{operation} does not send its key",
            f"every attempt carries what {key} was given, in its address, headers or content",
            f"{bare.method} {bare.target}, attempt {writing.index(bare) + 1}, without it",
            reproduce,
            f"send {key} as it is, or in hexadecimal or base64, wherever the service takes it",
        )
    if _applied_twice(base, run):
        yield Finding(
            "INJECT003",
            f"{operation} made twice under one key is applied twice",
            "two attempts under one key leave what one leaves",
            f"the state is now {run.state_text_after[:600]}",
            reproduce,
            "give the service the same key with every attempt, and let it remember",
        )
    if not all(run.consumed) or not any(e.fault and e.committed for e in writing):
        yield Finding(
            UNPROVEN,
            f"{operation} never lost the answer to a write",
            "a write under a key is applied, its answer lost, and it is made again",
            run.trouble or "no request that met the fault was applied",
            reproduce,
            "give an exercise of it that writes; list under safe_posts only what reads",
        )


def _applied_twice(base: Baseline, run: CaseRun) -> bool:
    """Whether a second attempt left a mark; what only its receiver knows by its key may."""
    alike = run.state_before == base.run.state_before
    return alike and run.state_after != base.run.state_after and not base.claim.travels


def _bare(writing: Sequence[Exchange], keys: int) -> Exchange | None:
    """A request without the key of something that it writes, or None.

    A batch may go in several requests, each with its own keys; what is sent again carries the same.
    """
    sent: set[int] = set()
    for exchange in writing:
        carried = set(exchange.carried)
        if not carried or any(carried < set(other.carried) for other in writing):
            return exchange
        sent |= carried
    return writing[-1] if writing and len(sent) < keys else None


def _first_write(plan: Plan, base: Baseline) -> int:
    """The number of the request by which a healthy run first applies something."""
    return next((e.number for e in _writing(plan, base.run) if e.committed), 0)


def _writing(plan: Plan, run: CaseRun) -> list[Exchange]:
    safe_posts = plan.backend(run.case.backend).safe_posts
    return [e for e in run.exchanges if not is_read(e, safe_posts)]


def _writes(capability: Capability) -> Iterator[tuple[str, OperationClaim]]:
    for name, claim in capability.claims.items():
        if claim.effects is Effects.EFFECTFUL and not claim.delegates:
            yield name, claim


def _is_keyed(claim: OperationClaim) -> bool:
    return claim.effects is Effects.EFFECTFUL and claim.repeat is Repeat.KEYED and bool(claim.key)


def _known(value: object) -> object:
    """An argument whose items' attributes can be read, those of a plugin's own classes, too."""
    if isinstance(value, Foreign):
        return value.fields
    if isinstance(value, list | tuple):
        return [_known(item) for item in cast("Sequence[object]", value)]
    return value


def _forms(key: object) -> list[str]:
    """How a key may stand in a request."""
    data = key if isinstance(key, bytes) else str(key).encode()
    text = "" if isinstance(key, bytes) else str(key)
    spelt = [text, quote(text, safe=""), json.dumps(text)[1:-1]] if text else []
    return [*dict.fromkeys(spelt), data.hex(), base64.b64encode(data).decode()]
