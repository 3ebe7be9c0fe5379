"""The healthy cases of a contract on the user's own account: what a simulator cannot tell.

One case after the other, in the machine's own network and time, on a service that is empty before
and after. What the cases leave is removed by its name; what is somebody else's is never touched.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows_registry.certify.account import Account, AccountUnusable
from flows_registry.certify.kept import PROBLEMS, kept
from flows_registry.certify.scratch import scratch_folder
from flows_registry.certify.subject_of import described, subject_of
from flows_registry.certify.tenant import AGAINST, NAME, Tenant
from flows_registry.checks.package import check_package
from flows_registry.evidence.redaction import Redactor
from flows_registry.lab.lab import Lab
from flows_registry.lab.uv import Uv
from flows_registry.subject import Capability
from flows_registry.verdict import Certification, CheckResult

__all__ = ["Live", "live"]


@dataclass(frozen=True, slots=True)
class Live:
    """What the user asked for.

    Attributes:
        path: the plugin's folder.
        account: what is used.
        keep: keep everything that was made in this folder.
        offline: fetch no packages.
        progress: told (check, backend, cases done, cases in all).
    """

    path: Path
    account: Account
    keep: Path | None = None
    offline: bool = False
    progress: Callable[[str, str, int, int], None] = lambda check, backend, done, total: None


def live(wanted: Live) -> Certification:
    """Build the plugin, and run its healthy cases on the account.

    Raises:
        AccountUnusable: nobody could tell what is ours there (LAB020).
        SourceNotPlugin, ManifestInvalid: as `certify` does.
    """
    started = time.monotonic()
    with scratch_folder(wanted.keep) as scratch:
        package, built = check_package(
            wanted.path, scratch / "package", uv=Uv(offline=wanted.offline)
        )
        checks = [package]
        if built is not None:
            made = built.environment
            subject = subject_of(built)
            with Lab(subject, made.python, made.site_packages, scratch, jobs=1) as lab:
                subject = lab.subject = described(subject, built, lab)
                served = [
                    capability
                    for capability in subject.capabilities.values()
                    if capability.declared.name in wanted.account.backend.providers
                ]
                secrets = {name: [value] for name, value in wanted.account.secrets.items()}
                checks += map(Redactor(secrets).result, _held(wanted, lab, scratch, served))
        facts = {"seconds": round(time.monotonic() - started, 3), "against": AGAINST}
        name = package.facts.get("wheel", wanted.path.name)
        distribution = f"{built.wheel.name} {built.wheel.version}" if built else str(name)
        return Certification(distribution, tuple(checks), facts, f"against {AGAINST}")


def _held(
    wanted: Live, lab: Lab, scratch: Path, served: Sequence[Capability]
) -> Iterator[CheckResult]:
    backend = wanted.account.backend.name
    for capability in served:
        if not wanted.account.apart and not {"list", "delete"} <= capability.claims.keys():
            raise AccountUnusable(
                f"{capability.contract} has no way to see and to remove what cases leave",
                hint="only what can be listed and deleted, or stands apart by a setting, is "
                "certified against live; its vendor's simulator is: --check parity",
            )
    for capability in served:
        try:
            names = lab.promises(capability.contract, backend)
            with lab.outside(backend, scratch / "live" / capability.declared.name) as room:
                yield Tenant(wanted.account, room, capability, wanted.progress).result(names)
        except PROBLEMS as problem:
            yield kept(NAME, backend, problem)
