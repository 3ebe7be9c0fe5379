"""`flows-registry certify PATH`: progress while it runs, then a verdict a person can read."""

import sys
from pathlib import Path

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]

CERTIFIED, REFUSED, USAGE, INCONCLUSIVE = 0, 1, 2, 3


def run(arguments: "argparse.Namespace") -> int:
    """Certify one plugin.

    Returns:
        0 certified, 1 refused, 2 usage, 3 inconclusive.
    """
    from flows_registry.certify.run import CHECKS, Options, certify
    from flows_registry.commands.output import print_json
    from flows_registry.commands.progress import Progress
    from flows_registry.commands.report import as_text, exit_code
    from flows_registry.lab.simulators.sides import SimulatorAccess

    unknown = sorted(set(arguments.check) - set(CHECKS))
    if unknown:
        print(f"flows-registry: there is no check {unknown[0]!r}", file=sys.stderr)
        print(f"  → checks: {', '.join(CHECKS)}", file=sys.stderr)
        return USAGE
    with Progress(quiet=bool(arguments.json)) as progress:
        options = Options(
            Path(arguments.path),
            checks=arguments.check or CHECKS,
            only=arguments.case or "",
            seed=arguments.seed or 0,
            jobs=arguments.jobs,
            keep=Path(arguments.keep) if arguments.keep else None,
            simulators=SimulatorAccess(
                node=arguments.node, offline=arguments.offline, progress=progress.say
            ),
            progress=progress.step,
        )
        certification = certify(options)
    if arguments.json:
        print_json(certification.as_json())
    else:
        print(as_text(certification), end="")
    return exit_code(certification)
