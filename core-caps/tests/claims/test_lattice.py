"""The laws of the two lattices and of their product; each level against every other."""

import itertools

import pytest
from core_caps.claims.lattice import WEAKEST, Claim, Determinism, Effects, join

EFFECTS = [*Effects]
DETERMINISM = [*Determinism]
CLAIMS = [Claim(*pair) for pair in itertools.product(Effects, Determinism)]
STRONGEST = Claim(Effects.PURE, Determinism.STRICT)

both = pytest.mark.feature("PL-01", "PL-02")
lattices = pytest.mark.parametrize(
    ("levels", "bottom", "top"),
    [
        pytest.param(EFFECTS, Effects.PURE, Effects.EFFECTFUL, id="effects"),
        pytest.param(DETERMINISM, Determinism.STRICT, Determinism.NONDETERMINISTIC, id="det"),
    ],
)


@pytest.mark.feature("PL-01")
def test_effects_rise_from_pure_to_effectful() -> None:
    assert [str(level) for level in sorted(Effects)] == ["pure", "read_only", "effectful"]


@pytest.mark.feature("PL-02")
def test_determinism_weakens_from_strict_to_nondeterministic() -> None:
    assert [str(level) for level in sorted(Determinism)] == [
        "strict",
        "stable",
        "best_effort",
        "nondeterministic",
    ]


@both
@lattices
class TestEachLattice:
    def test_join_is_associative(self, levels: list[Effects], bottom: Effects, top: Effects):
        for a, b, c in itertools.product(levels, repeat=3):
            assert (a | b) | c is a | (b | c)

    def test_join_is_commutative(self, levels: list[Effects], bottom: Effects, top: Effects):
        for a, b in itertools.product(levels, repeat=2):
            assert a | b is b | a

    def test_join_is_idempotent(self, levels: list[Effects], bottom: Effects, top: Effects):
        for a in levels:
            assert a | a is a

    def test_bottom_is_neutral_and_top_absorbs(
        self, levels: list[Effects], bottom: Effects, top: Effects
    ):
        for a in levels:
            assert bottom | a is a
            assert top | a is top
            assert top & a is a
            assert bottom & a is bottom

    def test_join_is_monotone_and_the_least_upper_bound(
        self, levels: list[Effects], bottom: Effects, top: Effects
    ):
        for a, b, c in itertools.product(levels, repeat=3):
            if a <= b:
                assert a | c <= b | c
            if c >= a and c >= b:
                assert a | b <= c
            assert a | b >= a

    def test_join_and_meet_absorb_each_other(
        self, levels: list[Effects], bottom: Effects, top: Effects
    ):
        for a, b in itertools.product(levels, repeat=2):
            assert a | (a & b) is a
            assert a & (a | b) is a

    def test_a_level_prints_as_manifests_write_it(
        self, levels: list[Effects], bottom: Effects, top: Effects
    ):
        for a in levels:
            assert type(a)[str(a).upper()] is a
            assert f"{a}" == str(a)


@both
def test_claims_join_associatively_commutatively_and_idempotently() -> None:
    for a, b, c in itertools.product(CLAIMS, repeat=3):
        assert (a | b) | c == a | (b | c)
        assert a | b == b | a
        assert a | a == a


@both
def test_the_strongest_claim_is_neutral_and_the_weakest_absorbs() -> None:
    for a in CLAIMS:
        assert a | STRONGEST == a
        assert a | WEAKEST == WEAKEST
        assert WEAKEST.covers(a)
        assert a.covers(STRONGEST)


@both
def test_covers_is_a_partial_order_whose_upper_bound_is_the_join() -> None:
    for a, b, c in itertools.product(CLAIMS, repeat=3):
        assert a.covers(a)
        assert (a.covers(b) and b.covers(a)) is (a == b)
        if a.covers(b) and b.covers(c):
            assert a.covers(c)
        assert (a | b).covers(a)
        if c.covers(a) and c.covers(b):
            assert c.covers(a | b)
        if a.covers(b):
            assert (a | c).covers(b | c)


@both
def test_neither_lattice_stands_in_for_the_other() -> None:
    cautious = Claim(Effects.EFFECTFUL, Determinism.STRICT)
    other = Claim(Effects.PURE, Determinism.NONDETERMINISTIC)
    assert not cautious.covers(other)
    assert not other.covers(cautious)
    assert cautious | other == WEAKEST


@both
def test_many_claims_join_in_any_order() -> None:
    for several in itertools.permutations(CLAIMS[:4]):
        assert join(several) == join(CLAIMS[:4])
    assert join([]) == STRONGEST
    assert join(iter(CLAIMS)) == WEAKEST
    assert join([*CLAIMS[:6], *CLAIMS[6:]]) == join([join(CLAIMS[:6]), join(CLAIMS[6:])])
