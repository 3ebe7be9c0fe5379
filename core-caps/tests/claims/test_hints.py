"""Hints: matched by whole segments, with floors that refuse too strong a claim."""

import itertools

import pytest
from core_caps.claims.hints import HINTS, Hint, Hints, canonical, covers
from core_caps.claims.lattice import WEAKEST, Claim, Determinism, Effects, join
from core_caps.errors import (
    DeterminismTooStrong,
    EffectTooSmall,
    ManifestInvalid,
    UnknownHint,
)
from hypothesis import given
from hypothesis import strategies as st

CLAIMS = [Claim(*pair) for pair in itertools.product(Effects, Determinism)]
SEGMENTS = st.lists(st.text("abkv_-0", min_size=1, max_size=4), min_size=1, max_size=4)

MAIL = Hint("resource::mail::send", Claim(Effects.EFFECTFUL, Determinism.BEST_EFFORT))
MAIL_READ = Hint("resource::mail::read", Claim(Effects.READ_ONLY, Determinism.BEST_EFFORT))

hints = pytest.mark.feature("DC-03")


@hints
@pytest.mark.parametrize(
    ("path", "effects", "determinism"),
    [
        ("resource::http::read", "read_only", "best_effort"),
        ("resource::http::read::pinned", "read_only", "stable"),
        ("resource::http::write", "effectful", "best_effort"),
        ("resource::kv::read", "read_only", "best_effort"),
        ("resource::kv::write", "effectful", "best_effort"),
        ("resource::blob::read", "read_only", "best_effort"),
        ("resource::blob::read::pinned", "read_only", "strict"),
        ("resource::blob::write", "effectful", "best_effort"),
        ("resource::queue::publish", "effectful", "best_effort"),
        ("resource::queue::consume", "effectful", "best_effort"),
        ("resource::do::read", "read_only", "best_effort"),
        ("resource::do::write", "effectful", "best_effort"),
        ("resource::db::read", "read_only", "best_effort"),
        ("resource::db::write", "effectful", "best_effort"),
        ("resource::db::admin", "effectful", "best_effort"),
        ("resource::dedupe::write", "effectful", "best_effort"),
        ("resource::payment::read", "read_only", "best_effort"),
        ("resource::payment::write", "effectful", "best_effort"),
        ("resource::clock", "pure", "best_effort"),
        ("resource::rng", "pure", "best_effort"),
        ("resource::ai::read", "read_only", "nondeterministic"),
        ("resource::ai::read::pinned", "read_only", "stable"),
    ],
)
def test_the_floors(path: str, effects: str, determinism: str) -> None:
    assert str(HINTS[path].floor) == f"{effects}, {determinism}"


@hints
@given(SEGMENTS, SEGMENTS)
def test_a_family_covers_by_whole_segments(family: list[str], below: list[str]) -> None:
    path = "::".join(["resource", *family])
    assert covers(path, path)
    assert covers(path, "::".join([path, *below]))
    assert not covers(path, path + "x")
    assert not covers("::".join([path, *below]), path)


@hints
def test_a_name_that_only_begins_alike_is_another_family() -> None:
    assert covers("resource::http", "resource::http::read")
    assert not covers("resource::http", "resource::httpx::read")
    assert not covers("resource::httpx", "resource::http::read")
    assert not covers("resource::kv::read", "resource::kv::write")


@hints
def test_the_short_form_is_an_alias() -> None:
    assert canonical("kv_write") == "resource::kv::write"
    assert canonical("resource::kv::write") == "resource::kv::write"
    assert HINTS["kv_write"] is HINTS["resource::kv::write"]
    assert "http_read_pinned" in HINTS
    assert covers("kv", "kv_write")


@hints
def test_every_hint_has_its_alias() -> None:
    for path, hint in HINTS.items():
        assert HINTS[path.removeprefix("resource::").replace("::", "_")] is hint
        assert hint.path == path
        assert covers(hint.family, path)


@hints
def test_the_vocabulary_is_a_mapping() -> None:
    assert dict(HINTS) == {path: HINTS[path] for path in HINTS}
    assert len(HINTS) == len({*HINTS})
    assert HINTS.get("resource::nothing") is None
    assert HINTS.get("kv_read") is HINTS["resource::kv::read"]
    assert "resource::nothing" not in HINTS
    assert 7 not in HINTS


@hints
@pytest.mark.parametrize(
    ("wrong", "suggested"),
    [
        ("resource::kv::reed", "resource::kv::read, resource::kv::write"),
        ("resource::kv::reed", "did you mean 'resource::kv::read'? the family has: "),
        ("kvs_write", "did you mean 'resource::kv::write'? known families: "),
        ("resource::kv", "resource::kv::read, resource::kv::write"),
        ("kv", "resource::kv::read"),
        ("resource::httpx::read", "known families: resource::ai, resource::blob"),
        ("feedback", "known families"),
        ("", "known families"),
    ],
)
def test_an_unknown_hint_is_an_error_and_never_unconstrained(wrong: str, suggested: str) -> None:
    with pytest.raises(UnknownHint) as refused:
        HINTS[wrong]
    assert refused.value.code == "EFFECT202"
    assert suggested in refused.value.hint
    assert repr(wrong) in str(refused.value)
    with pytest.raises(UnknownHint):
        HINTS.check(WEAKEST, [wrong], subject="node")
    with pytest.raises(UnknownHint):
        HINTS.floor([wrong])


