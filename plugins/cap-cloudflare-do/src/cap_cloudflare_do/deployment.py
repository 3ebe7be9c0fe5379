"""The bridge Worker's files, to be deployed by whoever uses `remote`.

python -m cap_cloudflare_do.deployment FOLDER
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

__all__ = ["FILES", "write_bridge"]

FILES = ("bridge.mjs", "wrangler.toml")
"""What `wrangler deploy` needs; a configuration that is there already is left alone."""

_PROGRAM = "python -m cap_cloudflare_do.deployment"

_ABOUT = """\
Write the bridge Worker, through which the backend `remote` reaches Durable Objects:
bridge.mjs, its source, which is replaced by this version's, and wrangler.toml, its
configuration, which is left alone where there is one.
"""

_NEXT = """\
then deploy it, into your own Cloudflare account:
  cd FOLDER
  npx wrangler deploy
  npx wrangler secret put BRIDGE_TOKEN     # any long random text

and tell your flow where it is:
  CLOUDFLARE_DO_BRIDGE_HOST=cap-do-bridge.ACCOUNT.workers.dev
  CLOUDFLARE_DO_BRIDGE_TOKEN=              # the same text
"""


def write_bridge(folder: Path) -> list[Path]:
    """Write the bridge's files into a folder, and say which.

    The source is replaced by this version's; a `wrangler.toml` that is there is the user's own.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name in FILES:
        target = folder / name
        if name == "bridge.mjs" or not target.exists():
            target.write_bytes(files("cap_cloudflare_do").joinpath(name).read_bytes())
            written.append(target)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files into the folder that is named; the exit code, 2 where that cannot be."""
    folder: Path = _parser().parse_args(arguments).folder
    try:
        written = write_bridge(folder)
    except OSError as problem:
        where = str(problem.filename or folder)
        print(
            f"cannot write {where!r}: {problem.strerror}; name a folder that you may write to",
            file=sys.stderr,
        )
        return 2
    for path in written:
        print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description=_ABOUT,
        epilog=_NEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="made where it is missing")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
