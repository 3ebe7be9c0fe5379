"""A world with nothing in it but what a process needs: the third wall around a plugin's code.

Run as a program (standard library only, any Python 3.11+):

    python -I -S isolate.py SPEC -- ARGV

SPEC is JSON: `root` (an empty folder), `visible` (paths to read), `writable` (paths below them to
write to), `owner` (make a user namespace: nobody has yet), `network` (it stays in the network that
it finds). The command then runs as the first process of its process namespace, without any
capability, on a root that holds the system's programs, what is visible, a fresh /proc and the few
harmless devices; the rest of the machine's files is not there, and no other process can be seen or
signalled. Where it and what it starts take too much, it is ended: exit code 118 and a last line
that starts with `stopped: `. Exit code 117 and a line that starts with `denied: ` say that this
kernel does not let us.
"""

import contextlib
import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from flows_registry.lab import bounds, kernel

DENIED = 117
SYSTEM = (
    "bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "opt", "nix", "gnu",
)  # fmt: skip
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
EMPTY = ("tmp", "run", "var/tmp", "home", "root")


def build(root: Path, visible: list[str], writable: list[str]) -> None:
    """Put the new root together; all mounts of this process are its own by now."""
    kernel.mount("tmpfs", str(root), "mode=755")
    for name in EMPTY:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in SYSTEM:
        _show(root, Path("/", name))
    for path in sorted(visible, key=len):  # what a folder shows, it shows with all that it holds
        _show(root, Path(path))
    (root / "dev/shm").mkdir(parents=True)
    for name in DEVICES:
        device = Path("/dev", name)
        if device.exists():
            (root / "dev" / name).touch()
            kernel.bind(str(device), f"{root}/dev/{name}")
    kernel.mount("tmpfs", str(root / "dev" / "shm"), "mode=1777,size=256m")
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0")):
        (root / "dev" / name).symlink_to(target)
    (root / "proc").mkdir()
    for path in writable:
        inside = str(root) + path
        kernel.bind(inside, inside)
        kernel.set_read_only(inside, False)


def _show(root: Path, path: Path) -> None:
    """Let a path be seen, and not written to; a link is made again, and what it leads to shown."""
    inside = root / path.relative_to("/")
    if inside.exists() or inside.is_symlink():
        return
    if path.is_symlink():
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.symlink_to(path.readlink())
        if not path.resolve().is_relative_to(path.parent):
            _show(root, path.parent / path.readlink())
    elif path.is_dir():
        inside.mkdir(parents=True)
        kernel.bind(str(path), str(inside))
        kernel.set_read_only(str(inside))
    elif path.exists():
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.touch()
        kernel.bind(str(path), str(inside))
        kernel.set_read_only(str(inside))


def main(specification: str, command: list[str]) -> int:
    """Step inside, start the command, watch it, and pass its end on."""
    told = json.loads(specification)
    root, here = Path(told["root"]), Path.cwd()
    kernel.die_with_parent()
    apart = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC
    apart |= 0 if told["network"] else kernel.CLONE_NEWNET
    (kernel.unshare_as_root if told["owner"] else kernel.unshare)(apart)
    kernel.private_mounts()
    build(root, told["visible"], told["writable"])
    within, waiting = os.pipe()  # closes when the command has taken over
    child = os.fork()
    if child == 0:
        try:
            _become(root, here, command)
        except OSError as error:
            print(f"denied: {error}", flush=True)
            os._exit(DENIED)
    os.close(waiting)
    os.read(within, 1)
    return bounds.watched(child, told["writable"])


def _become(root: Path, here: Path, command: list[str]) -> None:
    """The first process of the namespace: when it ends, the kernel ends all others in it."""
    kernel.die_with_parent()
    kernel.mount("proc", f"{root}/proc")
    bounds.few_numbers(f"{root}/proc")
    kernel.pivot(str(root))
    kernel.set_read_only("/", below=False)
    with contextlib.suppress(FileNotFoundError):
        os.chdir(here)
    kernel.drop_power()
    bounds.limit()
    os.execvp(command[0], command)  # noqa: S606 (this is what it is for)


if __name__ == "__main__":
    split = sys.argv.index("--")
    try:
        code = main(sys.argv[1], sys.argv[split + 1 :])
    except OSError as error:
        print(f"denied: {error}", flush=True)
        code = DENIED
    sys.exit(code if code >= 0 else 128 - code)
