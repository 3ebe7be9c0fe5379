"""`certify`: a path that holds nothing to certify is bad input, a plugin that lies is refused."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flows_registry.commands.new import create
from flows_registry.main import main

pytestmark = pytest.mark.feature("DC-05")

Told = Callable[..., tuple[int, dict[str, Any]]]

MANIFEST = "src/cap_twin/capability.toml"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a plugin that passes."""
    monkeypatch.setenv("FLOWS_CACHE", str(tmp_path / "cache"))
    return create("cap-twin", tmp_path / "plugins")


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Iterator[Told]:
    """Certify a folder: the exit code, and the one object that is printed."""
    before = signal.getsignal(signal.SIGTERM)

    def run(folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
        code = main(["certify", str(folder), "--json", *more])
        return code, json.loads(capsys.readouterr().out)

    yield run
    signal.signal(signal.SIGTERM, before)


def _change(folder: Path, old: str, new: str) -> None:
    text = (folder / MANIFEST).read_text()
    assert old in text
    (folder / MANIFEST).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema = 1", "schema = ", "line 1"),
        ("schema = 1\n", "", "schema: is missing"),
        ('["get", ', '[5, "get", ', "capabilities.kv.operations[0]: must be a valid string"),
        ("mock:MockKv", "mock.MockKv", "backends.mock.providers.kv: "),
        ("[backends.mock]", "[[backends.mock]]", "backends.mock: must be"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_bad_input(
    plugin: Path, told: Told, old: str, new: str, says: str
) -> None:
    _change(plugin, old, new)
    code, report = told(plugin)
    assert code == 2
    assert report["error"]["code"] == "CAP106"
    assert str(plugin / MANIFEST) in report["error"]["message"]
    assert report["error"]["fix"]
    assert any(says in each for each in (report["error"]["message"], *report["error"]["findings"]))


def test_it_is_bad_input_where_only_the_build_writes_it_too(plugin: Path, told: Told) -> None:
    (plugin / MANIFEST).rename(plugin / "made.toml")
    with (plugin / "pyproject.toml").open("a") as project:
        project.write(
            "\n[tool.hatch.build.targets.wheel.force-include]\n"
            '"made.toml" = "cap_twin/capability.toml"\n'
        )
    text = (plugin / "made.toml").read_text()
    (plugin / "made.toml").write_text(text.replace("schema = 1", "schema = 2"))
    code, report = told(plugin, "--check", "package")
    assert (code, report["error"]["code"]) == (2, "CAP106")
    assert any("schema" in each for each in report["error"]["findings"])


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        (
            "[data]",
            '[capabilities.kv.deviations.put]\nhints = ["resource::kv::wirte"]\n\n[data]',
            "EFFECT202",
            "capabilities.kv.deviations.put.hints[0]: unknown hint 'resource::kv::wirte'",
        ),
        (
            "[data]",
            '[capabilities.kv.deviations.put]\neffects = "pure"\n\n[data]',
            "EFFECT201",
            "capabilities.kv.deviations.put.effects: pure is below effectful",
        ),
        ('["get",', '["get", "get",', "CAP106", "capabilities.kv.operations[1]: "),
        ("mock:MockKv", "mock:MockKV", "PACKAGE012", "has no attribute 'MockKV'"),
    ],
)
def test_a_plugin_whose_readable_manifest_is_not_true_is_refused_once(
    plugin: Path,
    told: Told,
    old: str,
    new: str,
    code: str,
    says: str,
) -> None:
    _change(plugin, old, new)
    ended, report = told(plugin)
    assert (ended, report["verdict"], report["subject"]) == (1, "refused", "cap-twin")
    (finding,) = [finding for check in report["checks"] for finding in check["findings"]]
    assert finding["code"] == code
    assert says in finding["message"]


def test_a_hint_that_is_misspelt_is_answered_with_the_nearest(plugin: Path, told: Told) -> None:
    _change(plugin, "[data]", "[capabilities.kv.deviations]\nput.hints = ['kv_wirte']\n\n[data]")
    _, report = told(plugin, "--check", "package")
    assert "did you mean 'resource::kv::write'?" in report["checks"][0]["findings"][0]["fix"]


def test_a_plugin_that_cannot_be_opened_is_called_by_its_folder(
    plugin: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    _change(plugin, "mock:MockKv", "mock:MockKV")
    monkeypatch.chdir(plugin)
    assert told(Path())[1]["subject"] == "cap-twin"
