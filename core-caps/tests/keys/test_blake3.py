"""BLAKE3: the twin in pure Python, the wheel, and the published digests."""

import subprocess
import sys
from pathlib import Path

import blake3 as wheel
import core_caps
import pytest
from core_caps.keys import digest, digest_pure
from hypothesis import given, settings
from hypothesis import strategies as st

# From https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json: the input
# of n bytes is 0, 1, …, 250, 0, 1, … . Lengths at the edges of blocks, chunks and subtrees.
PUBLISHED = {
    0: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    63: "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b",
    64: "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98",
    65: "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee",
    1023: "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
    1024: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    1025: "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
    2048: "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
    2049: "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030",
    3073: "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3",
    5121: "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff",
    7168: "61da957ec2499a95d6b8023e2b0e604ec7f6b50e80a9678b89d2628e99ada77a",
    16384: "f875d6646de28985646f34ee13be9a576fd515f76b5b0a26bb324735041ddde4",
    102400: "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
}


@pytest.mark.feature("P0-01")
@pytest.mark.parametrize("length", PUBLISHED)
def test_the_published_digests(length: int) -> None:
    data = bytes(n % 251 for n in range(length))
    assert digest_pure(data).hex() == PUBLISHED[length]
    assert digest(data).hex() == PUBLISHED[length]


@pytest.mark.feature("P0-01")
@settings(max_examples=150)
@given(st.binary(max_size=200) | st.integers(0, 20_000).map(lambda size: bytes(size)))
def test_the_twin_equals_the_wheel(data: bytes) -> None:
    assert digest_pure(data) == wheel.blake3(data).digest() == digest(data)


@pytest.mark.feature("P0-01")
@pytest.mark.parametrize("chunks", [*range(2, 20), 255, 256, 257, 258, 513])
def test_the_tree_of_any_number_of_chunks(chunks: int) -> None:
    for size in (chunks * 1024 - 1, chunks * 1024, chunks * 1024 + 1):
        data = (b"%08d" % size) * (size // 8 + 1)
        assert digest_pure(data[:size]) == wheel.blake3(data[:size]).digest()


@pytest.mark.feature("P0-01")
def test_without_the_wheel_the_twin_is_used(tmp_path: Path) -> None:
    # Of itself: beside an installed package lies the wheel.
    (tmp_path / "core_caps").symlink_to(Path(core_caps.__file__).parent)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from core_caps.keys import digest, digest_pure, idempotency_key\n"
        "assert digest is digest_pure\n"
        "print(idempotency_key('f', 'n', 'p', {'a': 1}))"
    )
    # -I -S: the standard library alone, no installed package at all.
    bare = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert bare.stderr == ""
    expected = wheel.blake3(
        bytes.fromhex("a461666166616e616e61706170" + "6178a1616101")
    ).hexdigest()
    assert bare.stdout.strip() == expected
