"""Guarantees: what is not said is unknown, and unknown never satisfies."""

import pytest
from core_caps.claims.guarantees import (
    GUARANTEES,
    UNKNOWN,
    AnyOf,
    AtLeast,
    Requirement,
    parse,
    satisfies,
    unmet,
)
from core_caps.errors import ManifestInvalid

EACH = [(name, value) for name, values in GUARANTEES.items() for value in values]


def requirements(guarantee: str) -> list[Requirement]:
    values = GUARANTEES[guarantee]
    return [
        *(AtLeast(value) for value in values),
        *(AnyOf(frozenset({value})) for value in values),
        AnyOf(frozenset(values)),
        AnyOf(frozenset()),
    ]


@pytest.mark.feature("DC-03")
@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_unknown_never_satisfies(guarantee: str) -> None:
    for needed in requirements(guarantee):
        assert not satisfies(UNKNOWN, needed, guarantee=guarantee)
        assert unmet({}, {guarantee: needed}) == {guarantee: needed}
        assert unmet(parse({}), {guarantee: needed}) == {guarantee: needed}


@pytest.mark.feature("DC-03")
@pytest.mark.parametrize(("guarantee", "promised"), EACH)
def test_at_least_holds_for_the_value_and_every_stronger_one(guarantee: str, promised: str) -> None:
    values = GUARANTEES[guarantee]
    satisfied = [
        value for value in values if satisfies(promised, AtLeast(value), guarantee=guarantee)
    ]
    assert satisfied == [*values[: values.index(promised) + 1]]


@pytest.mark.feature("DC-03")
@pytest.mark.parametrize(("guarantee", "promised"), EACH)
def test_any_of_holds_for_its_values_alone(guarantee: str, promised: str) -> None:
    others = frozenset(GUARANTEES[guarantee]) - {promised}
    assert satisfies(promised, AnyOf(frozenset({promised})), guarantee=guarantee)
    assert satisfies(promised, AnyOf(others | {promised}), guarantee=guarantee)
    assert not satisfies(promised, AnyOf(others), guarantee=guarantee)


@pytest.mark.feature("DC-03")
@pytest.mark.parametrize(
    ("promised", "needed"),
    [
        ("eventual", AtLeast("eventaul")),
        ("eventual", AtLeast(UNKNOWN)),
        (UNKNOWN, AtLeast("strong")),
        ("eventual", AnyOf(frozenset({"eventual", "eventaul"}))),
        ("eventual", AnyOf(frozenset({UNKNOWN}))),
        (UNKNOWN, AnyOf(frozenset({UNKNOWN}))),
        ("exact", AtLeast("eventual")),
    ],
)
def test_a_value_that_the_guarantee_does_not_have_is_an_error(
    promised: str, needed: Requirement
) -> None:
    with pytest.raises(ValueError, match="consistency has no value"):
        satisfies(promised, needed, guarantee="consistency")


@pytest.mark.feature("DC-03")
def test_a_guarantee_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        satisfies("fast", AtLeast("fast"), guarantee="speed")


@pytest.mark.feature("DC-03")
def test_what_is_declared_is_completed_with_unknown() -> None:
    guarantees = parse({"consistency": "eventual", "ttl": UNKNOWN})
    assert guarantees == {**dict.fromkeys(GUARANTEES, UNKNOWN), "consistency": "eventual"}


@pytest.mark.feature("DC-03")
def test_every_mistake_in_a_declaration_is_listed() -> None:
    with pytest.raises(ManifestInvalid) as refused:
        parse({"consistency": "strong", "speed": "fast", "ttl": "exact"})
    assert len(refused.value.findings) == 2
    assert "consistency = 'strong' is unknown; use eventual" in refused.value.findings[0]
    assert "guarantee 'speed' is unknown" in refused.value.findings[1]


@pytest.mark.feature("DC-03")
def test_the_unmet_requirements_alone_are_named() -> None:
    promised = parse({"consistency": "linearizable", "delivery": "at_least_once"})
    needed = {
        "consistency": AtLeast("per_key"),
        "delivery": AtLeast("exactly_once"),
        "durability": AtLeast("disk"),
    }
    assert [*unmet(promised, needed)] == ["delivery", "durability"]
