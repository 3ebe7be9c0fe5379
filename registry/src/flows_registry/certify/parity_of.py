"""The parity check's view of the lab: histories of calls on any backend, here or at a simulator."""

from collections.abc import Mapping, Sequence

from core_caps.capabilities.known import KNOWN
from core_caps.claims.manifest import Backend, Manifest
from core_caps.contract.suite import Call
from core_caps.secret import Secret

from flows_registry.checks.parity import Effort, parity
from flows_registry.checks.plan import Plan
from flows_registry.lab.agent.page import ORIGIN_SECONDS
from flows_registry.lab.case import Case, Step
from flows_registry.lab.lab import OUTSIDE, Profile
from flows_registry.lab.references.known import reference_factory
from flows_registry.lab.simulators.deployed import read_worker
from flows_registry.lab.simulators.known import BINDINGS, S3_WIRE
from flows_registry.lab.simulators.miniflare import S3Credentials
from flows_registry.lab.simulators.sides import (
    ParitySubject,
    Run,
    S3Target,
    Settings,
    SimulatorAccess,
    WorkerTarget,
)
from flows_registry.subject import Capability
from flows_registry.verdict import CheckResult, Finding, Level, Reproduction, Verdict, merged

__all__ = ["check_parity", "nothing_compared", "without_simulator"]

NAME = "parity"
_BASE = Profile()
_S3_SETTINGS = ("bucket", "access_key_id", "secret_access_key")


def check_parity(plan: Plan, access: SimulatorAccess) -> list[CheckResult]:
    """Every capability of every backend against the vendor's simulator."""
    results: dict[str, list[CheckResult]] = {}
    for capability in plan.subject.capabilities.values():
        if capability.contract not in KNOWN:
            continue  # nobody here has a simulator of a third party's service
        subject = _subject(plan, capability)
        for result in parity(subject, access=access, effort=Effort(seed=plan.seed)):
            told = plan.named(capability, plan.ledger.settled(result, capability.contract))
            results.setdefault(result.backend, []).append(told)
    return [merged(of_one) for of_one in results.values()]


def without_simulator(manifest: Manifest) -> list[str]:
    """The contracts of services that no simulator here plays: what is provided of them was never
    compared with what the vendor runs."""
    wires = {
        provided.contract: {
            backend.wire
            for backend in manifest.backends.values()
            if backend.wire is not None and provided.name in backend.providers
        }
        for provided in manifest.capabilities.values()
        if not any(
            backend.worker is not None and provided.name in backend.providers
            for backend in manifest.backends.values()
        )
    }
    return [
        contract
        for contract, spoken in wires.items()
        if spoken and not any((wire, contract) in BINDINGS or _is_real(wire) for wire in spoken)
    ]


def _is_real(wire: str) -> bool:
    """Whether the reference of the wire is a front of what the vendor itself runs."""
    factory = reference_factory(wire)
    return factory is not None and bool(factory.service)


def _subject(plan: Plan, capability: Capability) -> ParitySubject:
    wires = {
        name: backend.wire
        for name, backend in plan.subject.manifest.backends.items()
        if capability.declared.name in backend.providers
    }
    remotes = {name: wire for name, wire in wires.items() if wire is not None}
    return ParitySubject(
        contract=capability.judge,
        operations=frozenset(capability.claims),
        run=_runner(plan, capability),
        mock=next((name for name, wire in wires.items() if wire is None), None),
        remotes=remotes,
        s3=_targets(plan, remotes),
        workers=_workers(plan, remotes),
        services=_services(plan, remotes),
        started_at=ORIGIN_SECONDS,
        level=min(plan.lab.level, Level.WIRE),  # simulators stand outside of the rooms
    )


def nothing_compared(contracts: Sequence[str]) -> CheckResult:
    """The result where nothing but parity was asked for, and nobody could be compared with."""
    finding = Finding(
        "PARITY003",
        f"no simulator for contract {', '.join(contracts)}",
        "the plugin answers as what its vendor runs",
        "nothing was compared",
        Reproduction(),
        "the other checks judge it by its own suite: leave --check away for a certificate",
    )
    return CheckResult(NAME, "", Verdict.INCONCLUSIVE, 0, (finding,))


def _runner(plan: Plan, capability: Capability) -> Run:
    """Runs histories; where what they leave is the service's to keep, several of them share a
    process, and one by itself has its own."""

    def run(
        backend: str, histories: Sequence[Sequence[Call]], settings: Sequence[Settings] | None
    ) -> list[Sequence[Step]]:
        cases = [
            Case(
                f"{plan.place(capability, backend)}/history {number}",
                capability.contract,
                backend,
                tuple(calls),
                config=dict(settings[number] if settings else {}),
                together=len(histories) > 1 and plan.backend(backend).wire is not None,
            )
            for number, calls in enumerate(histories)
        ]
        profile = _BASE if settings is None else OUTSIDE
        return [run.steps for run in plan.run(NAME, backend, cases, profile)]

    return run


def _targets(plan: Plan, remotes: Mapping[str, str]) -> Mapping[str, S3Target]:
    """How to point each S3 backend at the simulator, where its settings tell how."""
    targets: dict[str, S3Target] = {}
    for name, wire in remotes.items():
        backend = plan.backend(name)
        endpoint = next((s.name for s in backend.config.values() if s.endpoint), None)
        values = _values(plan, name, backend)
        if wire != S3_WIRE or endpoint is None or not set(_S3_SETTINGS) <= set(values):
            continue
        targets[name] = S3Target(
            credentials=S3Credentials(values["access_key_id"], Secret(values["secret_access_key"])),
            settings=lambda url, bucket, endpoint=endpoint: {endpoint: url, "bucket": bucket},
        )
    return targets


def _workers(plan: Plan, remotes: Mapping[str, str]) -> Mapping[str, WorkerTarget]:
    """How to point each backend at the Worker that its manifest names."""
    targets: dict[str, WorkerTarget] = {}
    for name in remotes:
        backend = plan.backend(name)
        settings = backend.config.values()
        endpoint = next((s.name for s in settings if s.endpoint), None)
        apart = next((s.name for s in settings if s.apart), None)
        if backend.worker is None or endpoint is None or apart is None or plan.sources is None:
            continue
        package = min(backend.providers.values()).partition(":")[0].partition(".")[0]
        secrets = {key.upper(): value for key, value in plan.lab.canaries(name).items()}
        targets[name] = WorkerTarget(
            worker=read_worker(plan.sources / package / backend.worker, secrets),
            settings=lambda url, number, endpoint=endpoint, apart=apart: {
                endpoint: url,
                apart: f"history-{number}",
            },
        )
    return targets


def _services(plan: Plan, remotes: Mapping[str, str]) -> Mapping[str, str]:
    """What the reference of each backend stands on, where it stands on anything."""
    labels = {name: plan.lab.service_label(wire) for name, wire in remotes.items()}
    return {name: label for name, label in labels.items() if label}


def _values(plan: Plan, name: str, backend: Backend) -> Mapping[str, str]:
    examples = {s.name: str(s.example) for s in backend.config.values() if s.example is not None}
    return {**examples, **plan.lab.canaries(name)}
