"""A command that can write to its own folders only, reaches no network and leaves nothing running.

Run as a program (standard library only): python -I -S confine.py WRITABLE… -- ARGV

It steps into fresh user, mount, network and process namespaces, makes every mount read-only but
the folders it is given, and executes the command. Exit code DENIED and a line that starts with
`denied: ` say that this kernel does not let us.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from flows_registry.lab import kernel

DENIED = 117


def confine(writable: list[str]) -> None:
    """Confine this process; its children will be the first of a process namespace."""
    kernel.unshare_as_root(kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWPID)
    kernel.private_mounts()
    for folder in writable:
        kernel.bind(folder, folder)
    kernel.set_read_only("/")
    for folder in writable:
        kernel.set_read_only(folder, False)


def main(argv: list[str]) -> int:
    """Confine, start the command, and pass its end on."""
    split = argv.index("--")
    kernel.die_with_parent()
    # The folder we stand in is the one from before the mounts changed: enter it anew.
    here = os.getcwd()  # noqa: PTH109
    confine(argv[:split])
    os.chdir(here)
    child = os.fork()
    if child == 0:
        # The first process of its namespace: when it ends, the kernel ends all others in it.
        kernel.die_with_parent()
        command = argv[split + 1 :]
        try:
            os.execvp(command[0], command)  # noqa: S606 (this is what it is for)
        except OSError as error:
            print(f"{command[0]}: {error}", file=sys.stderr, flush=True)
            os._exit(127)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except OSError as error:
        print(f"denied: {error}", flush=True)
        code = DENIED
    sys.exit(code if code >= 0 else 128 - code)