@hints
def test_what_resembles_no_hint_is_not_guessed() -> None:
    with pytest.raises(UnknownHint) as refused:
        HINTS["resource::mail::send"]
    assert refused.value.hint.startswith("known families: ")


@pytest.mark.feature("DC-03", "W2-02")
def test_effects_below_the_floor_are_refused() -> None:
    claim = Claim(Effects.READ_ONLY, Determinism.BEST_EFFORT)
    with pytest.raises(EffectTooSmall) as refused:
        HINTS.check(claim, ["kv_read", "kv_write"], subject="node 'save'")
    assert refused.value.code == "EFFECT201"
    assert "node 'save' declares effects read_only" in refused.value.message
    assert "resource::kv::write is at least effectful" in refused.value.message
    assert "'effectful'" in refused.value.hint


@pytest.mark.feature("DC-03", "W2-02")
def test_determinism_stronger_than_the_floor_is_refused() -> None:
    claim = Claim(Effects.READ_ONLY, Determinism.STRICT)
    with pytest.raises(DeterminismTooStrong) as refused:
        HINTS.check(claim, ["resource::kv::read"], subject="node 'look'")
    assert refused.value.code == "DET302"
    assert "node 'look' claims determinism strict" in refused.value.message
    assert "resource::kv::read allows at most best_effort" in refused.value.message
    assert "'best_effort'" in refused.value.hint


@pytest.mark.feature("DC-03", "W2-02")
@given(st.sampled_from(CLAIMS), st.lists(st.sampled_from([*HINTS]), max_size=4))
def test_a_claim_passes_exactly_when_it_covers_the_joined_floor(
    claim: Claim, paths: list[str]
) -> None:
    floor = join(HINTS[path].floor for path in paths)
    assert HINTS.floor(paths) == floor
    if claim.covers(floor):
        HINTS.check(claim, paths, subject="node")
        return
    with pytest.raises((EffectTooSmall, DeterminismTooStrong)):
        HINTS.check(claim, paths, subject="node")


@hints
def test_a_third_party_brings_its_own_family() -> None:
    wider = HINTS.with_families([MAIL], owner="cap-mail")
    assert wider["mail_send"] == MAIL
    assert "resource::mail::send" not in HINTS
    assert len(wider) == len(HINTS) + 1
    with pytest.raises(EffectTooSmall):
        wider.check(MAIL_READ.floor, ["resource::mail::send"], subject="node")


@hints
def test_a_hint_declared_twice_alike_is_one_hint() -> None:
    once = HINTS.with_families([MAIL], owner="cap-mail")
    assert dict(once.with_families([MAIL], owner="cap-other")) == dict(once)
    known = HINTS["resource::kv::read"]
    assert dict(HINTS.with_families([known], owner="cap-kv")) == dict(HINTS)


@hints
def test_the_order_of_two_owners_makes_no_difference() -> None:
    first, second = [MAIL], [MAIL, MAIL_READ]
    one = HINTS.with_families(first, owner="a").with_families(second, owner="b")
    other = HINTS.with_families(second, owner="b").with_families(first, owner="a")
    assert dict(one) == dict(other)


@hints
@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ([Hint("resource::kv::read", WEAKEST)], "already declared with read_only, best_effort"),
        ([Hint("resource::kv::peek", MAIL_READ.floor)], "resource::kv is already declared"),
        ([Hint("resource::clock::tick", MAIL_READ.floor)], "resource::clock is already declared"),
        ([MAIL, Hint(MAIL.path, WEAKEST)], "already declared with effectful, best_effort"),
        ([Hint("resource::mail::Send", MAIL.floor)], "no path of a hint"),
        ([Hint("resource::mail::", MAIL.floor)], "no path of a hint"),
        ([Hint("resource:mail", MAIL.floor)], "no path of a hint"),
        ([Hint("mail::send", MAIL.floor)], "no path of a hint"),
        ([Hint("resource", MAIL.floor)], "no path of a hint"),
        ([Hint("", MAIL.floor)], "no path of a hint"),
    ],
)
def test_a_clash_is_refused_and_names_the_owner(declared: list[Hint], message: str) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        HINTS.with_families(declared, owner="cap-mail")
    assert message in refused.value.message
    assert refused.value.message.startswith("cap-mail declares")
    assert refused.value.hint
    assert refused.value.code == "CAP106"


@hints
def test_a_clash_of_two_third_parties_is_refused() -> None:
    wider = HINTS.with_families([MAIL], owner="cap-mail")
    with pytest.raises(ManifestInvalid, match=r"cap-post declares resource::mail::send"):
        wider.with_families([Hint(MAIL.path, WEAKEST)], owner="cap-post")


@hints
def test_a_vocabulary_of_ones_own_is_closed_unless_it_says_otherwise() -> None:
    with pytest.raises(ManifestInvalid):
        Hints([MAIL]).with_families([MAIL_READ], owner="cap-post")
    opened = Hints([MAIL], closed=()).with_families([MAIL_READ], owner="cap-post")
    assert {*opened} == {MAIL.path, MAIL_READ.path}
