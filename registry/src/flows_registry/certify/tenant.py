"""Whoever runs cases on somebody's account: one after the other, leaving nothing behind."""

import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from core_caps.capabilities.blob_store import BlobPage
from core_caps.capabilities.key_value import Page
from core_caps.contract.suite import Call

from flows_registry.certify.account import Account
from flows_registry.checks.ledger import record_of
from flows_registry.lab.case import Case, CaseRun, Step
from flows_registry.lab.lab import Profile
from flows_registry.lab.room.room import Room
from flows_registry.subject import Capability
from flows_registry.verdict import (
    CaseRecord,
    CheckResult,
    Finding,
    Level,
    Outcome,
    Reproduction,
    Verdict,
)

__all__ = ["AGAINST", "CASES_MAX", "NAME", "SECONDS_MAX", "Tenant"]

AGAINST, NAME = "live", "contract"
CASES_MAX, PAUSE_SECONDS = 150, 0.05
SECONDS_MAX = 900.0
"""All cases together take no longer, in real time."""

WAIT_SECONDS_MAX = 60.0
"""A service that asks for a longer wait is left alone."""

_PAGES_MAX, _DELETED_AT_ONCE = 20, 50
_BUNDLES = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")


def _profile() -> Profile:
    """The machine's own time and network, its certificates and its proxies."""
    known = ssl.get_default_verify_paths()
    bundle = known.cafile or known.openssl_cafile
    environment = {name: os.environ.get(name) or bundle for name in _BUNDLES}
    environment |= {name: os.environ[name] for name in _PROXIES if name in os.environ}
    return Profile(AGAINST, inside={"real_time": True}, environment=environment)


PROFILE = _profile()


class _Stopped(Exception):
    """Nothing more may be asked of the account."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(slots=True)
class Tenant:
    """Runs the cases of one capability on the account.

    Attributes:
        account: what is used.
        room: where the plugin's code runs.
        capability: what is held to its contract.
        progress: told (check, backend, cases done, cases in all).
    """

    account: Account
    room: Room
    capability: Capability
    progress: Callable[[str, str, int, int], None]
    findings: list[Finding] = field(default_factory=list[Finding])
    records: list[CaseRecord] = field(default_factory=list[CaseRecord])
    run_id: str = field(default_factory=lambda: os.urandom(6).hex())
    ends: float = field(default_factory=lambda: time.monotonic() + SECONDS_MAX)

    def result(self, promises: Sequence[str]) -> CheckResult:
        """What all cases together say."""
        cases = list(self._cases(promises))[:CASES_MAX]
        backend = self.account.backend.name
        verdict = Verdict.PASSED
        try:
            self._needs_empty()
            for number, case in enumerate(cases):
                self.progress(NAME, backend, number, len(cases))
                self._one(case, number)
            self.progress(NAME, backend, len(cases), len(cases))
        except _Stopped as stopped:
            self.findings.append(stopped.finding)
            verdict = Verdict.INCONCLUSIVE
        if any(finding.code.startswith("CONTRACT") for finding in self.findings):
            verdict = Verdict.REFUSED
        return CheckResult(
            NAME,
            backend,
            verdict,
            len(self.records),
            tuple(self.findings),
            Level.INTERPRETER,
            {"against": AGAINST, "contract": self.capability.contract},
            tuple(self.records),
        )

    def _cases(self, promises: Sequence[str]) -> Iterator[Case]:
        capability, backend = self.capability, self.account.backend.name
        moves = {each.name for each in capability.judge.cases if each.needs_time}
        for exercise in capability.exercises:
            yield Case(
                f"{AGAINST}/{backend}/{exercise.name}",
                capability.contract,
                backend,
                (exercise.call,),
                setup=exercise.setup,
                probe=exercise.probe,
            )
        for name in promises:
            if name not in moves:  # nobody moves the vendor's clock
                named = f"{AGAINST}/{backend}/promise/{name}"
                yield Case(named, capability.contract, backend, (), promise=name)

    def _one(self, case: Case, number: int) -> None:
        """Run a case, judge it, and remove what it left."""
        apart = dict.fromkeys(self.account.apart, f"{self.run_id}-{number}")
        run = self._run(case, apart, lambda: self._remove(case))
        problem = _problem(run)
        if problem is not None:
            self.findings.append(self._finding(run, problem))
        outcome = Outcome.PASSED if problem is None else Outcome.REFUSED
        bare = replace(run, case=replace(case, config={}, secrets={}))
        self.records.append(record_of(PROFILE, bare, outcome))
        self._remove(case)

    def _run(
        self,
        case: Case,
        apart: Mapping[str, str] | None = None,
        tidied: Callable[[], None] = lambda: None,
    ) -> CaseRun:
        """Run one case; a service that asks to wait is waited for once, and tidied."""
        account = self.account
        given = replace(
            case, config={**account.settings, **(apart or {})}, secrets=dict(account.secrets)
        )
        for patience in (True, False):
            if time.monotonic() > self.ends:
                raise _Stopped(_too_long())
            time.sleep(PAUSE_SECONDS)
            run = self.room.run(given, PROFILE)
            asked = _asked_to_wait(run)
            if asked is None:
                return run
            if not patience or asked > WAIT_SECONDS_MAX:
                raise _Stopped(_to_wait(case, asked))
            time.sleep(asked)
            tidied()
        raise AssertionError  # the second time it returns or stops

    def _needs_empty(self) -> None:
        if self.account.apart:
            return
        if found := self._listed():
            raise _Stopped(_not_empty(found))

    def _remove(self, case: Case) -> None:
        """Delete what the case has left, by the names that it uses; others are somebody's."""
        if self.account.apart:
            return
        names = set(_texts([*case.setup, *case.calls, *case.probe]))
        found = self._listed()
        ours = [key for key in found if key in names or key.startswith(f"{case.promise}/")]
        for first in range(0, len(ours), 50):
            calls = tuple(Call("delete", (key,)) for key in ours[first : first + 50])
            self._run(replace(case, calls=calls, setup=(), probe=(), promise=None))
        if left := [key for key in found if key not in ours]:
            raise _Stopped(_not_empty(left))

    def _listed(self) -> list[str]:
        """The keys that are there."""
        backend, contract = self.account.backend.name, self.capability.contract
        keys: list[str] = []
        cursor: object = None
        for _ in range(_PAGES_MAX):
            call = Call("list", (), {} if cursor is None else {"cursor": cursor})
            run = self._run(Case(f"{AGAINST}/{backend}/list", contract, backend, (call,)))
            if (problem := _problem(run)) is not None:
                raise _Stopped(_unlisted(problem))
            page = run.steps[0].value
            keys += _keys(page)
            cursor = getattr(page, "cursor", None)
            if cursor is None:
                return keys
        raise _Stopped(_not_empty(keys))

    def _finding(self, run: CaseRun, problem: str) -> Finding:
        promise = run.case.promise
        return Finding(
            "CONTRACT001" if promise else "CONTRACT002",
            f"the promise {promise!r} is broken on the account"
            if promise
            else f"the exercise {run.case.name.rpartition('/')[2]!r} fails on the account",
            run.broken.get("promised", "it succeeds on the vendor's own service"),
            problem,
            Reproduction("", run.case.name),
            "compare with what the vendor documents; the lab's reference may be wrong, too",
        )


