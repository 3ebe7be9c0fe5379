"""What must hold of one operation under one fault, whatever the plugin is.

Each oracle looks at one case and yields findings. None knows a vendor: what a healthy service
does is told by the baseline run of the same exercise.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core_caps.claims.manifest import SafePost
from core_caps.contract.suite import Call

from flows_registry.checks.plan import Baseline
from flows_registry.checks.reading import is_read
from flows_registry.checks.ways_out import declared, strangers
from flows_registry.lab.case import CaseRun, ErrorFacts, Exchange
from flows_registry.lab.faults import COMMITTED, CONNECTION, MUTE, PORTAL, SILENT, Fault
from flows_registry.verdict import Finding, Reproduction

__all__ = ["Rules", "judge"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the manifest promises that oracles hold it to.

    Attributes:
        retry_owner: "caller" or "provider".
        timeout_seconds_max: no call waits longer.
        cancel_seconds_max: a cancelled call has freed its connection by then.
        egress: the declared (host, port) pairs.
        safe_posts: the routes declared to only read although their method says write.
        canaries: secret name → value, to be found nowhere.
        comparable: `(call, value) → value` without what may differ between honest runs.
        answered: `(call, value) → status` where the value tells what the service answered.
        reproduce: case name → the command that runs it again.
    """

    retry_owner: str
    timeout_seconds_max: float
    cancel_seconds_max: float
    egress: frozenset[tuple[str, int]]
    safe_posts: Sequence[SafePost]
    canaries: Mapping[str, str]
    comparable: Callable[[Call, object], object]
    answered: Callable[[Call, object], int | None]
    reproduce: Callable[[str], Reproduction]


@dataclass(frozen=True, slots=True)
class _Meeting:
    """One exercise meeting one fault."""

    base: Baseline
    run: CaseRun
    fault: Fault
    rules: Rules

    @property
    def name(self) -> str:
        return f"{self.base.exercise.call.operation} met {self.fault.name!r}"

    @property
    def error(self) -> ErrorFacts | None:
        return self.run.steps[0].error if self.run.steps else None

    @property
    def met(self) -> Exchange | None:
        """The request that met the fault."""
        return next((e for e in self.run.exchanges if e.fault is not None), None)

    def writing(self, exchange: Exchange) -> bool:
        """Whether a request may change something."""
        return not is_read(exchange, self.rules.safe_posts)

    def finding(self, code: str, message: str, promised: str, observed: str, fix: str) -> Finding:
        reproduce = self.rules.reproduce(self.run.case.name)
        return Finding(code, f"{self.name}: {message}", promised, observed, reproduce, fix)


def judge(base: Baseline, run: CaseRun, fault: Fault, rules: Rules) -> Iterator[Finding]:
    """Every finding about one case whose fault was consumed."""
    meeting = _Meeting(base, run, fault, rules)
    if run.trouble is not None:
        yield _trouble(meeting)
        return
    for oracle in _ORACLES:
        yield from oracle(meeting)


def _trouble(m: _Meeting) -> Finding:
    trouble = m.run.trouble or ""
    if m.fault.kind in SILENT or trouble.startswith(("hung", "killed")):
        return m.finding(
            "CONTRACT015",
            "the call never ends",
            f"timeout_seconds_max = {m.rules.timeout_seconds_max:g}: a silent service ends a call",
            trouble,
            "give every wait on the network a timeout",
        )
    return m.finding(
        "CONTRACT010",
        "the process died",
        "a failed call raises an error derived from core_caps.errors.ProviderError",
        trouble,
        "catch the failure at its place and map it in errors.py",
    )


def _own_errors(m: _Meeting) -> Iterator[Finding]:
    """A caller can read an outcome from every failure."""
    errors = [m.error, m.run.opening]
    for error in errors:
        if error is not None and not error.is_provider_error:
            yield m.finding(
                "CONTRACT010",
                f"a foreign {error.name} reached the caller",
                "a failed call raises an error derived from core_caps.errors.ProviderError, "
                "with its outcome",
                f"{error.name}: {error.message[:300]}",
                f"map {error.name} in errors.py",
            )


_CLASSES: Mapping[int, tuple[str, ...]] = {
    400: ("InvalidArgument",),
    401: ("Unauthenticated",),
    403: ("PermissionDenied",),
    404: ("ContainerNotFound", "ObjectAbsent"),
    409: ("Conflict",),
    412: ("PreconditionFailed",),
    413: ("InvalidArgument",),
    422: ("InvalidArgument",),
    429: ("RateLimited",),
    500: ("Unavailable",),
    502: ("Unavailable",),
    503: ("Unavailable", "RateLimited"),
    504: ("Unavailable", "TimedOut"),
}


