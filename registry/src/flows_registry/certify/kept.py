"""What keeps a check from running, said as its result: the plugin's fault, its suite's, or ours."""

from flows_registry.certify.tracebacks import plugins_own
from flows_registry.lab.lab import (
    AgentBroken,
    HostBroken,
    NoReference,
    ReferenceBroken,
    RoomBroken,
    Unruly,
)
from flows_registry.lab.simulators.absence import Absent
from flows_registry.verdict import CheckResult, Finding, Reproduction, Verdict

__all__ = ["PROBLEMS", "kept", "not_importable", "was_kept"]

PROBLEMS = (AgentBroken, HostBroken, NoReference, ReferenceBroken, RoomBroken)
"""Everything that the lab raises instead of a run."""

_TEXT_MAX = 1500
_CODES = frozenset({"LAB001", "LAB002", "LAB003", "LAB004", "LAB005", "CONTRACT004"})


def kept(check: str, backend: str, problem: Exception) -> CheckResult:
    """The result of a check that this problem kept from running."""
    match problem:
        case Unruly():
            return _unruly(check, backend, problem)
        case AgentBroken():
            return not_importable(check, backend, problem)
        case NoReference():
            return _no_reference(check, backend, problem)
        case ReferenceBroken():
            return _reference_broken(check, backend, problem)
        case HostBroken():
            return _suite_broken(check, backend, problem)
        case RoomBroken():
            return _lab_broken(check, backend, problem)
        case _:
            raise problem


def _told_of(broken: Exception) -> str:
    """What the plugin's own code did, cut to a readable size."""
    return plugins_own(str(broken))[-_TEXT_MAX:]


def was_kept(result: CheckResult) -> bool:
    """Whether it says what kept a check from running."""
    return any(finding.code in _CODES for finding in result.findings)


def not_importable(check: str, backend: str, broken: AgentBroken | HostBroken) -> CheckResult:
    """The result where the plugin, or the suite it brings, cannot be imported or opened."""
    last = str(broken).strip().splitlines()[-1]
    finding = Finding(
        "LAB001",
        f"the plugin cannot be used in its own environment: {last}",
        "the wheel, with its own dependencies and nothing else, can be imported",
        _told_of(broken),
        Reproduction(),
        "declare what it imports among its dependencies or the backend's extra",
    )
    return CheckResult(check, backend, Verdict.REFUSED, 1, (finding,))


def _unruly(check: str, backend: str, unruly: Unruly) -> CheckResult:
    last = str(unruly).strip().splitlines()[-1]
    finding = Finding(
        "LAB005",
        f"the plugin does not let itself be tried: {last}",
        "a case runs to its end, and leaves what runs it alone",
        _told_of(unruly),
        Reproduction(),
        "leave the process, its signals and its open files to whoever runs it, and start no more "
        "than an operation needs",
    )
    return CheckResult(check, backend, Verdict.REFUSED, 1, (finding,))


def _no_reference(check: str, backend: str, missing: NoReference) -> CheckResult:
    if missing.absent is not None:
        return _without_service(check, backend, missing, missing.absent)
    finding = Finding(
        "LAB002",
        f"nobody here speaks the wire {str(missing)!r} of backend {backend!r}",
        "every backend is run against a reference server of its wire",
        "no such reference server",
        Reproduction(),
        "use a known wire (cloudflare-kv, s3), or bring a reference server for it: "
        'reference = "package.testing:Reference"',
    )
    return CheckResult(check, backend, Verdict.INCONCLUSIVE, 0, (finding,))


def _without_service(check: str, backend: str, missing: NoReference, absent: Absent) -> CheckResult:
    finding = Finding(
        "LAB002",
        f"the reference of the wire {str(missing)!r} stands on what is not here: {absent.reason}",
        "every backend is run against a reference server of its wire",
        "nothing was run",
        Reproduction(),
        absent.next_step,
    )
    return CheckResult(check, backend, Verdict.INCONCLUSIVE, 0, (finding,))


def _reference_broken(check: str, backend: str, broken: ReferenceBroken) -> CheckResult:
    finding = Finding(
        "LAB004",
        "the reference server failed, so nothing was proved about its wire",
        "a reference answers every request: what it does not know is a 4xx",
        _told_of(broken),
        Reproduction(),
        "mend the reference that the backend names; it holds no sockets, no clock, and never waits",
    )
    return CheckResult(check, backend, Verdict.INCONCLUSIVE, 0, (finding,))


def _suite_broken(check: str, backend: str, broken: HostBroken) -> CheckResult:
    finding = Finding(
        "CONTRACT004",
        "the plugin's own suite failed, so nothing was proved",
        "model, generate, comparable and read_back answer whatever their own calls ask",
        _told_of(broken),
        Reproduction(),
        "mend the suite: a model refuses only by errors derived from ProviderError",
    )
    return CheckResult(check, backend, Verdict.INCONCLUSIVE, 0, (finding,))


def _lab_broken(check: str, backend: str, broken: RoomBroken) -> CheckResult:
    finding = Finding(
        "LAB003",
        "the lab itself failed, so nothing was proved",
        "a room runs every case to its end",
        str(broken)[-_TEXT_MAX:],
        Reproduction(),
        "run it again; `flows-registry doctor` tells what this machine lacks",
    )
    return CheckResult(check, backend, Verdict.INCONCLUSIVE, 0, (finding,))
