"""`flows-registry certify PATH --replay CASE`: one case again, and whether it went as before."""

from collections.abc import Iterator
from pathlib import Path

from flows_registry.certify.replay import Replay, Replayed, Wanted, replay
from flows_registry.commands.output import coloured, print_json
from flows_registry.commands.report import CODES
from flows_registry.commands.story import story
from flows_registry.evidence.words import cut

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]


def run(arguments: "argparse.Namespace") -> int:
    """Run a case again.

    Returns:
        0 it went as before and nothing was found in it, 1 what was found stands, 3 it went another
        way, or proves nothing.

    Raises:
        CapsError: there is no evidence to take it from (LAB010), no such case in it (LAB011), or
            nothing to certify at the path.
    """
    done = replay(
        Wanted(
            Path(arguments.path),
            arguments.replay,
            evidence=Path(arguments.evidence) if arguments.evidence else None,
            checks=arguments.check,
            keep=Path(arguments.keep) if arguments.keep else None,
            offline=arguments.offline,
        )
    )
    if arguments.json:
        print_json(done.as_json())
    else:
        print("\n".join(_told(done)))
    return CODES[done.verdict]


def _told(done: Replay) -> Iterator[str]:
    bytes_are = "the same bytes as then" if done.same_bytes else "other bytes than then"
    yield f"{coloured(done.subject, 'bold')}  {bytes_are}; evidence: {done.evidence}"
    for finding in done.unbuilt:
        yield coloured(f"  it cannot be run: {finding.code} {cut(finding.message, 500)}", "red")
        yield f"  → {cut(finding.fix, 500)}"
    for case in done.cases:
        yield ""
        yield from _case(case)


def _case(case: Replayed) -> Iterator[str]:
    where = f"[{case.check}, {case.then.profile}]"
    yield f"{coloured(case.then.name, 'bold')}  {case.then.outcome.value} then  {where}"
    yield from story(case.now, whole=True)
    if case.as_before:
        yield coloured("  it went as before", "red" if case.findings else "green")
    else:
        yield coloured("  it went another way than before", "yellow")
        yield from _differences(case)
    for finding in case.findings:
        yield f"  {finding.code} {cut(finding.message, 500)}"


def _differences(case: Replayed) -> Iterator[str]:
    """The first step that is another one."""
    then, now = list(case.then.course), list(case.now.course)
    steps = range(max(len(then), len(now)))
    first = next(n for n in steps if then[n : n + 1] != now[n : n + 1])
    for label, course in (("then", then), ("now", now)):
        yield f"    {label:<5} {cut(course[first], 200) if first < len(course) else 'nothing more'}"