def _right_class(m: _Meeting) -> Iterator[Finding]:
    """Each status has its error, so that a caller can tell 'wait' from 'ask for a key'."""
    if m.fault.kind != "status" or m.error is None or not m.error.is_provider_error:
        return
    expected = _CLASSES[m.fault.status or 0]
    conditional = any(name.startswith("if_") for name in m.base.exercise.call.kwargs)
    if m.fault.status == 404 and conditional:
        expected += ("PreconditionFailed",)  # there is nothing that could match
    if m.fault.status == 412 and not conditional:
        expected += ("Conflict",)  # a condition that the provider itself had set
    ancestors = {ancestor.rpartition(":")[2] for ancestor in m.error.ancestors}
    if not ancestors & set(expected):
        yield m.finding(
            "CONTRACT011",
            f"it raised {m.error.name}",
            f"status {m.fault.status} is {' or '.join(expected)}",
            f"{m.error.name}: {m.error.message[:300]}",
            f"map status {m.fault.status} to {expected[0]} in errors.py",
        )


def _no_false_success(m: _Meeting) -> Iterator[Finding]:
    """A call that was not applied does not say that it was."""
    kind = m.fault.kind
    withheld = kind in ("status", "bare status", "redirect") or (
        kind in CONNECTION | PORTAL
        or kind in ("reset before commit", "closed before commit", "stall", MUTE)
    )
    if not withheld or m.error is not None or not m.run.steps or m.run.steps[0].cancelled:
        return
    if m.fault.status == 404 and _absent(m):
        return  # documented: absence is None, and deleting what is absent is success
    if _told_as_it_was(m):
        return  # the caller was told the very status, and judges it
    if _as_healthy(m):
        return  # another request brought the very result, as a declared retry or a second look does
    yield m.finding(
        "CONTRACT012",
        "a failure was taken for success",
        "a call that the service did not serve raises an error",
        f"it returned {_short(m.run.steps[0].value)}",
        "check status, content type and the whole answer before believing it",
    )


def _absent(m: _Meeting) -> bool:
    """Whether the answer says that something is absent, rather than that all is well."""
    says_none = m.run.steps[0].value is None and m.base.run.steps[0].value is not None
    return says_none or not m.base.writes_something_new


def _told_as_it_was(m: _Meeting) -> bool:
    """Whether the result tells the status that the service last answered with."""
    served = next((e.status for e in reversed(m.run.exchanges)), None)
    told = m.rules.answered(m.base.exercise.call, m.run.steps[0].value)
    return told is not None and told == served


def _as_healthy(m: _Meeting) -> bool:
    """Whether result and state are those of a healthy call, so nothing false was said."""
    call = m.base.exercise.call
    value = m.rules.comparable(call, m.run.steps[0].value)
    healthy = m.rules.comparable(call, m.base.run.steps[0].value)
    served = any(e.committed for e in m.run.exchanges)
    return served and value == healthy and m.run.state_after == m.base.run.state_after


def _no_false_value(m: _Meeting) -> Iterator[Finding]:
    """What is returned is what a healthy service would have returned, whole."""
    if m.error is not None or not m.run.steps or m.run.steps[0].cancelled:
        return
    if m.fault.kind not in COMMITTED:
        return
    call = m.base.exercise.call
    value = m.rules.comparable(call, m.run.steps[0].value)
    healthy = m.rules.comparable(call, m.base.run.steps[0].value)
    if value != healthy:
        yield m.finding(
            "CONTRACT016",
            "a damaged answer was accepted",
            f"it returns {_short(healthy)} or raises ProtocolViolation",
            f"it returned {_short(value)}",
            "check length, framing and checksum before returning a value",
        )


def _true_outcome(m: _Meeting) -> Iterator[Finding]:
    """The outcome of a failed call is what really happened to the service."""
    error = m.error
    if error is None or not error.is_provider_error:
        return
    changed = m.run.state_before != m.run.state_after
    wrong: str | None = None
    if error.outcome == "not_applied" and changed:
        wrong = "the service's state has changed"
    elif error.outcome == "applied" and not any(e.committed for e in m.run.exchanges):
        wrong = "no request was applied"
    elif error.outcome == "not_applied" and _may_be_applied(m):
        wrong = f"a {m.fault.status} leaves open whether the write was applied"
    elif error.outcome == "unknown" and _cannot_be_applied(m):
        wrong = "the service said (or the connection shows) that nothing was applied"
    elif error.outcome not in ("not_applied", "applied", "unknown"):
        wrong = "there is no such outcome"
    if wrong is not None:
        yield m.finding(
            "CONTRACT013",
            f"outcome {error.outcome} is not true",
            "a retry policy reads the outcome: NOT_APPLIED may be repeated, UNKNOWN is read back",
            f"{error.name} says {error.outcome}, but {wrong}",
            "set the outcome in errors.py from what had been sent when it failed",
        )


