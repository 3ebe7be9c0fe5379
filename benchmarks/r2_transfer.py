"""R2 transfers beside boto3's TransferManager: one plain S3 stub, the same source, equal settings.

    python benchmarks/r2_transfer.py [--mib 1024]

The stub is a process of its own that discards what it is sent and generates what it is asked for.
Ours and the peer's each run in a fresh child process, so that peak memory is each one's own. Both
send parts of 8 MiB, three at a time, with a CRC-32 each, signed with SigV4 over plain HTTP. What
was sent in parts has no checksum that a reader could hold it against; the last row reads an object
that has one, which ours does and the peer does not.
"""

import argparse
import asyncio
import hashlib
import json
import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
PART_MIB, IN_FLIGHT = 8, 3
BLOCK = bytes(range(256)) * (MIB // 256)
SENT_BYTES = 256 * 1024
KEYS = {"access": "AKIDEXAMPLE", "secret": "example-secret"}


def serve(size_mib: int) -> None:
    """The stub: announces its port on stdout and serves until its stdin closes.

    `key` has the etag that an upload in parts leaves, which is no checksum of the content; `whole`
    has the MD5 that a single put leaves.
    """
    digest = hashlib.md5(usedforsecurity=False)
    for _ in range(size_mib):
        digest.update(BLOCK)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            arguments = (connection, size_mib * MIB, digest.hexdigest())
            threading.Thread(target=_answer_all, args=arguments, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


def _answer_all(connection: socket.socket, size: int, etag: str) -> None:
    buffer = bytearray(4 * MIB)
    view = memoryview(buffer)
    held = 0
    while True:
        while (end := buffer.find(b"\r\n\r\n", 0, held)) < 0:
            try:
                got = connection.recv_into(view[held:])
            except ConnectionError:
                return
            if not got:
                return
            held += got
        head = bytes(view[:end])
        method, target, _ = head.split(b"\r\n", 1)[0].split(b" ")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        left = int(length[1]) if length else 0
        if re.search(rb"(?i)\r\nexpect: *100", head):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        left -= held - end - 4
        while left > 0:
            left -= connection.recv_into(view, min(left, len(buffer)))
        held = 0
        in_parts = f"{'0' * 32}-{size // MIB // PART_MIB}"
        _answer(connection, method, target, head, size, etag if b"whole" in target else in_parts)


def _answer(
    connection: socket.socket, method: bytes, target: bytes, head: bytes, size: int, etag: str
) -> None:
    body, status, extra = b"", "200 OK", ""
    if method == b"POST" and b"uploads" in target:
        body = (
            b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        )
    elif method == b"POST":
        body = b'<CompleteMultipartUploadResult><ETag>"e-1"</ETag></CompleteMultipartUploadResult>'
    elif method == b"PUT":
        extra = 'ETag: "part"\r\n'
    if method not in (b"GET", b"HEAD"):
        connection.sendall(
            f"HTTP/1.1 {status}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body
        )
        return
    start, stop = 0, size
    wanted = re.search(rb"(?i)\r\nrange: *bytes=(\d+)-(\d*)", head)
    if wanted:
        start = int(wanted[1])
        stop = min(int(wanted[2]) + 1, size) if wanted[2] else size
        status, extra = "206 Partial", f"Content-Range: bytes {start}-{stop - 1}/{size}\r\n"
    connection.sendall(
        f'HTTP/1.1 {status}\r\n{extra}ETag: "{etag}"\r\nContent-Length: {stop - start}\r\n'
        "Last-Modified: Fri, 20 Nov 2026 12:00:00 GMT\r\n\r\n".encode()
    )
    view = memoryview(BLOCK)[:SENT_BYTES]  # small enough to stay in the processor's cache
    while method == b"GET" and start < stop:
        offset = start % SENT_BYTES
        count = min(stop - start, SENT_BYTES - offset)
        connection.sendall(view[offset : offset + count])
        start += count


def blocks(size_mib: int, fresh: bool = False) -> Iterator[bytes]:
    """The source: blocks of 1 MiB that cost nothing to make, so that only the transfer counts.

    Where memory is what counts each block is a new one.
    """
    for _ in range(size_mib):
        yield bytes(bytearray(BLOCK)) if fresh else BLOCK


async def ours(port: int, size_mib: int, direction: str) -> float:
    """Seconds that RemoteR2 takes."""
    from cap_cloudflare_r2.config import RemoteConfig
    from cap_cloudflare_r2.remote import RemoteR2
    from core_caps.clock import SystemClock
    from core_caps.rng import SystemRng
    from core_caps.secret import Secret

    config = RemoteConfig(
        account_id="example",
        bucket="bucket",
        access_key_id=KEYS["access"],
        secret_access_key=Secret(KEYS["secret"]),
        base_url=f"http://127.0.0.1:{port}",
        part_size_bytes=PART_MIB * MIB,
        parts_in_flight=IN_FLIGHT,
    )

    async def source(mib: int) -> AsyncIterator[bytes]:
        for block in blocks(mib, fresh=direction == "upload of fresh blocks"):
            yield block

    async with RemoteR2(config, clock=SystemClock(), rng=SystemRng()) as store:
        await store.put("warm", source(1))
        _forget_peak()
        start = time.perf_counter()
        received = 0
        if direction.startswith("upload"):
            await store.put("key", source(size_mib))
        else:
            async for chunk in store.open("key" if direction == "download" else "whole"):
                received += len(chunk)
        taken = time.perf_counter() - start
    assert direction.startswith("upload") or received == size_mib * MIB
    return taken


def peer(port: int, size_mib: int, direction: str) -> float:
    """Seconds that boto3's TransferManager takes."""
    import boto3
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    client: Any = boto3.session.Session(KEYS["access"], KEYS["secret"]).client(
        "s3",
        region_name="auto",
        endpoint_url=f"http://127.0.0.1:{port}",
        config=Config(
            s3={"addressing_style": "path", "payload_signing_enabled": False},
            retries={"mode": "standard", "total_max_attempts": 1},
            request_checksum_calculation="when_supported",  # CRC-32 of each part, as ours
            response_checksum_validation="when_required",
        ),
    )
    settings = TransferConfig(
        multipart_chunksize=PART_MIB * MIB,
        multipart_threshold=PART_MIB * MIB,
        max_concurrency=IN_FLIGHT,
    )
    client.upload_fileobj(_File(blocks(1)), "bucket", "warm", Config=settings)
    _forget_peak()
    start = time.perf_counter()
    if direction == "upload":
        client.upload_fileobj(_File(blocks(size_mib)), "bucket", "key", Config=settings)
    else:
        # A file, and not a pipe: for those the TransferManager would queue parts in memory.
        with Path(os.devnull).open("wb") as sink:
            client.download_fileobj("bucket", "key", sink, Config=settings)
    return time.perf_counter() - start


class _File:
    """The source as the file that the TransferManager wants."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        pieces, held = [self._rest], len(self._rest)
        while size < 0 or held < size:
            piece = next(self._source, b"")
            if not piece:
                break
            pieces.append(piece)
            held += len(piece)
        whole = b"".join(pieces)
        cut = held if size < 0 else size
        self._rest = whole[cut:]
        return whole[:cut]


_baseline: list[float] = []


def _forget_peak() -> None:
    """Start measuring peak memory here; what came before is the baseline."""
    Path("/proc/self/clear_refs").write_text("5")
    _baseline.append(_status_mib("VmRSS"))


def _status_mib(name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(found[1]) / 1024


def child(who: str, port: int, size_mib: int, direction: str) -> None:
    """One transfer, reported as JSON on stdout."""
    if who == "ours":
        seconds = asyncio.run(ours(port, size_mib, direction))
    else:
        seconds = peer(port, size_mib, direction)
    print(json.dumps({"seconds": seconds, "grown_mib": _status_mib("VmHWM") - _baseline[-1]}))


def run(who: str, port: int, size_mib: int, direction: str) -> dict[str, float]:
    """One transfer in a child process."""
    command = [sys.executable, __file__, "--child", who, str(port), str(size_mib), direction]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return json.loads(done.stdout)


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from side_by_side import compare, measure, report

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    chosen, rest = parser.parse_known_args()
    stub = subprocess.Popen(
        [sys.executable, __file__, "--stub", str(chosen.mib)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert stub.stdout is not None
    port = int(stub.stdout.readline())

    def seconds(who: str, direction: str) -> float:
        return run(who, port, chosen.mib, direction)["seconds"]

    def grown(direction: str) -> float:
        return run("ours", port, chosen.mib, direction)["grown_mib"]

    size = f"{chosen.mib} MiB"
    try:
        comparisons = [
            compare(
                f"{direction} of {size}",
                lambda direction=direction: seconds("ours", direction),
                lambda direction=direction: seconds("peer", direction),
                rounds=chosen.rounds,
                goal=goal,
                calls=1,
            )
            for direction, goal in (
                ("upload", ">= 2x"),
                ("download", ">= 2.5x"),
                ("download held against its MD5 by ours", ""),
            )
        ] + [
            measure(
                f"memory above baseline, {direction}",
                lambda direction=direction: grown(direction),
                rounds=1,
                goal="<= 48 MiB",
                calls=1,
            )
            for direction in ("upload of fresh blocks", "download")
        ]
    finally:
        stub.kill()
        stub.wait()
    report(comparisons, rest)


if __name__ == "__main__":
    os.environ.pop("AWS_PROFILE", None)
    match sys.argv[1:]:
        case ["--stub", size_mib]:
            serve(int(size_mib))
        case ["--child", who, port, size_mib, direction]:
            child(who, int(port), int(size_mib), direction)
        case _:
            main()
