"""Randomness as an argument: the system's source, and a seeded twin that repeats itself."""

import random
import secrets
from typing import Protocol

__all__ = ["Rng", "SeededRng", "SystemRng"]


class Rng(Protocol):
    """Where randomness comes from."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...

    def token(self, size_bytes: int) -> bytes:
        """`size_bytes` random bytes."""
        ...


class SystemRng:
    """The operating system's randomness; fit for tokens."""

    def __init__(self) -> None:
        self._source = secrets.SystemRandom()

    def random(self) -> float:
        return self._source.random()

    def token(self, size_bytes: int) -> bytes:
        return secrets.token_bytes(size_bytes)


class SeededRng:
    """The same sequence for the same seed, on every machine. Never for secrets."""

    def __init__(self, seed: int = 0) -> None:
        self._source = random.Random(seed)  # noqa: S311 (repeatable on purpose)

    def random(self) -> float:
        return self._source.random()

    def token(self, size_bytes: int) -> bytes:
        return self._source.randbytes(size_bytes)