def _may_be_applied(m: _Meeting) -> bool:
    met = m.met
    if met is not None and any(
        e.number > met.number and e.committed and m.writing(e) for e in m.run.exchanges
    ):
        return False  # it was undone or finished since; the state tells whether that is true
    return (
        m.base.writes
        and m.fault.kind == "status"
        and m.fault.status in (500, 502, 504)
        and met is not None
        and m.writing(met)
    )


def _cannot_be_applied(m: _Meeting) -> bool:
    if m.fault.at > 0 or not m.base.writes:
        return False  # an earlier request of the same call may have been applied
    refused = m.fault.kind == "status" and (m.fault.status or 0) < 500
    return refused or m.fault.kind in CONNECTION


def _nothing_half_written(m: _Meeting) -> Iterator[Finding]:
    """Afterwards the service is as before, or as after a healthy call; never between."""
    if m.run.state_after in (m.run.state_before, m.base.run.state_after):
        return
    changed = [e for e in m.run.exchanges if e.changed]
    unknown = m.error is not None and m.error.outcome == "unknown"
    if unknown and changed and changed == [m.met]:
        return  # the one answer that was lost held the name of what was begun
    if m.fault.at == 0 and m.run.state_before != m.base.run.state_before:
        return  # the two runs did not start alike, so they cannot be compared
    yield m.finding(
        "CONTRACT020",
        "something half-done was left behind",
        "after a failure the service is as it was before, or as after a healthy call",
        f"the state is now {m.run.state_text_after[:600]}",
        "undo or finish what was begun (abort the upload) before raising",
    )


_ONE_ATTEMPT = 'retry_owner = "caller": one call is one attempt, and core_caps.retrying repeats it'


def _no_hidden_retry(m: _Meeting) -> Iterator[Finding]:
    """Providers never retry, unless they say that they do; then they do it right."""
    sent = Counter(exchange.identity for exchange in m.run.exchanges)
    healthy = Counter(exchange.identity for exchange in m.base.run.exchanges)
    repeated = [(identity, n) for identity, n in sent.items() if n > max(1, healthy[identity])]
    if not repeated:
        return
    (method, host, target, _), times = repeated[0]
    observed = f"{method} {host}{target} was sent {times} times"
    if m.rules.retry_owner == "caller":
        yield m.finding(
            "CONTRACT014",
            "it retried by itself",
            _ONE_ATTEMPT,
            observed,
            "turn the client's own retries off, or declare retry_owner",
        )
    elif m.fault.status in (400, 401, 403, 404, 412, 413, 422):
        yield m.finding(
            "CONTRACT014",
            f"it retried a {m.fault.status}",
            "a refusal that a repeat cannot change is not repeated",
            observed,
            "retry only 429, 5xx and lost connections",
        )
    elif times > ATTEMPTS_MAX:
        yield m.finding(
            "CONTRACT014", "it retries without bound", f"at most {ATTEMPTS_MAX} attempts",
            observed, "bound the attempts",
        )  # fmt: skip
    elif m.fault.kind in COMMITTED and _applied_twice(m):
        yield m.finding(
            "CONTRACT014",
            "a write whose answer was lost was applied again",
            "a write is repeated only under an idempotency key or a precondition",
            observed,
            "send a key, or leave the repeat to the caller",
        )
    elif (asked := _asked_wait(m.fault)) and m.run.steps and m.run.steps[0].seconds < asked:
        yield m.finding(
            "CONTRACT017",
            "it did not wait as asked",
            f"Retry-After asks for {asked:g} s",
            f"the repeat came within {m.run.steps[0].seconds:.3f} s",
            "wait at least Retry-After before the repeat",
        )


def _connects_once(m: _Meeting) -> Iterator[Finding]:
    """Connecting again is a retry, too, although nothing was sent."""
    if m.fault.kind not in CONNECTION or m.rules.retry_owner != "caller":
        return
    healthy = Counter(m.base.run.egress)
    for (host, port), times in Counter(m.run.egress).items():
        if times > max(1, healthy[host, port]):
            yield m.finding(
                "CONTRACT014",
                "it connected again by itself",
                _ONE_ATTEMPT,
                f"{host}:{port} was tried {times} times",
                "turn the client's own retries off, or declare retry_owner",
            )
            return


ATTEMPTS_MAX = 10


def _applied_twice(m: _Meeting) -> bool:
    if not m.base.writes:
        return False
    effects = sum(e.committed and m.writing(e) for e in m.run.exchanges)
    healthy = sum(e.committed and m.writing(e) for e in m.base.run.exchanges)
    return effects > healthy and m.run.state_after != m.base.run.state_after


def _asked_wait(fault: Fault) -> float | None:
    if fault.retry_after is None or fault.retry_after == "soon":
        return None
    if fault.retry_after.startswith("{date+"):
        return float(fault.retry_after.removeprefix("{date+").removesuffix("}"))
    return float(fault.retry_after)


