"""Linux calls that the standard library does not have, for the programs that confine others.

Standard library only: it is imported where nothing else can be.
"""

import ctypes
import os
import signal
import struct
from pathlib import Path

__all__ = [
    "CLONE_NEWIPC",
    "CLONE_NEWNET",
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "Denied",
    "bind",
    "die_with_parent",
    "drop_power",
    "join",
    "mount",
    "pivot",
    "private_mounts",
    "set_read_only",
    "unshare",
    "unshare_as_root",
]

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC = (
    0x00020000, 0x20000000, 0x40000000, 0x08000000,
)  # fmt: skip
_CLONE_NEWUSER = 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_MNT_DETACH = 2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_SECUREBITS, _PR_SET_NO_NEW_PRIVS = 1, 24, 28, 38
_ROOT_IS_NOBODY = 0x2F
"""Being root gives nothing, for ever: SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP, and all their locks,
that of SECBIT_KEEP_CAPS included."""

_CAPABILITIES = 64
_CAPABILITY_VERSION_3 = 0x20080522

# mount_setattr(2), Linux 5.12, has one number everywhere; pivot_root(2) has the older table's.
_SYS_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
_SYS_PIVOT_ROOT = 155 if os.uname().machine == "x86_64" else 41

_libc = ctypes.CDLL(None, use_errno=True)


class Denied(OSError):
    """The kernel does not let us do it; the message says which step."""


def _checked(step: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise Denied(number, f"{step}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Move this process, or its future children, into fresh namespaces."""
    _checked("unshare", _libc.unshare(flags))


def unshare_as_root(flags: int) -> None:
    """The same, as the root of a user namespace of its own."""
    uid, gid = os.getuid(), os.getgid()
    unshare(_CLONE_NEWUSER | flags)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text)


def join(process: int, kind: str) -> None:
    """Step into another process's namespace: "user", "mnt", "net"."""
    with Path(f"/proc/{process}/ns/{kind}").open("rb") as namespace:
        _checked(f"setns {kind}", _libc.setns(namespace.fileno(), 0))


def private_mounts() -> None:
    """Mount nothing that anybody else sees."""
    _checked("private mounts", _libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None))


def bind(source: str, target: str, *, whole: bool = True) -> None:
    """Let `target` show what is at `source`, with all that is mounted below it unless not whole."""
    flags = _MS_BIND | (_MS_REC if whole else 0)
    _checked(f"bind {target}", _libc.mount(source.encode(), target.encode(), None, flags, None))


def mount(kind: str, target: str, options: str = "") -> None:
    """Mount a fresh file system of a kind: "tmpfs", "proc"."""
    words = (kind.encode(), target.encode(), kind.encode(), 0, options.encode())
    _checked(f"mount {target}", _libc.mount(*words))


def set_read_only(path: str, read_only: bool = True, *, below: bool = True) -> None:
    """Let nobody write to a mount, or let them again."""
    set_, clear = (_MOUNT_ATTR_RDONLY, 0) if read_only else (0, _MOUNT_ATTR_RDONLY)
    attributes = struct.pack("=QQQQ", set_, clear, 0, 0)
    flags = _AT_RECURSIVE if below else 0
    done = _libc.syscall(
        _SYS_MOUNT_SETATTR, _AT_FDCWD, path.encode(), flags, attributes, len(attributes)
    )
    _checked(f"mount_setattr {path}", done)


def pivot(root: str) -> None:
    """Make a mount the root, and let go of all that is not below it."""
    os.chdir(root)
    _checked("pivot_root", _libc.syscall(_SYS_PIVOT_ROOT, b".", b"."))
    _checked("umount", _libc.umount2(b".", _MNT_DETACH))
    os.chdir("/")


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends, however it ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def drop_power() -> None:
    """Give up every capability for this process and all that it starts."""
    _checked("securebits", _libc.prctl(_PR_SET_SECUREBITS, _ROOT_IS_NOBODY, 0, 0, 0))
    for capability in range(_CAPABILITIES):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL beyond the last there is
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _checked("capset", _libc.capset(header, bytes(24)))
    _checked("no_new_privs", _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
