"""The bridge Worker's files, to be deployed by whoever uses `remote`.

python -m cap_cloudflare_do.deployment FOLDER
"""

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

__all__ = ["FILES", "write_bridge"]

FILES = ("bridge.mjs", "wrangler.toml")
"""What `wrangler deploy` needs; a configuration that is there already is left alone."""


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


def main(arguments: Sequence[str]) -> int:
    """Write the files into the folder that is named; the exit code is 2 where none is."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m cap_cloudflare_do.deployment FOLDER", file=sys.stderr)
        return 2
    for path in write_bridge(Path(arguments[0])):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
