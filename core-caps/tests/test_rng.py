"""Randomness: the seeded source repeats itself on every machine, the system's does not."""

import subprocess
import sys

from core_caps import SeededRng, SystemRng
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(0, 1 << 64), st.lists(st.integers(0, 64), max_size=10))
def test_one_seed_gives_one_sequence(seed: int, sizes: list[int]) -> None:
    one, other = SeededRng(seed), SeededRng(seed)
    for size in sizes:
        token = one.token(size)
        assert token == other.token(size)
        assert len(token) == size
        number = one.random()
        assert number == other.random()
        assert 0.0 <= number < 1.0


def test_the_sequence_is_the_same_on_every_machine() -> None:
    rng = SeededRng(7)
    assert (rng.random(), rng.token(8).hex()) == (0.32383276483316237, "370d9e260e271365")
    program = (
        "from core_caps import SeededRng; r = SeededRng(7); print(r.random(), r.token(8).hex())"
    )
    for seed in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.split() == ["0.32383276483316237", "370d9e260e271365"]


def test_other_seeds_give_other_sequences() -> None:
    assert len({SeededRng(seed).token(16) for seed in range(100)}) == 100
    assert SeededRng().token(16) == SeededRng(0).token(16)


def test_the_systems_source_does_not_repeat() -> None:
    rng = SystemRng()
    assert len({rng.token(16) for _ in range(100)}) == 100
    assert len(rng.token(0)) == 0
    assert all(0.0 <= rng.random() < 1.0 for _ in range(100))
