"""The command `flows-registry`: a static table of commands, each imported when it is called.

Exit codes: 0 as asked (for `certify`: certified), 1 refused or unhealthy, 2 usage or bad input,
3 nothing proved (inconclusive, or a fault of our own).
"""

import sys

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

__all__ = ["COMMANDS", "main"]

PROGRAM = "flows-registry"

OK, REFUSED, USAGE, INCONCLUSIVE = 0, 1, 2, 3
INTERRUPTED, PIPE_CLOSED = 130, 141
"""128 and the number of the signal, as shells say it."""

_EXIT_CODES = "Exit codes: 0 as asked, 1 refused or unhealthy, 2 bad input, 3 nothing proved."

_JSON = (("--json",), {"action": "store_true", "help": "print one JSON object"})

COMMANDS: "dict[str, tuple[str, str, tuple[tuple[tuple[str, ...], dict[str, Any]], ...]]]" = {
    "list": (
        "list_installed",
        "what is installed, with hints and backends; imports no plugin",
        (
            (("name",), {"nargs": "?", "help": "one plugin, in full"}),
            (("-v", "--verbose"), {"action": "store_true", "help": "show operations and hints"}),
            _JSON,
        ),
    ),
    "certify": (
        "certify",
        "refuse or certify the plugin at PATH, with evidence a person can read",
        (
            (
                ("path",),
                {
                    "nargs": "?",
                    "metavar": "PATH",
                    "help": "the folder of the plugin's pyproject.toml; bad input where there is "
                    "none, or where its manifest cannot be used",
                },
            ),
            _JSON,
            (("--offline",), {"action": "store_true", "help": "fetch nothing"}),
            (("--seed",), {"type": int, "metavar": "N", "help": "seed of generated cases"}),
            (
                ("--check",),
                {
                    "action": "append",
                    "default": [],
                    "metavar": "NAME",
                    "help": "run this check only; may be given several times",
                },
            ),
            (("--policy",), {"metavar": "FILE", "help": "what your organisation asks besides"}),
            (("--case",), {"metavar": "TEXT", "help": "run only cases whose name contains TEXT"}),
            (
                ("--evidence",),
                {
                    "metavar": "DIR",
                    "help": "write the evidence to DIR, or to one file where it ends with .zip; "
                    "the last is in the user's cache, too",
                },
            ),
            (
                ("--replay",),
                {"metavar": "CASE", "help": "run one case of the evidence again, as it ran then"},
            ),
            (
                ("--self-test",),
                {
                    "action": "store_true",
                    "help": "certify the certifier instead: broken plugins that must be refused, "
                    "sound ones that must not",
                },
            ),
            (
                ("--flake",),
                {
                    "type": int,
                    "metavar": "N",
                    "help": "with --self-test: the sound plugins over N seeds, and no others",
                },
            ),
            (
                ("--against",),
                {
                    "choices": ("live",),
                    "help": "the healthy cases on your own account instead, by the environment "
                    "variables that the manifest names",
                },
            ),
            (("--backend",), {"metavar": "NAME", "help": "with --against: the backend"}),
            (
                ("--set",),
                {
                    "action": "append",
                    "default": [],
                    "metavar": "NAME=VALUE",
                    "help": "with --against: a setting, no secret",
                },
            ),
            (
                ("--yes-use-my-account",),
                {"action": "store_true", "help": "with --against: do it; else it is only told"},
            ),
            (
                ("--full",),
                {"action": "store_true", "help": "run everything, whatever has not changed"},
            ),
            (("--keep",), {"metavar": "DIR", "help": "keep wheel and logs in DIR"}),
            (
                ("--level",),
                {"choices": ("L1", "L2", "L3"), "help": "look no closer; else as the machine can"},
            ),
            (("--jobs",), {"type": int, "metavar": "N", "help": "processes at a time"}),
            (("--node",), {"metavar": "PATH", "help": "the Node.js that runs the simulators"}),
        ),
    ),
    "new": (
        "new",
        "a skeleton of a plugin that certifies as it stands",
        (
            (("name",), {"metavar": "cap-NAME", "help": "the distribution's name"}),
            (("--into",), {"metavar": "DIR", "default": ".", "help": "where its folder goes"}),
            _JSON,
        ),
    ),
    "doctor": ("doctor", "what this machine can do, and the next step where it cannot", (_JSON,)),
    "explain": (
        "explain",
        "what a diagnostic code means and what to do about it",
        (
            (("code",), {"nargs": "?", "metavar": "CODE", "help": "CAP103, or CAP1 for a list"}),
            _JSON,
        ),
    ),
}
"""Command → module in `commands`, one line of help, and the arguments as argparse takes them."""


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run one command and return its exit code; bad input is a message, never a traceback."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")  # a letter that cannot be shown is no failure
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _close_stdout()
        return PIPE_CLOSED
    except Exception as error:
        if "--json" in arguments:
            _print_failure(error)
        return _failed(error)
    return code


