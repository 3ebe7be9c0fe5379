"""`flows-registry certify PATH`: progress while it runs, then a verdict a person can read."""

import datetime as dt
import signal
import sys
from pathlib import Path

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    import argparse

    from flows_registry.verdict import Certification

__all__ = ["run"]

CERTIFIED, REFUSED, USAGE, INCONCLUSIVE = 0, 1, 2, 3


def run(arguments: "argparse.Namespace") -> int:
    """Certify one plugin.

    Returns:
        0 certified, 1 refused, 2 usage, 3 inconclusive.

    Raises:
        CapsError: the path holds nothing to certify: no plugin (PACKAGE001), or a manifest that
            cannot be used (CAP106), or the policy is none (POLICY001); `main` says so, and
            returns 2.
    """
    from flows_registry.certify.run import CHECKS, Options, certify
    from flows_registry.commands.output import print_json
    from flows_registry.commands.progress import Progress
    from flows_registry.commands.report import as_text, exit_code
    from flows_registry.evidence.files import REPORT
    from flows_registry.evidence.writing import refuse_foreign
    from flows_registry.lab.simulators.sides import SimulatorAccess
    from flows_registry.policy.reading import built_in, read
    from flows_registry.verdict import Level

    if arguments.self_test:
        from flows_registry.commands import self_test

        return self_test.run(arguments)
    if arguments.path is None or arguments.flake is not None:
        told = "nothing is named to certify" if arguments.path is None else "--flake goes alone"
        return _usage(arguments, told, "certify PATH, or certify --self-test [--flake N]")
    if arguments.replay:
        from flows_registry.commands import replay

        return replay.run(arguments)
    if arguments.against:
        from flows_registry.commands import live

        return live.run(arguments)
    today = dt.datetime.now(dt.UTC).date()
    unknown = sorted(set(arguments.check) - set(CHECKS))
    if unknown:
        told = f"there is no check {unknown[0]!r}"
        return _usage(arguments, told, f"checks: {', '.join(CHECKS)}")
    if arguments.jobs is not None and arguments.jobs < 1:
        return _usage(arguments, f"--jobs {arguments.jobs} is no number of rooms", "give 1 or more")
    evidence = Path(arguments.evidence) if arguments.evidence else None
    if evidence is not None:
        refuse_foreign(evidence)
    policy = read(arguments.policy, today) if arguments.policy else built_in()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: tidily
    with Progress(quiet=bool(arguments.json)) as progress:
        options = Options(
            Path(arguments.path),
            checks=arguments.check or CHECKS,
            only=arguments.case or "",
            seed=arguments.seed or 0,
            jobs=arguments.jobs,
            level=Level(int(arguments.level[1])) if arguments.level else Level.ISOLATED,
            keep=Path(arguments.keep) if arguments.keep else None,
            simulators=SimulatorAccess(
                node=arguments.node, offline=arguments.offline, progress=progress.say
            ),
            policy=policy,
            today=today,
            full=arguments.full,
            progress=progress.step,
        )
        certification = certify(options)
    place = _kept(certification, options.path, evidence)
    if arguments.json:
        print_json({**certification.as_json(), "evidence": str(place)})
    else:
        report = place / REPORT if place.is_dir() else place
        print(as_text(certification, str(report)), end="")
    return exit_code(certification)


def _kept(certification: "Certification", path: Path, named: Path | None) -> Path:
    """Where the evidence is now: where the user wants it, else in the cache; there it always is,
    for cases to be replayed from."""
    from flows_registry.certify.remembered import remember
    from flows_registry.evidence.writing import write

    remembered = remember(path, certification)
    if named is None:
        return remembered
    write(certification, named)
    return named.resolve()


def _usage(arguments: "argparse.Namespace", told: str, fix: str) -> int:
    from flows_registry.commands.output import print_json

    if arguments.json:
        print_json({"error": {"code": None, "message": told, "fix": fix, "findings": []}})
    print(f"flows-registry: {told}", file=sys.stderr)
    print(f"  → {fix}", file=sys.stderr)
    return USAGE
