"""The use side: a URL that an operation hands out is a credential, and is tried as one.

Its holder can do what is delegated, to the end of its life: the same as the binding's own call
does, at a declared host and over TLS. With another method, or later, it is good for nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from core_caps.contract.suite import Call, Grant

from flows_registry.checks.contract.check import comparable_of
from flows_registry.checks.effects.evidence import Evidence
from flows_registry.checks.effects.seen import NAME
from flows_registry.checks.plan import Baseline
from flows_registry.lab.case import Case, CaseRun, Use
from flows_registry.verdict import Finding

__all__ = ["untried", "use_side"]

_METHODS = ("GET", "PUT", "POST", "DELETE")
_CONTENT = b"this was not granted"
_PORTS = {"https": 443, "http": 80}


def use_side(evidence: Evidence) -> Iterator[tuple[str, Finding]]:
    """URLs that do less, more, or longer than what they are for; a mock's lead nowhere."""
    if evidence.plan.backend(evidence.backend).wire is None:
        return
    for base in evidence.usable:
        if grant := _usable_grant(base):
            for finding in _Trial(evidence, base, grant).findings():
                yield base.exercise.call.operation, finding


def untried(evidence: Evidence) -> list[str]:
    """The operations that hand out a credential which no exercise lets anybody use; who asked for
    some cases only is not told what the others would have shown."""
    plan = evidence.plan
    if plan.backend(evidence.backend).wire is None or plan.only:
        return []
    minting = {base.exercise.call.operation for base in evidence.usable if base.claim.delegates}
    tried = {base.exercise.call.operation for base in evidence.usable if _usable_grant(base)}
    return sorted(minting - tried)


def _usable_grant(base: Baseline) -> Grant | None:
    """What an exercise's credential permits, where the plugin can do the same by itself."""
    grant = base.exercise.grant
    provided = grant is not None and grant.same_as.operation in base.capability.claims
    return grant if provided else None


@dataclass(frozen=True, slots=True)
class _Trial:
    """One URL, used in every way."""

    evidence: Evidence
    base: Baseline
    grant: Grant

    def findings(self) -> Iterator[Finding]:
        granted = Use(self.grant.method, self.grant.content)
        last = Use(self.grant.method, self.grant.content, self.grant.seconds - 1.0)
        late = Use(self.grant.method, self.grant.content, self.grant.seconds + 1.0)
        others = [
            Use(method, None if method == "GET" else _CONTENT)
            for method in _METHODS
            if method != self.grant.method
        ]
        mint = self.base.exercise.call
        cases = [
            self._case("with its own rights", self.grant.same_as),
            self._case("its URL used", mint, granted),
            self._case("its URL used at last", mint, last),
            self._case("its URL used late", mint, late),
            *(self._case(f"its URL used for {use.method}", mint, use) for use in others),
        ]
        own, *permitted_and_not = self.evidence.plan.run(NAME, self.evidence.backend, cases)
        for run in permitted_and_not[:2]:
            yield from self._permitted(run, own)
        for run in permitted_and_not[2:]:
            yield from self._refused(run)

    def _case(self, name: str, call: Call, use: Use | None = None) -> Case:
        exercise = self.base.exercise
        return Case(
            f"{self.base.name}/{name}",
            self.base.capability.contract,
            self.evidence.backend,
            (call,),
            setup=exercise.setup,
            use=use,
            probe=self.evidence.plan.read_back(self.base) or (),
        )

    def _permitted(self, run: CaseRun, own: CaseRun) -> Iterator[Finding]:
        """What was granted is done: no less than the binding's own call does, and no more."""
        answer, same = run.answer, self.grant.same_as.operation
        if answer is None or not answer.is_success or self.grant.answer not in (
            None, answer.content,
        ):  # fmt: skip
            yield self._finding(run, f"does not {same}", f"it answers as {same} does")
        elif astray := _astray(self.evidence, run):
            yield self._finding(run, f"leads to {astray}", "it leads to a declared host, over TLS")
        elif self._left(run) != self._left(own):
            yield self._finding(
                run, f"leaves something else than {same} does", f"it changes what {same} changes"
            )

    def _left(self, run: CaseRun) -> tuple[bool, Sequence[object]]:
        """Whether the state changed, and what reading back gave afterwards."""
        comparable = comparable_of(self.base.capability)
        read = [
            None if step.error else comparable(call, step.value)
            for call, step in zip(run.case.probe, run.probe, strict=False)
        ]
        return run.state_before != run.state_after, read

    def _refused(self, run: CaseRun) -> Iterator[Finding]:
        """What was not granted, or not any more, is not done."""
        use, answer = run.case.use, run.answer
        assert use is not None
        done = answer is not None and answer.is_success
        if done or run.state_before != run.state_after:
            held = f" {use.after_seconds:g} s later" if use.after_seconds else ""
            yield self._finding(
                run, f"still permits {use.method}{held}", f"{use.method}{held} is refused"
            )

    def _finding(self, run: CaseRun, what: str, promised: str) -> Finding:
        operation, grant = self.base.exercise.call.operation, self.grant
        return Finding(
            "EFFECT206",
            f"the URL that {operation} gives {what}",
            f"it is good for {grant.method} during {grant.seconds} s: {promised}",
            _shown(run),
            self.evidence.reproduce(self.base.name),
            "sign the method, the key and the expiry that the caller asked for, for the declared "
            "host",
        )


def _astray(evidence: Evidence, run: CaseRun) -> str | None:
    """Where the URL leads, should that be none of the backend's declared addresses or not TLS."""
    url = urlsplit(str(run.steps[-1].value))
    host, port = url.hostname or "", url.port or _PORTS.get(url.scheme, 0)
    secure = url.scheme == "https" or (url.scheme == "http" and _is_plain(evidence))
    declared = (host, port) in evidence.plan.egress(evidence.backend)
    return None if secure and declared else f"{url.scheme}://{host}:{port}"


def _is_plain(evidence: Evidence) -> bool:
    """Whether the address that the backend declares for its service is itself without TLS."""
    settings = evidence.plan.backend(evidence.backend).config.values()
    addresses = [str(s.default if s.example is None else s.example) for s in settings if s.endpoint]
    return any(address.startswith("http://") for address in addresses)


def _shown(run: CaseRun) -> str:
    """What was sent and answered; the target's credentials are redacted."""
    sent = "; ".join(f"{e.method} {e.host}{e.target}" for e in run.exchanges) or "nothing arrived"
    if run.answer is None:
        return f"{sent}: {run.trouble or 'no URL was given'}"
    return f"{sent}: {run.answer.status or 'no answer'}, {run.answer.content[:200]!r}"