def _wait_passed_on(m: _Meeting) -> Iterator[Finding]:
    """What the service asks for reaches whoever retries."""
    error = m.error
    if m.fault.kind != "status" or error is None or m.fault.status not in (429, 503):
        return
    asked, told = _asked_wait(m.fault), error.retry_after_seconds
    if asked is None and told is None:
        return
    # A date has whole seconds, so up to one of them may be lost.
    slack = 1.0 if (m.fault.retry_after or "").startswith("{date") else 0.001
    if asked is None or told is None or not asked - slack <= told <= asked + slack:
        yield m.finding(
            "CONTRACT017",
            "Retry-After is not passed on",
            f"retry_after_seconds is {asked}",
            f"{error.name}.retry_after_seconds is {told}",
            "parse Retry-After as seconds or as a date; what is neither is None",
        )


def _in_time(m: _Meeting) -> Iterator[Finding]:
    """The deadline holds against stalls and drips alike."""
    if not m.run.steps:
        return
    step = m.run.steps[0]
    limit = m.rules.timeout_seconds_max
    if m.rules.retry_owner == "provider":
        limit *= ATTEMPTS_MAX
    if not step.cancelled and step.seconds > limit + 0.5:
        yield m.finding(
            "CONTRACT015",
            f"the call took {step.seconds:.0f} s",
            f"timeout_seconds_max = {limit:g}",
            f"it ended after {step.seconds:.1f} s of the case's time",
            "bound the whole call, not only each read",
        )


def _cancelled(m: _Meeting) -> Iterator[Finding]:
    """A cancelled call lets go of its connection."""
    if m.run.case.cancel_after_seconds is None or not m.run.steps:
        return
    step = m.run.steps[0]
    limit = m.rules.cancel_seconds_max
    if step.cancelled and step.seconds > limit:
        observed = f"the cancelled call ended after {step.seconds:.1f} s"
    elif m.run.stalled_connections:
        observed = f"{m.run.stalled_connections} connection(s) were still held {limit:g} s later"
    else:
        return
    yield m.finding(
        "CONTRACT019",
        "cancellation does not free the connection",
        f"cancel_seconds_max = {limit:g}",
        observed,
        "close the socket when the task is cancelled; a thread waiting in C needs it shut down",
    )


def _stays_home(m: _Meeting) -> Iterator[Finding]:
    """Nothing goes to a host that is not declared, redirects included."""
    deeds = strangers(m.run, m.rules.egress, m.rules.canaries)
    if deeds:
        yield m.finding(
            "EGRESS101",
            f"it {deeds[0]}",
            declared(m.rules.egress),
            "it " + ", ".join(deeds),
            "do not follow redirects off the host; declare every host the plugin needs",
        )


def _trusts_nobody(m: _Meeting) -> Iterator[Finding]:
    """No request, and no secret, goes to a server that cannot prove its name."""
    if any(not exchange.verified for exchange in m.run.exchanges):
        yield m.finding(
            "CONTRACT018",
            "the certificate is not verified",
            "a server with an untrusted certificate is refused before anything is sent",
            "the request was sent",
            "leave TLS verification on",
        )


def _keeps_secrets(m: _Meeting) -> Iterator[Finding]:
    """No credential appears in what an error shows."""
    texts = [error.text + error.message for error in (m.error, m.run.opening) if error is not None]
    for name, value in m.rules.canaries.items():
        if any(value in text for text in texts):
            yield m.finding(
                "SECR101",
                f"the secret {name} shows in the error",
                "secrets never reach errors or logs",
                f"the value of {name} stands in the error's text",
                "keep the credential in core_caps.secret.Secret and out of messages",
            )


def _recovers(m: _Meeting) -> Iterator[Finding]:
    """After the fault the same client works again."""
    if not m.run.probe:
        return
    error = m.run.probe[-1].error
    if error is not None and (
        not error.is_provider_error or error.kind in ("ClientClosed", "TimedOut", "Unavailable")
    ):
        yield m.finding(
            "CONTRACT021",
            "the client is broken afterwards",
            "one failed call does not spoil the next one",
            f"the same call on a healthy service raised {error.name}: {error.message[:300]}",
            "drop the damaged connection instead of returning it to the pool",
        )


_ORACLES: tuple[Callable[[_Meeting], Iterator[Finding]], ...] = (
    _own_errors,
    _right_class,
    _no_false_success,
    _no_false_value,
    _true_outcome,
    _nothing_half_written,
    _no_hidden_retry,
    _connects_once,
    _wait_passed_on,
    _in_time,
    _cancelled,
    _stays_home,
    _trusts_nobody,
    _keeps_secrets,
    _recovers,
)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"
