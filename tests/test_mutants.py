"""The run over mutants notices what a test notices, and says what none does."""

import ast
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from mutants.equivalent import Equivalent, read, unused
from mutants.operators import OPERATORS, Mutant, mutants_of
from mutants.reach import measured, of_tests
from mutants.report import Run
from mutants.trying import KILLED, SURVIVED, Tried, tried

VERDICT = """\
def judged(findings, cases):
    if cases < 3:
        return "inconclusive"
    for finding in findings:
        if not finding.refuses:
            continue
        return "refused"
    return "passed"
"""
WEAK = """\
from types import SimpleNamespace

from tiny.verdict import judged


def test_what_refuses():
    found = [SimpleNamespace(refuses=False), SimpleNamespace(refuses=True)]
    assert judged(found, 9) == "refused"


def test_what_does_not():
    assert judged([SimpleNamespace(refuses=False)], 9) == "passed"
"""
STRONG = """

def test_the_fewest_cases():
    assert (judged([], 2), judged([], 3)) == ("inconclusive", "passed")
"""
ON_THE_BOUND = {"tiny.verdict:2:comparison-changed:1", "tiny.verdict:2:bound-moved:1"}

CHANGES = {
    "finding-lost": ("def f(one, found):\n    found.append(one)\n", "    pass"),
    "refusal-lost": ("def f():\n    raise ValueError\n", "    pass"),
    "verdict-made-better": (
        "def f():\n    return Verdict.INCONCLUSIVE\n",
        "    return Verdict.PASSED",
    ),
    "condition-negated": (
        "def f(a):\n    return 1 if a else 2\n",
        "    return 1 if (not (a)) else 2",
    ),
    "comparison-changed": ("def f(a):\n    return a < 3\n", "    return a <= 3"),
    "and-for-or": ("def f(a, b):\n    return a and b\n", "    return (a or b)"),
    "any-for-all": ("def f(a):\n    return any(a)\n", "    return all(a)"),
    "way-out-lost": ("def f(a):\n    for _ in a:\n        continue\n", "        pass"),
    "bound-moved": ("SIZE_MAX = 40\n", "SIZE_MAX = 41"),
}


def _mutants() -> list[Mutant]:
    return mutants_of("tiny.verdict", VERDICT.encode())


@pytest.fixture
def fates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    """The fates of the mutants of a small package under these tests."""
    package = tmp_path / "tiny"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "verdict.py").write_text(VERDICT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)

    def find_out(tests: str) -> dict[str, str]:
        file = tmp_path / "test_verdict.py"
        file.write_text(tests)
        asked = {"its tests": partial(of_tests, file, package)}
        witnesses, broken = measured(
            asked, tmp_path / "kept", jobs=1, told=lambda name, ended: None
        )
        assert not broken
        ended = tried(_mutants(), witnesses, books_max=0, jobs=2)
        return {each.mutant.name: each.fate for each in ended}

    return find_out


@pytest.mark.feature("DC-05")
def test_what_a_test_notices_is_killed_and_the_rest_survives(
    fates: Callable[[str], dict[str, str]],
) -> None:
    found = fates(WEAK)
    assert {name for name, fate in found.items() if fate == SURVIVED} == ON_THE_BOUND
    assert {fate for name, fate in found.items() if name not in ON_THE_BOUND} == {KILLED}
    assert len(found) == len(_mutants())


@pytest.mark.feature("DC-05")
def test_a_stronger_test_kills_them_all(fates: Callable[[str], dict[str, str]]) -> None:
    assert set(fates(WEAK + STRONG).values()) == {KILLED}


def test_every_operator_has_its_example() -> None:
    assert CHANGES.keys() == OPERATORS.keys()


@pytest.mark.parametrize("operator", CHANGES)
def test_an_operator_changes_one_thing(operator: str) -> None:
    source, changed = CHANGES[operator]
    (mutant,) = [m for m in mutants_of("m", source.encode()) if f":{operator}:" in m.name]
    assert [line[1:] for line in mutant.diff.splitlines() if line.startswith("+")] == [changed]
    assert len(ast.parse(mutant.source).body) == len(ast.parse(source).body)


def test_what_is_said_and_what_is_annotated_is_left_alone() -> None:
    source = 'def f(a: "b < 3") -> None:\n    assert a < 3\n    print(f"{a < 3}")\n'
    assert mutants_of("m", source.encode()) == []


def test_a_mutant_is_explained_by_what_it_changes_wherever_it_stands() -> None:
    mutant = next(m for m in _mutants() if m.name in ON_THE_BOUND)
    moved = mutants_of("tiny.verdict", b"\n\n" + VERDICT.encode())
    known = Equivalent("verdict", "if cases < 3:", "if cases <= 3:", "there are never three")
    survived = Tried(mutant, SURVIVED, "", 0.0)
    assert not Run([], [survived]).is_whole
    assert Run([known], [survived]).is_whole
    assert unused([known], moved) == []
    assert unused([replace(known, new="if cases <= 4:")], moved)


def test_what_is_listed_has_a_reason(tmp_path: Path) -> None:
    listed = tmp_path / "equivalent.toml"
    listed.write_text("[[equivalent]]\nmodule = 'a'\nold = 'b'\nnew = 'c'\nreason = ''\n")
    with pytest.raises(ValueError, match="without a reason"):
        read(listed)
    assert all(each.reason for each in read())
