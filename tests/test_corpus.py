"""What the corpus shows beyond its recall: each side and axis alone, other names, other places."""

import datetime as dt
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flows_registry.certify.run import CHECKS, Options, certify
from flows_registry.certify.subject_of import subject_of
from flows_registry.checks.determinism.axes import AXES, REPEAT
from flows_registry.checks.determinism.replay import replayed
from flows_registry.checks.determinism.world import MOVED, OVERWRITTEN
from flows_registry.checks.effects.check import SIDES
from flows_registry.checks.effects.evidence import gathered
from flows_registry.checks.package import check_package
from flows_registry.checks.plan import Plan
from flows_registry.corpus import bases, twins, variants
from flows_registry.corpus.twin import Twin
from flows_registry.lab.lab import Lab
from flows_registry.lab.uv import Uv
from flows_registry.policy.policy import Policy
from flows_registry.policy.reading import built_in, read_text
from flows_registry.verdict import Certification, Finding, Verdict

ROOMS = 2
TODAY = dt.date(2026, 11, 1)


TWINS = {twin.name: twin for twin in twins.TWINS}

EVERYWHERE = (
    "a read writes on its error path",
    "the clock in the output",
    "401 swallowed into None",
    "delete twice fails",
)
"""Twins that are tried under other names and with the defect in another module, too."""


def _alone(check: str) -> list[str]:
    return [twin.name for twin in twins.TWINS if twin.check == check and twin.alone]


def _alone_by_axis(name: str) -> bool:
    """Addresses are others in every process, whatever else its profile changes."""
    return TWINS[name].alone in AXES


def _by(check: str) -> list[str]:
    return [twin.name for twin in twins.TWINS if twin.check == check and _runs(twin)]


def _runs(twin: Twin) -> bool:
    """Whether it can be certified and is then refused; the self-test alone tries the others."""
    return twin.verdict is Verdict.REFUSED and "POLICY001" not in twin.codes


@contextmanager
def planned(plugin: Path, scratch: Path, *, rooms: int) -> Generator[Plan]:
    """The plan that certifying the plugin's folder follows, its lab at work."""
    _, built = check_package(plugin, scratch / "package", uv=Uv())
    assert built is not None
    with zipfile.ZipFile(built.wheel.path) as archive:
        archive.extractall(scratch / "unpacked")
    subject, made = subject_of(built), built.environment
    with Lab(subject, made.python, made.site_packages, scratch, jobs=rooms) as lab:
        yield Plan(subject, lab, str(plugin), sources=scratch / "unpacked")


def _disguised(files: dict[str, str], base: str, edited: list[str]) -> dict[str, str]:
    return variants.renamed(variants.moved(files, [bases.path_of(base, file) for file in edited]))


def _shown(certification: Certification) -> str:
    return "\n".join(
        f"{result.check} {result.backend} {result.verdict.value} {finding.code} "
        f"{finding.message}: {finding.observed[:300]}"
        for result in certification.checks
        for finding in result.findings
    )


def _is_refused(twin: Twin, files: dict[str, str], folder: Path) -> list[Finding]:
    """The check that is meant refuses, for the reason that is meant, and says all that helps."""
    path = bases.write(files, folder / "plugin")
    checks = tuple(dict.fromkeys(("package", twin.check)))
    found = certify(Options(path, checks=checks, only=twin.only, jobs=ROOMS, policy=_policy(twin)))
    assert found.as_json()["verdict"] == "refused", _shown(found)
    refusing = [result for result in found.checks if result.verdict is Verdict.REFUSED]
    assert {result.check for result in refusing} == {twin.check}, _shown(found)
    findings = [finding for result in refusing for finding in result.findings]
    assert set(twin.codes) <= {finding.code for finding in findings}, _shown(found)
    for finding in findings:
        assert finding.message
        assert finding.promised
        assert finding.observed
        assert finding.fix
        assert "canary-" not in str(finding), "it shows a credential"
        if twin.check != "package":
            assert twin.check in finding.reproduce.command
    for result in refusing:
        assert result.cases > 0, "a check that ran nothing refused"
    return findings


def _policy(twin: Twin) -> Policy:
    return read_text(twin.policy, "policy.toml", TODAY) if twin.policy else built_in()


def _is_certified(path: Path) -> None:
    checks = tuple(check for check in CHECKS if check != "parity")
    found = certify(Options(path, checks=checks, jobs=ROOMS))
    # Every check but parity: a part certifies nothing, it passes.
    assert found.as_json()["verdict"] == "passed", _shown(found)
    assert {result.check for result in found.checks} == set(checks)
    assert all(result.cases > 0 for result in found.checks)


