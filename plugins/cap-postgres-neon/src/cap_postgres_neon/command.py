"""`cap-postgres-neon serve`: Neon's HTTP protocol on a PostgreSQL of one's own.

Exit codes: 0 as asked, 2 what was asked for cannot be; one line then says why, and what to do.
"""

import argparse
import difflib
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from core_caps.errors import BackendNotInstalled, CapsError

from cap_postgres_neon.postgres import NotRunning

__all__ = ["main"]

_PROGRAM = "cap-postgres-neon"
_COMMANDS = ("serve",)
_OK, _CANNOT = 0, 2


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        self.exit(_CANNOT, f"{_PROGRAM}: {message}; {self.prog} --help tells what there is\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given and not given[0].startswith("-") and given[0] not in _COMMANDS:
        near = difflib.get_close_matches(given[0], _COMMANDS, n=1)
        guess = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(_COMMANDS)}"
        return _said(f"there is no command {given[0]!r}: {guess}")
    asked = _parser().parse_args(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started ends with it
    try:
        _serving()(asked.path, asked.url_from, asked.host, asked.port)
    except KeyboardInterrupt:
        return _OK
    except CapsError as problem:
        return _said(f"{problem.code}: {problem.message}; {problem.hint}")
    except NotRunning as problem:
        return _said(str(problem))
    return _OK


def _said(problem: str) -> int:
    print(f"{_PROGRAM}: {' '.join(problem.split())}", file=sys.stderr)
    return _CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=_PROGRAM, description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve a PostgreSQL as Neon's HTTP does")
    what = serve.add_mutually_exclusive_group(required=True)
    what.add_argument("--path", type=Path, help="a folder: PostgreSQL is started on it")
    what.add_argument("--url-from", metavar="NAME", help="the environment variable with its URL")
    serve.add_argument(
        "--host", type=_host, default="127.0.0.1", help="where to listen (127.0.0.1)"
    )
    serve.add_argument("--port", type=_port, default=4444, help="on which port (4444); 0 is any")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give 0 to 65535")
    return int(text)


def _host(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it is empty: give 127.0.0.1, or another of this machine")
    return text


def _serving() -> Callable[[Path | None, str, str, int], None]:
    """What serves, with all that it stands on.

    Raises:
        BackendNotInstalled: that is not here.
    """
    try:
        from cap_postgres_neon.companion.serving import serve
    except ImportError as missing:
        raise BackendNotInstalled(
            f"`serve` needs what is not installed: {missing}",
            hint="pip install 'cap-postgres-neon[local]'",
        ) from missing
    return serve
