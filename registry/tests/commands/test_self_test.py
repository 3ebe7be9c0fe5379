"""`certify --self-test`: the certifier is tried, and one that is broken is found out."""

import json
from collections.abc import Callable
from typing import Any

import flows_registry.checks.injection.check as injection
import pytest
from flows_registry.certify.self_test import Asked, chosen
from flows_registry.corpus import bases
from flows_registry.corpus.public import ELSEWHERE, PUBLIC, SOUND_ITEMS
from flows_registry.corpus.sound import SOUND
from flows_registry.corpus.twins import TWINS
from flows_registry.lab.lab import RoomBroken
from flows_registry.main import main
from flows_registry.verdict import CheckResult, Finding, Level, Verdict

pytestmark = pytest.mark.feature("DC-05")

TWIN = "delete twice fails"
PURE = "a pure plugin with no network"

Told = Callable[..., tuple[int, dict[str, Any]]]
Check = Callable[..., CheckResult]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """The exit code and the object printed for a part of the corpus and the injection check."""

    def ask(case: str, *more: str) -> tuple[int, dict[str, Any]]:
        words = ["certify", "--self-test", "--check", "injection", "--case", case, "--json"]
        code = main([*words, *more])
        return code, json.loads(capsys.readouterr().out)

    return ask


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[Check], None]:
    """Puts something else in the place of the injection check."""

    def put(check: Check) -> None:
        monkeypatch.setattr(injection, "check_injection", check)

    return put


def _passes(plan: Any, backend: str, baselines: Any) -> CheckResult:
    return CheckResult("injection", backend, Verdict.PASSED, 1)


def _refuses(plan: Any, backend: str, baselines: Any) -> CheckResult:
    finding = Finding("INJECT001", "this check refuses whatever it sees")
    return CheckResult("injection", backend, Verdict.REFUSED, 1, (finding,))


def _says_little(plan: Any, backend: str, baselines: Any) -> CheckResult:
    (code,) = next(twin.codes for twin in TWINS if twin.name == TWIN)
    finding = Finding(code, "the right code, and nothing that helps", "", "")
    return CheckResult("injection", backend, Verdict.REFUSED, 1, (finding,))


def _breaks(plan: Any, backend: str, baselines: Any) -> CheckResult:
    raise RoomBroken("the room is gone")


def _stumbles(plan: Any, backend: str, baselines: Any) -> CheckResult:
    raise ZeroDivisionError("nothing is divided by nothing")