@pytest.mark.slow
@pytest.mark.feature("DC-05")
def test_a_sound_plugin_is_certified_under_any_names(tmp_path: Path) -> None:
    files = _disguised(bases.files_of("pure"), "pure", ["mock.py", "limits.py", "cursors.py"])
    _is_certified(bases.write(files, tmp_path / "pure"))


@pytest.mark.slow
@pytest.mark.feature("P4-01", "CK-01")
@pytest.mark.parametrize("name", _alone("effects"))
def test_without_one_of_its_sides_the_effects_check_is_blind(name: str, tmp_path: Path) -> None:
    twin = TWINS[name]
    path = bases.write(bases.made(twin), tmp_path / "plugin")
    with planned(path, tmp_path / "lab", rooms=ROOMS) as plan:
        evidence = gathered(plan, "remote", plan.baselines("remote"))
        found = {side.__name__: list(side(evidence)) for side in SIDES}
    assert {side for side, findings in found.items() if findings} == {twin.alone}, found


@pytest.mark.slow
@pytest.mark.feature("P4-02", "CK-02", "S3-02")
@pytest.mark.parametrize("name", _by("determinism"))
def test_the_determinism_check_refuses(name: str, tmp_path: Path) -> None:
    twin = TWINS[name]
    for finding in _is_refused(twin, bases.made(twin), tmp_path):
        assert f"depends on the {twin.alone}" in finding.message
        assert "differs at byte" in finding.observed
        if "in the output" in name:
            assert f"; read at corpus_{twin.base}/mock.py:" in finding.observed


@pytest.mark.slow
@pytest.mark.feature("P4-02", "CK-02")
@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (
            "bool(self._clock.now() > 2_010_000_000 and os.getenv('USER'))",
            "the clock and the environment together",
        ),
        ("[self._clock.now(), os.getcwd()]", "the clock, and on the working directory"),
    ],
)
def test_what_matters_together_and_what_matters_by_itself_is_told_apart(
    seen: str, told: str, tmp_path: Path
) -> None:
    edits = [
        ("mock.py", "import json\n", "import json\nimport os\n"),
        (
            "mock.py",
            "Entry(stored.value, _parsed(stored))",
            f'Entry(stored.value, {{"seen": {seen}}})',
        ),
    ]
    path = bases.write(bases.edited(bases.files_of("pure"), "pure", edits), tmp_path / "plugin")
    options = Options(path, checks=("determinism",), only="get_with_metadata", jobs=1)
    findings = [f for check in certify(options).checks for f in check.findings]
    assert {finding.message.partition(" (and")[0] for finding in findings} == {
        f"get_with_metadata depends on {told}"
    }


@pytest.mark.slow
@pytest.mark.feature("P4-02", "CK-02")
@pytest.mark.parametrize("name", [name for name in _alone("determinism") if _alone_by_axis(name)])
def test_one_axis_alone_finds_the_dependency(name: str, tmp_path: Path) -> None:
    twin = TWINS[name]
    path = bases.write(bases.made(twin), tmp_path / "plugin")
    backend = "mock" if twin.base == "pure" else "remote"
    with planned(path, tmp_path / "lab", rooms=1) as plan:
        shown = [b for b in plan.baselines(backend) if b.name == twin.only]
        groups = [(profile, shown) for profile in (REPEAT, *AXES.values())]
        found = {
            profile.name
            for (profile, _), group in zip(groups, replayed(plan, backend, groups), strict=True)
            if any(difference for _, difference in group)
        }
    assert found == {twin.alone}


@pytest.mark.slow
@pytest.mark.feature("DC-05", "P4-01", "P4-02", "P4-03", "P4-04")
@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_defect_is_refused_under_other_names_and_in_another_place(
    name: str, tmp_path: Path
) -> None:
    twin = TWINS[name]
    files = _disguised(bases.made(twin), twin.base, [edit.file for edit in twin.edits])
    _is_refused(twin, files, tmp_path)


@pytest.mark.feature("DC-05")
def test_every_check_and_every_base_has_its_twins() -> None:
    assert {twin.check for twin in twins.TWINS} == {check for check in CHECKS if check != "parity"}
    assert {twin.base for twin in twins.TWINS} == {*bases.BASES}
    assert len(TWINS) == len(twins.TWINS) >= 16
    assert {TWINS[name].alone for name in _alone("effects")} == {side.__name__ for side in SIDES}
    causes = {*AXES, REPEAT.name, MOVED, OVERWRITTEN}
    assert {TWINS[name].alone for name in _alone("determinism")} == causes
    assert {TWINS[name].check for name in EVERYWHERE} >= {
        "effects", "determinism", "contract", "injection",
    }  # fmt: skip
    for twin in twins.TWINS:
        changed = bases.made(twin)
        whole = bases.files_of(twin.base)
        assert {path for path in whole if whole[path] != changed[path]}