def _problem(run: CaseRun) -> str | None:
    """Why a case did not go well, or None."""
    if run.trouble is not None:
        return run.trouble
    if run.opening is not None:
        return f"{run.opening.name}: {run.opening.message}"
    if run.case.promise is not None:
        return None if run.kept else run.broken.get("observed", "it did not end")
    errors = [step.error for step in (*run.setup, *run.steps) if step.error is not None]
    return f"{errors[0].name}: {errors[0].message}" if errors else None


def _asked_to_wait(run: CaseRun) -> float | None:
    """How long the service wants to be left alone, or None where it does not say so."""
    steps: Sequence[Step] = (*run.setup, *run.steps, *run.probe)
    for step in steps:
        if step.error is not None and step.error.kind == "RateLimited":
            return step.error.retry_after_seconds or WAIT_SECONDS_MAX
    limited = run.broken.get("observed", "").startswith("RateLimited")
    return WAIT_SECONDS_MAX if limited else None


def _keys(page: object) -> list[str]:
    """The keys of one page of a listing."""
    match page:
        case Page():
            return page.keys
        case BlobPage():
            return [each.key for each in page.objects]
        case _:
            raise _Stopped(_unlisted("what it lists has no keys that are known here"))


def _texts(value: object) -> Iterator[str]:
    """Every text in the arguments of calls."""
    match value:
        case str():
            yield value
        case Call():
            yield from _texts((*value.args, *value.kwargs.values()))
        case Mapping():
            for entry in cast("Mapping[object, object]", value).items():
                yield from _texts(entry)
        case list() | tuple():
            for item in cast("Sequence[object]", value):
                yield from _texts(item)
        case _:
            return


def _not_empty(keys: Sequence[str]) -> Finding:
    shown = ", ".join(map(repr, keys[:3]))
    return Finding(
        "LAB021",
        f"{len(keys)} keys are on the account that no case of ours has left: {shown}",
        "cases run on a service that holds nothing of anybody's",
        shown,
        Reproduction(),
        "point the settings at an empty namespace, bucket or database made for this",
    )


def _unlisted(problem: str) -> Finding:
    return Finding(
        "LAB021",
        f"nobody can tell what is on the account: {problem}",
        "its content can be listed",
        problem,
        Reproduction(),
        "correct the settings and the credential's permissions",
    )


def _to_wait(case: Case, seconds: float) -> Finding:
    return Finding(
        "LAB022",
        f"the service asks to be left alone for {seconds:g} s, in {case.name}",
        "all cases run",
        "the rest was not run, and what this case left was not removed",
        Reproduction("", case.name),
        "come back later, or ask for a higher limit",
    )


def _too_long() -> Finding:
    return Finding(
        "LAB022",
        f"the cases did not end within {SECONDS_MAX:g} s",
        "all cases run",
        "the rest was not run",
        Reproduction(),
        "look at how long a call takes from here",
    )