@pytest.mark.slow
def test_a_twin_is_found_and_a_sound_plugin_passes(told: Told) -> None:
    code, found = told(TWIN)
    assert (code, found["whole"]) == (0, True)
    assert found["recall"] == {"injection": {"found": 1, "all": 1}}
    assert [plugin["verdict"] for plugin in found["plugins"]] == ["refused"]
    code, found = told(PURE)
    assert (code, found["recall"], found["false_refusals"], found["sound"]) == (0, {}, [], 1)
    assert [plugin["verdict"] for plugin in found["plugins"]] == ["passed"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("twin", "check", "verdict"),
    [
        ("a waiver that never ends", "policy", "refused"),
        ("a plugin that leaves nothing to see", "effects", "inconclusive"),
    ],
)
def test_what_cannot_be_certified_is_found_too(
    twin: str, check: str, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["certify", "--self-test", "--check", check, "--case", twin, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["recall"] == {check: {"found": 1, "all": 1}}
    assert [plugin["verdict"] for plugin in found["plugins"]] == [verdict]


@pytest.mark.slow
@pytest.mark.parametrize("check", [_passes, _refuses, _breaks, _stumbles])
def test_only_the_intended_reason_is_a_find(
    check: Check, told: Told, broken: Callable[[Check], None]
) -> None:
    broken(check)
    code, found = told(TWIN)
    assert (code, found["whole"], found["missed"]) == (1, False, [TWIN])
    assert found["recall"] == {"injection": {"found": 0, "all": 1}}
    assert found["plugins"][0]["told"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "where"),
    [(_refuses, "false_refusals"), (_breaks, "unproved"), (_stumbles, "unproved")],
    ids=("refuses", "breaks", "stumbles"),
)
def test_a_sound_plugin_must_pass(
    check: Check, where: str, told: Told, broken: Callable[[Check], None]
) -> None:
    broken(check)
    code, found = told(PURE)
    assert (code, found["whole"]) == (1, False)
    assert found[where] == [PURE]


@pytest.mark.slow
def test_a_certifier_that_stumbles_says_so_and_goes_on(
    told: Told, broken: Callable[[Check], None]
) -> None:
    def stumbles_first(plan: Any, backend: str, baselines: Any) -> CheckResult:
        return (_passes if plan.seed else _stumbles)(plan, backend, baselines)

    broken(stumbles_first)
    code, found = told(PURE, "--flake", "2")
    assert (code, found["sound"], found["unproved"]) == (1, 2, [PURE])
    assert [plugin["as_meant"] for plugin in found["plugins"]] == [False, True]
    assert "ZeroDivisionError in _stumbles (test_self_test.py)" in found["plugins"][0]["told"]


@pytest.mark.slow
def test_the_level_is_that_of_the_run(told: Told) -> None:
    code, found = told(TWIN, "--level", "L1")
    assert (code, found["level"], found["recall"]) == (
        0,
        "L1",
        {"injection": {"found": 1, "all": 1}},
    )
    assert [plugin["level"] for plugin in found["plugins"]] == ["L1"]


@pytest.mark.slow
def test_runs_that_disagree_are_counted(told: Told, broken: Callable[[Check], None]) -> None:
    def moody(plan: Any, backend: str, baselines: Any) -> CheckResult:
        return (_refuses if plan.seed == 2 else _passes)(plan, backend, baselines)

    broken(moody)
    code, found = told(PURE, "--flake", "3")
    assert (code, found["sound"], found["recall"]) == (1, 3, {})
    assert found["disagreeing"] == [f"{PURE} (seed 2)"]


@pytest.mark.parametrize(
    "words",
    [
        ("--check", "parity"),
        ("--check", "nonsense"),
        ("--case", "no plugin is called so"),
        ("--flake", "1"),
        ("--jobs", "0"),
        ("--policy", "policy.toml"),
        ("somewhere",),
    ],
)
def test_what_cannot_be_asked_is_usage(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["certify", *words[:1], *words[1:], "--self-test"]) == 2
    assert "→" in capsys.readouterr().err


def test_something_is_named_to_certify(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certify"]) == 2
    assert main(["certify", "--flake", "3", "somewhere"]) == 2
    assert "--self-test" in capsys.readouterr().err


def test_what_shows_only_from_a_higher_level_on_is_left_out() -> None:
    tried = {level: {plugin.name for plugin in chosen(Asked(level=level))} for level in Level}
    higher = {twin.name for twin in TWINS if twin.level > Level.INTERPRETER}
    assert higher
    assert tried[Level.WIRE] - tried[Level.INTERPRETER] == higher
    assert tried[Level.ISOLATED] == {plugin.name for plugin in (*TWINS, *SOUND)}


def test_every_item_of_the_public_list_has_its_plugin() -> None:
    assert set(PUBLIC.values()) <= {twin.name for twin in TWINS}
    assert set(SOUND_ITEMS.values()) <= {sound.name for sound in SOUND}
    assert not ELSEWHERE.keys() & (PUBLIC.keys() | SOUND_ITEMS.keys())
    assert len(TWINS) >= 38
    assert len(SOUND) >= 14


@pytest.mark.parametrize("plugin", [*TWINS, *SOUND], ids=lambda plugin: plugin.name)
def test_every_plugin_of_the_corpus_can_be_made_and_is_another_one(plugin: Any) -> None:
    made, base = bases.made(plugin), bases.files_of(plugin.base)
    assert (made != base) == bool(plugin.edits)
    for path, text in made.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
