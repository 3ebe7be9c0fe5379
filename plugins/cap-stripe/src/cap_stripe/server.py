"""The simulated account behind a real socket, for any SDK of Stripe's and any language.

python -m cap_stripe.server --port 12111 --webhook-url http://127.0.0.1:8000/stripe
"""

import argparse
import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Sequence
from typing import NoReturn

from core_caps.clock import SystemClock
from core_caps.rng import SeededRng
from core_caps.secret import Secret

from cap_stripe.config import MOCK_WEBHOOK_SECRET
from cap_stripe.simulation.listening import Server
from cap_stripe.simulation.posting import check_endpoint

__all__ = ["Server", "main"]

_EXAMPLE = """example:
  python -m cap_stripe.server --webhook-url http://127.0.0.1:8000/stripe --webhook-secret whsec_dev
  curl -u sk_test_1: http://127.0.0.1:12111/v1/customers -d email=ada@example.com

Any key is accepted. Events that the endpoint does not take are told on stderr and come again."""


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted; where that cannot be, say why and leave with status 2."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(given))
    except OSError as problem:
        parser.error(_unheard(given.host, given.port, problem))


async def _serve(given: argparse.Namespace) -> None:
    server = Server(
        clock=SystemClock(),
        rng=SeededRng(given.seed),
        host=given.host,
        port=given.port,
        webhook_url=given.webhook_url or "",
        webhook_secret=given.webhook_secret,
    )
    async with server:
        print(f"listening on {server.url}", flush=True)
        await server.forever()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m cap_stripe.server",
        description="A Stripe account that is simulated.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=12111, help="0 is any that is free (12111)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same names")
    parser.add_argument("--webhook-url", type=_url, help="where events are posted")
    parser.add_argument(
        "--webhook-secret",
        type=_secret,
        default=MOCK_WEBHOOK_SECRET,
        help="what they are signed with (whsec_mock)",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port; give a number up to 65535, or 0 for any that is free"
        )
    return int(text)


def _url(text: str) -> str:
    try:
        check_endpoint(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
    return text


def _secret(text: str) -> Secret:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError("it is no secret; give printable ASCII, whsec_…")
    return Secret(text)


def _unheard(host: str, port: int, problem: OSError) -> str:
    """Why nobody can listen there, and what to do."""
    match problem:
        case OSError(errno=errno.EADDRINUSE):
            return (
                f"port {port} of {host} is in use; give another --port, or 0 for any that is free"
            )
        case OSError(errno=errno.EACCES):
            return f"port {port} is not for every user; give --port a number above 1023"
        case socket.gaierror():
            why = "the name does not resolve"
        case OSError(errno=int(number)):
            why = os.strerror(number).lower()
        case _:
            why = str(problem)
    return f"cannot listen on {host!r}: {why}; give --host an address of this machine, 127.0.0.1"


if __name__ == "__main__":
    main()
