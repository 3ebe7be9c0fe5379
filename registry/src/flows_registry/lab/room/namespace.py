"""A network with nothing in it: the namespace that a room lives in, and how to step inside.

Run as a program (standard library only, any Python 3.11+):

    python -I -S namespace.py hold              hold a fresh namespace open until stdin closes
    python -I -S namespace.py enter PID -- ARGV step into that holder's namespace and exec ARGV

Inside, every address of every host is this machine (`local default dev lo`), so a connection to
anywhere lands on the room's own server, whatever client opened it.
"""

import contextlib
import json
import os
import socket
import struct
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))

from flows_registry.lab import kernel

_CHILD_TABLES = ("tcp_child_ehash", "udp_child_hash")
_TABLE_ROWS = 256


def create() -> None:
    """Move this process into fresh user, mount and network namespaces, with loopback up."""
    kernel.unshare_as_root(kernel.CLONE_NEWNS | kernel.CLONE_NEWNET)
    kernel.private_mounts()
    _shrink_tables()
    _loopback_up()
    # Thousands of short connections: their ends must not linger and fill the socket table, which
    # is read to see whether anything is on its way.
    with contextlib.suppress(OSError):
        Path("/proc/sys/net/ipv4/tcp_max_tw_buckets").write_text("0")
    for family in (socket.AF_INET, socket.AF_INET6):
        _route_everything_here(family)


def _shrink_tables() -> None:
    """Move on into a network whose socket tables are small: a machine's own have a quarter of a
    million rows, and they are walked whole to see whether anything is on its way. A kernel before
    6.1 shares the machine's tables: slower, and no less true."""
    wanted = [Path(f"/proc/sys/net/ipv4/{kind}_entries") for kind in _CHILD_TABLES]
    with contextlib.suppress(OSError):
        for setting in wanted:
            setting.write_text(str(_TABLE_ROWS))
        kernel.unshare(kernel.CLONE_NEWNET)


def _loopback_up() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, 0x8913, request))[1]
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def _route_everything_here(family: int) -> None:
    """The netlink form of `ip route add local default dev lo`."""
    create_request, ack = 0x600, 0x4
    route = struct.pack("=BBBBBBBBI", family, 0, 0, 0, 255, 4, 254, 2, 0)
    output = struct.pack("=HHI", 8, 4, socket.if_nametoindex("lo"))
    body = route + output
    header = struct.pack("=IHHII", 16 + len(body), 24, 1 | ack | create_request, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.bind((0, 0))
        netlink.send(header + body)
        error = struct.unpack("=i", netlink.recv(4096)[16:20])[0]
    if error and family == socket.AF_INET:  # a machine without IPv6 is fine
        raise kernel.Denied(-error, f"route: {os.strerror(-error)}")


def hold() -> None:
    """Create the namespace, bind the files that stdin's first line names, and wait for its end."""
    kernel.die_with_parent()
    create()
    binds: dict[str, str] = json.loads(sys.stdin.readline())
    for target, source in binds.items():
        kernel.bind(source, target, whole=False)
    print("ready", flush=True)
    sys.stdin.read()


def enter(holder: int) -> None:
    """Step into the holder's namespaces."""
    for kind in ("user", "mnt", "net"):
        kernel.join(holder, kind)


def main(argv: list[str]) -> None:
    """The two commands of this file."""
    match argv:
        case ["hold"]:
            hold()
        case ["enter", holder, "--", *command]:
            directory = Path.cwd()
            kernel.die_with_parent()
            enter(int(holder))
            os.chdir(directory)
            os.execv(command[0], command)  # noqa: S606 (that is what it is for)
        case _:
            raise SystemExit(2)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except kernel.Denied as denied:
        print(f"denied: {denied}", flush=True)
        raise SystemExit(3) from None