def _run(arguments: "list[str]") -> int:
    if not arguments:
        print(_overview(), file=sys.stderr)
        return USAGE
    first, *rest = arguments
    if first in ("-h", "--help", "help"):
        print(_overview())
        return OK
    if first in ("-V", "--version"):
        from importlib.metadata import version

        print(f"{PROGRAM} {version(PROGRAM)}")
        return OK
    if first not in COMMANDS:
        return _unknown(first)
    module, _, declared = COMMANDS[first]
    values = _flags_only(rest, declared) or _parsed(first, rest, declared)
    from importlib import import_module

    return import_module(f"flows_registry.commands.{module}").run(values)


def _flags_only(
    rest: "list[str]", declared: "tuple[tuple[tuple[str, ...], dict[str, Any]], ...]"
) -> "Any":
    """The values where nothing but flags is given, without the cost of argparse; else None."""
    values: dict[str, Any] = {}
    flags: dict[str, str] = {}
    for names, options in declared:
        own = names[-1].lstrip("-").replace("-", "_")
        if options.get("action") == "store_true":
            flags.update(dict.fromkeys(names, own))
            values[own] = False
        elif names[0].startswith("-") or options.get("nargs") == "?":
            values[own] = options.get("default")
        else:
            return None  # something is required
    for word in rest:
        if word not in flags:
            return None
        values[flags[word]] = True
    return type(sys.implementation)(**values)


def _parsed(
    command: str, rest: "list[str]", declared: "tuple[tuple[tuple[str, ...], dict[str, Any]], ...]"
) -> "argparse.Namespace":
    import argparse

    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} {command}",
        description=COMMANDS[command][1].capitalize() + ".",
        epilog=_EXIT_CODES,
    )
    for names, options in declared:
        parser.add_argument(*names, **options)
    return parser.parse_args(rest)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name.ljust(width)}  {about}" for name, (_, about, _) in COMMANDS.items()]
    return "\n".join(
        (
            f"usage: {PROGRAM} COMMAND [options]",
            "",
            "Who may be trusted: certify capability plugins.",
            "",
            *lines,
            "",
            f"{PROGRAM} COMMAND --help tells a command's options; --version the version.",
        )
    )


def _unknown(command: str) -> int:
    import difflib

    near = difflib.get_close_matches(command, COMMANDS, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    print(f"{PROGRAM}: there is no command {command!r}", file=sys.stderr)
    print(f"  → {guess}commands: {', '.join(COMMANDS)}", file=sys.stderr)
    return USAGE


def _failed(error: Exception) -> int:
    from core_caps.errors import CapsError

    if isinstance(error, CapsError):
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return USAGE
    if isinstance(error, OSError):
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        print("  → `flows-registry doctor` tells which folders must be writable", file=sys.stderr)
        return USAGE
    return _own_fault(error)


def _print_failure(error: Exception) -> None:
    """The one object on stdout, for a program that asked and got no answer."""
    from flows_registry.commands.output import print_json

    told = {
        "code": getattr(error, "code", None),
        "message": str(getattr(error, "message", error)),
        "fix": str(getattr(error, "hint", "")),
        "findings": list(getattr(error, "findings", ())),
    }
    print_json({"error": told})


def _own_fault(error: Exception) -> int:
    """A defect of ours: nothing was proved, and that is what the exit code says."""
    import os
    import traceback

    if os.environ.get("FLOWS_TRACEBACK"):
        traceback.print_exception(error)
        return INCONCLUSIVE
    frame = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error}"
    print(f"{PROGRAM}: a fault of our own: {what} ({frame.name})", file=sys.stderr)
    print("  → set FLOWS_TRACEBACK=1 to see where, and report it", file=sys.stderr)
    return INCONCLUSIVE


def _close_stdout() -> None:
    """Let the interpreter's last flush go nowhere: the reader has left."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
