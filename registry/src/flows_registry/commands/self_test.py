"""`flows-registry certify --self-test`: recall by check, and who was refused without a reason."""

import signal
import sys

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    import argparse

    from flows_registry.certify.recall import SelfTest

__all__ = ["run"]

WHOLE, BROKEN, USAGE = 0, 1, 2
_NOT_HERE = ("path", "policy", "evidence", "replay", "seed", "node")


def run(arguments: "argparse.Namespace") -> int:
    """Try every plugin of the corpus, or those that were asked for.

    Returns:
        0 where every twin was found and no sound plugin was refused, 1 where not, 2 usage.
    """
    from pathlib import Path

    from flows_registry.certify.recall import JUDGING
    from flows_registry.certify.self_test import Asked, chosen, self_test
    from flows_registry.commands.output import print_json
    from flows_registry.commands.progress import Progress
    from flows_registry.verdict import Level

    seeds = arguments.flake if arguments.flake is not None else 1
    unknown = sorted(set(arguments.check) - set(JUDGING))
    foreign = [name for name in _NOT_HERE if getattr(arguments, name) is not None]
    if foreign:
        return _usage(f"--self-test has its own {foreign[0]}", "leave it away")
    if unknown:
        return _usage(f"no check {unknown[0]!r} has twins", f"checks: {', '.join(JUDGING)}")
    if arguments.jobs is not None and arguments.jobs < 1:
        return _usage(f"--jobs {arguments.jobs} is no number of plugins", "give 1 or more")
    if arguments.flake is not None and arguments.flake < 2:
        return _usage(f"--flake {seeds} compares nothing", "give 2 or more seeds")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: tidily
    with Progress(quiet=bool(arguments.json)) as progress:
        asked = Asked(
            checks=arguments.check or JUDGING,
            only=arguments.case or "",
            seeds=range(seeds),
            level=Level(int(arguments.level[1])) if arguments.level else Level.ISOLATED,
            jobs=arguments.jobs,
            offline=arguments.offline,
            keep=Path(arguments.keep) if arguments.keep else None,
            progress=lambda text, done, total: progress.say(f"{done}/{total}  {text}"),
        )
        if not chosen(asked):
            return _usage(f"no plugin of the corpus is called {asked.only!r}", "--json lists them")
        found = self_test(asked)
    if arguments.json:
        print_json(found.as_json())
    else:
        _print(found)
    return WHOLE if found.is_whole else BROKEN


def _print(found: "SelfTest") -> None:
    from flows_registry.commands.output import mark, print_table

    rows = [
        (mark(hits == total), check, f"{hits}/{total}", f"{hits / total:.0%}")
        for check, (hits, total) in found.recall.items()
    ]
    if rows:
        print_table(rows, ("", "check", "found", "recall"))
    refused, runs = len(found.false_refusals), len(found.sound)
    if runs:
        print(f"{mark(not refused)}  false refusals: {refused} of {runs} runs of sound plugins")
    if len({trial.seed for trial in found.trials}) > 1:
        differing = len(found.disagreeing)
        print(f"{mark(not differing)}  runs that disagree: {differing} of {runs}")
    for what, trials in (
        ("not found", found.missed),
        ("refused without a reason", found.false_refusals),
        ("nothing proved", found.unproved),
    ):
        for trial in trials:
            seed = f" (seed {trial.seed})" if trial.seed else ""
            print(f"   {what}: {trial.name}{seed} [{trial.check or 'sound'}]\n      {trial.told}")
    print(f"   {len(found.trials)} runs at {found.level} in {found.seconds:.1f} s")


def _usage(told: str, fix: str) -> int:
    print(f"flows-registry: {told}", file=sys.stderr)
    print(f"  → {fix}", file=sys.stderr)
    return USAGE
