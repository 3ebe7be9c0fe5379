"""BLAKE3 with no dependency: the wheel where it is installed, else a twin in pure Python.

The twin (hash mode, 32 bytes, any length) computes many compressions at once: row i of the state
of k nodes is one large integer of 4 x k lanes, so that one addition adds them all.

Source: https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf
"""

import struct
from collections.abc import Callable, Sequence

__all__ = ["DIGEST_SIZE_BYTES", "digest", "digest_pure"]

DIGEST_SIZE_BYTES = 32

_CHUNK_BYTES = 1024
_BLOCK_BYTES = 64
_CHUNKS_AT_ONCE = 256  # bounds the twin's memory; more at once is hardly faster

_CHUNK_START, _CHUNK_END, _PARENT, _ROOT = 1, 2, 4, 8
_IV = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_ROUNDS = 7
# A word has 32 bits and its lane 64, so that neither a sum of three words nor a shifted word
# reaches the neighbour.
_LANE_BITS = 64

_Node = tuple[int, ...]
"""A chaining value: eight words."""


def _schedule() -> Sequence[tuple[tuple[int, ...], ...]]:
    """For each round, which four message words enter each of its four steps."""
    order, rounds = tuple(range(16)), list[tuple[tuple[int, ...], ...]]()
    for _ in range(_ROUNDS):
        rounds.append((order[0:8:2], order[1:8:2], order[8:16:2], order[9:16:2]))
        order = tuple(order[i] for i in _PERMUTATION)
    return tuple(rounds)


_SCHEDULE = _schedule()


def digest_pure(data: bytes) -> bytes:
    """The 32-byte BLAKE3 hash of `data`, computed in pure Python."""
    whole = (len(data) - 1) // _CHUNK_BYTES if data else 0  # chunks before the last one
    if not whole:
        return struct.pack("<8I", *_chunk(data, 0, root=True))
    nodes: list[_Node] = []
    for first in range(0, whole, _CHUNKS_AT_ONCE):
        count = min(_CHUNKS_AT_ONCE, whole - first)
        start = first * _CHUNK_BYTES
        nodes += _chunks(data[start : start + count * _CHUNK_BYTES], first)
    nodes.append(_chunk(data[whole * _CHUNK_BYTES :], whole, root=False))
    while len(nodes) > 2:
        nodes = _parents(nodes)
    return struct.pack("<8I", *_compress([_IV], [nodes[0] + nodes[1]], [0], 64, _PARENT | _ROOT)[0])


def _chunks(data: bytes, first: int) -> list[_Node]:
    """The chaining values of whole chunks, none of them the last."""
    words = struct.unpack(f"<{len(data) // 4}I", data)
    counters = range(first, first + len(data) // _CHUNK_BYTES)
    nodes: Sequence[_Node] = [_IV] * len(counters)
    for block in range(16):
        messages = [words[at : at + 16] for at in range(block * 16, len(words), 256)]
        flags = _CHUNK_START * (block == 0) | _CHUNK_END * (block == 15)
        nodes = _compress(nodes, messages, counters, _BLOCK_BYTES, flags)
    return list(nodes)


def _chunk(data: bytes, counter: int, *, root: bool) -> _Node:
    """The chaining value of the last chunk: of any length, and perhaps the whole input."""
    node, flags = _IV, _CHUNK_START
    starts = range(0, len(data) or 1, _BLOCK_BYTES)
    for start in starts:
        block = data[start : start + _BLOCK_BYTES]
        if start == starts[-1]:
            flags |= _CHUNK_END | (_ROOT if root else 0)
        message = struct.unpack("<16I", block.ljust(_BLOCK_BYTES, b"\0"))
        [node] = _compress([node], [message], [counter], len(block), flags)
        flags = 0
    return node


def _parents(nodes: Sequence[_Node]) -> list[_Node]:
    """One level up the tree: neighbours are paired, an odd last one moves up as it is."""
    pairs = [a + b for a, b in zip(nodes[::2], nodes[1::2], strict=False)]
    above: list[_Node] = []
    for first in range(0, len(pairs), _CHUNKS_AT_ONCE):
        some = pairs[first : first + _CHUNKS_AT_ONCE]
        above += _compress([_IV] * len(some), some, [0] * len(some), _BLOCK_BYTES, _PARENT)
    return [*above, *nodes[len(pairs) * 2 :]]


def _compress(
    nodes: Sequence[_Node],
    messages: Sequence[tuple[int, ...]],
    counters: Sequence[int],
    block_len: int,
    flags: int,
) -> list[_Node]:
    """Compress one block into each node; all of them at once."""
    count = len(nodes)
    lane, row = _LANE_BITS * count, 4 * _LANE_BITS * count
    mask = _pack([0xFFFFFFFF] * 4 * count)
    message = [_pack(words) for words in zip(*messages, strict=True)]
    chaining = list(zip(*nodes, strict=True))
    a = _pack([word for words in chaining[:4] for word in words])
    b = _pack([word for words in chaining[4:] for word in words])
    c = _pack([word for word in _IV[:4] for _ in nodes])
    low, high = [n & 0xFFFFFFFF for n in counters], [n >> 32 for n in counters]
    d = _pack([*low, *high, *[block_len] * count, *[flags] * count])
    one, two, three = lane, 2 * lane, 3 * lane
    for steps in _SCHEDULE:
        first, second, third, fourth = (
            message[i] | message[j] << one | message[k] << two | message[m] << three
            for i, j, k, m in steps
        )
        a, b, c, d = _mix(a, b, c, d, first, second, mask)
        # The diagonals become columns when rows 1, 2 and 3 turn by as many lanes.
        b, c, d = _turn(b, one, row), _turn(c, two, row), _turn(d, three, row)
        a, b, c, d = _mix(a, b, c, d, third, fourth, mask)
        b, c, d = _turn(b, three, row), _turn(c, two, row), _turn(d, one, row)
    words = (*_unpack(a ^ c, 4 * count), *_unpack(b ^ d, 4 * count))
    return [words[at::count] for at in range(count)]


def _mix(a: int, b: int, c: int, d: int, x: int, y: int, mask: int) -> tuple[int, int, int, int]:
    """The function G of the specification, in every lane."""
    a = (a + b + x) & mask
    d ^= a
    d = (d >> 16 | d << 16) & mask
    c = (c + d) & mask
    b ^= c
    b = (b >> 12 | b << 20) & mask
    a = (a + b + y) & mask
    d ^= a
    d = (d >> 8 | d << 24) & mask
    c = (c + d) & mask
    b ^= c
    b = (b >> 7 | b << 25) & mask
    return a, b, c, d


def _turn(row: int, by: int, width: int) -> int:
    return row >> by | (row & ((1 << by) - 1)) << (width - by)


def _pack(words: Sequence[int]) -> int:
    return int.from_bytes(struct.pack(f"<{len(words)}Q", *words), "little")


def _unpack(row: int, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}Q", row.to_bytes(count * 8, "little"))


def _choose() -> Callable[[bytes], bytes]:
    try:
        from blake3 import blake3
    except ImportError:
        return digest_pure
    return lambda data: blake3(data).digest()


digest = _choose()
"""The 32-byte BLAKE3 hash of some bytes, by the `blake3` wheel where it is installed."""
