"""The two lattices every claim lives in, and their joins.

Effects rise from pure to effectful; determinism weakens from strict to nondeterministic. Joining
several claims takes the weakest of them: a flow is as repeatable as its least repeatable part.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["WEAKEST", "Claim", "Determinism", "Effects", "join"]


class Effects(enum.IntEnum):
    """What an operation does to the world; a greater value does more."""

    PURE = 0
    """Nothing outside the process is read or changed."""

    READ_ONLY = 1
    """The world is read; a repeat changes nothing."""

    EFFECTFUL = 2
    """The world may change; a repeat may change it again."""

    def __or__(self, other: int) -> "Effects":
        return Effects(max(self, other))

    def __and__(self, other: int) -> "Effects":
        return Effects(min(self, other))

    def __str__(self) -> str:
        return self.name.lower()


class Determinism(enum.IntEnum):
    """How repeatable an operation is; a greater value promises less."""

    STRICT = 0
    """A pure function of its input: the same bytes for ever."""

    STABLE = 1
    """The same result given pinned resources: a blob by digest, a model with version and seed."""

    BEST_EFFORT = 2
    """The same result while the world stands still; it may drift across retries."""

    NONDETERMINISTIC = 3
    """Makes no promise, and says so."""

    def __or__(self, other: int) -> "Determinism":
        return Determinism(max(self, other))

    def __and__(self, other: int) -> "Determinism":
        return Determinism(min(self, other))

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Claim:
    """A point in the product of both lattices."""

    effects: Effects
    determinism: Determinism

    def __or__(self, other: "Claim") -> "Claim":
        return Claim(self.effects | other.effects, self.determinism | other.determinism)

    def covers(self, other: "Claim") -> bool:
        """Whether this claim is at least as cautious as `other` in both lattices."""
        return self.effects >= other.effects and self.determinism >= other.determinism

    def __str__(self) -> str:
        return f"{self.effects}, {self.determinism}"


WEAKEST = Claim(Effects.EFFECTFUL, Determinism.NONDETERMINISTIC)
"""What an unannotated node gets: the claim that promises nothing, never Pure."""

_NEUTRAL = Claim(Effects.PURE, Determinism.STRICT)


def join(claims: Iterable[Claim]) -> Claim:
    """The weakest of all claims in both lattices; nothing at all joins to (pure, strict)."""
    joined = _NEUTRAL
    for claim in claims:
        joined |= claim
    return joined
