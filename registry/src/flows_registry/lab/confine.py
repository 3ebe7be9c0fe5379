"""A command that can write to its own folders only, reaches no network and leaves nothing running.

Run as a program (standard library only): python -I -S confine.py WRITABLE… -- ARGV

It steps into fresh user, mount, network and process namespaces, makes every mount read-only but
the folders it is given, and executes the command. Exit code DENIED and a line that starts with
`denied: ` say that this kernel does not let us.
"""

import ctypes
import os
import signal
import struct
import sys

DENIED = 117

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

# mount_setattr(2), Linux 5.12; the number is the same on every architecture.
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1


class Denied(OSError):
    """The kernel does not let us do it; the message says which step."""


def _checked(step: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise Denied(number, f"{step}: {os.strerror(number)}")


def _read_only(libc: ctypes.CDLL, path: str, read_only: bool) -> None:
    set_, clear = (MOUNT_ATTR_RDONLY, 0) if read_only else (0, MOUNT_ATTR_RDONLY)
    attributes = struct.pack("=QQQQ", set_, clear, 0, 0)
    done = libc.syscall(
        SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), AT_RECURSIVE, attributes, len(attributes)
    )
    _checked(f"mount_setattr {path}", done)


def confine(writable: list[str]) -> None:
    """Confine this process; its children will be the first of a process namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID
    _checked("unshare", libc.unshare(flags))
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 (this starts often)
            file.write(text)
    _checked("private mounts", libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    for folder in writable:
        path = folder.encode()
        _checked(f"bind {folder}", libc.mount(path, path, None, MS_BIND | MS_REC, None))
    _read_only(libc, "/", True)
    for folder in writable:
        _read_only(libc, folder, False)


def main(argv: list[str]) -> int:
    """Confine, start the command, and pass its end on."""
    split = argv.index("--")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The folder we stand in is the one from before the mounts changed: enter it anew.
    here = os.getcwd()  # noqa: PTH109
    confine(argv[:split])
    os.chdir(here)
    child = os.fork()
    if child == 0:
        # The first process of its namespace: when it ends, the kernel ends all others in it.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
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
