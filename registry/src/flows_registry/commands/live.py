"""`flows-registry certify PATH --against live`: what is going to be touched, and, if you say yes,
the healthy cases on your own account."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from flows_registry.certify.account import Account, AccountUnusable, account_of, manifest_at
from flows_registry.certify.live import Live, live
from flows_registry.certify.remembered import remember
from flows_registry.certify.tenant import CASES_MAX, SECONDS_MAX
from flows_registry.commands.output import print_json
from flows_registry.commands.progress import Progress
from flows_registry.commands.report import as_text, exit_code
from flows_registry.evidence.files import REPORT
from flows_registry.evidence.writing import refuse_foreign, write

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]

USAGE = 2


def run(arguments: "argparse.Namespace") -> int:
    """Hold one backend to its contract on the user's own account.

    Returns:
        0 every case went well, 1 one did not, 2 it was only told what would be done, 3 not every
        case ran.

    Raises:
        CapsError: there is no plugin, or its account cannot be used (LAB020).
    """
    path = Path(arguments.path)
    account = account_of(
        manifest_at(path), arguments.backend or "", _given(arguments.set), os.environ
    )
    if not arguments.yes_use_my_account:
        print("\n".join(_told(account)), file=sys.stderr)
        if arguments.json:
            message = "nothing was done: it needs --yes-use-my-account"
            print_json({"error": {"code": None, "message": message, "fix": "", "findings": []}})
        return USAGE
    evidence = Path(arguments.evidence) if arguments.evidence else None
    if evidence is not None:
        refuse_foreign(evidence)
    with Progress(quiet=bool(arguments.json)) as progress:
        keep = Path(arguments.keep) if arguments.keep else None
        certification = live(Live(path, account, keep, arguments.offline, progress.step))
    place = remember(path, certification)
    if evidence is not None:
        write(certification, evidence)
        place = evidence.resolve()
    if arguments.json:
        print_json({**certification.as_json(), "evidence": str(place)})
    else:
        print(as_text(certification, str(place / REPORT if place.is_dir() else place)), end="")
    return exit_code(certification)


def _given(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise AccountUnusable(f"--set {name} gives no value", hint="write --set NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _told(account: Account) -> Iterator[str]:
    yield f"Nothing was done. On the backend {account.backend.name!r} it would use:"
    yield from (f"  {name} = {value!r}" for name, value in account.settings.items())
    for name in account.secrets:
        yield f"  {name}: the secret in {account.backend.config[name].env}"
    yield f"It runs up to {CASES_MAX} cases for up to {SECONDS_MAX / 60:g} minutes, one after the"
    if account.apart:
        yield f"other, each with a fresh {', '.join(account.apart)}; what they leave stays there."
    else:
        yield "other, on what must be empty, and removes what they leave. Use a namespace or a"
        yield "bucket made for this. Its requests may cost something."
    yield "  → give --yes-use-my-account"
