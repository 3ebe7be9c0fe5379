"""`new`: what it makes certifies as it stands, and it never touches what is there."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from flows_registry.checks.package import check_package
from flows_registry.commands.new import NameRefused, create
from flows_registry.lab.environment import make_environment
from flows_registry.lab.uv import Uv
from flows_registry.lab.workspace import companions
from flows_registry.main import main
from flows_registry.verdict import Verdict

from .conftest import Installation

pytestmark = pytest.mark.feature("DC-01", "DC-05")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.getbasetemp() / "flows-cache"
    monkeypatch.setenv("FLOWS_CACHE", str(cache))


@pytest.mark.parametrize(
    "name", ["cap-acme", "cap-acme-kv", "cap-3scale", "cap-s3-v2", "cap-class", "cap-7", "cap-none"]
)
def test_the_skeleton_passes_the_package_check(tmp_path: Path, name: str) -> None:
    folder = create(name, tmp_path)
    result, built = check_package(folder, tmp_path / "scratch")
    assert result.findings == ()
    assert result.verdict is Verdict.PASSED
    assert built is not None
    assert built.manifest.name == name.removeprefix("cap-")
    assert set(built.manifest.backends) == {"mock"}


@pytest.mark.feature("DC-04", "CK-05")
def test_its_own_tests_pass_against_the_wheel_outside_of_this_repository(tmp_path: Path) -> None:
    folder = create("cap-acme", tmp_path)
    _, built = check_package(folder, tmp_path / "scratch")
    assert built is not None
    beside = companions(built.wheel, ("test",), uv=Uv(), scratch=tmp_path)
    wanted = [built.wheel.requirement(("test",)), *(each.requirement() for each in beside)]
    environment = make_environment(wanted, uv=Uv(), scratch=tmp_path / "e")
    done = subprocess.run(
        [str(environment.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.slow
@pytest.mark.feature("DC-01", "DC-05")
def test_what_its_readme_says_to_run_runs_where_the_command_is(
    installation: Installation, tmp_path: Path
) -> None:
    installation.uv("install", "pip")
    folder = create("cap-acme", tmp_path)
    (commands,) = re.findall(r"```sh\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    path = f"{installation.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    installation.uv("uninstall", "cap-acme")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "certified at L" in done.stdout
    assert re.search(r"\d+ passed", done.stdout)


@pytest.mark.parametrize(
    "name",
    [
        "cap-", "cap", "class", "acme", "cap-Acme", "CAP-ACME", "cap-ä", "cap-acme-", "cap--acme",
        "cap_acme", "cap-a.b", "../cap-acme", "cap-../x", "/tmp/cap-x", "cap-a/b", "cap-a\\b",
        "", " cap-a", "cap-a b", "cap-a\n", "cap-a\x00", "cap-" + "a" * 80, "cap-٣",
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_used(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NameRefused) as raised:
        create(name, tmp_path)
    assert raised.value.hint
    assert list(tmp_path.iterdir()) == []
    assert main(["new", name, "--into", str(tmp_path)]) == 2
    assert "PACKAGE015" in capsys.readouterr().err


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    taken = tmp_path / "cap-acme"
    taken.mkdir()
    with pytest.raises(NameRefused):
        create("cap-acme", tmp_path)
    assert list(taken.iterdir()) == []
    taken.rmdir()
    taken.symlink_to(tmp_path / "nowhere")
    with pytest.raises(NameRefused):
        create("cap-acme", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["cap-acme"]


def test_a_name_that_an_installed_plugin_has(tmp_path: Path) -> None:
    with pytest.raises(NameRefused) as raised:
        create("cap-cloudflare-kv", tmp_path)
    assert "cap-cloudflare-kv 0.1.0" in raised.value.message
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_where_it_cannot_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import flows_registry.commands.new as command

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command, "_take", full)
    with pytest.raises(OSError, match="No space"):
        create("cap-acme", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("into", "blocked", "why"),
    [
        ("file", "file", "is a file, not a folder"),
        ("file/deep", "file", "is a file, not a folder"),
        ("kept", "kept", "takes no new folder: its file system makes none"),
        ("kept/deep", "kept", "takes no new folder: "),
        ("x" * 300, ".", "takes no new folder: File name too long"),
    ],
)
def test_a_folder_that_nothing_can_be_made_in_is_named_with_the_reason(
    tmp_path: Path, into: str, blocked: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "kept").symlink_to("/proc")  # whoever asks, nothing can be made in there
    assert main(["new", "cap-acme", "--into", str(tmp_path / into)]) == 2
    told = capsys.readouterr().err
    assert f"{(tmp_path / blocked).resolve()} {why}" in told
    assert "PACKAGE016" in told
    assert "--into" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "kept"]


def test_it_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "cap-acme", "--into", str(tmp_path / "deep/er"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Path(told["folder"]) == tmp_path / "deep/er/cap-acme"
    assert set(told["files"]) == {
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "src/cap_acme/__init__.py",
        "src/cap_acme/capability.toml",
        "src/cap_acme/config.py",
        "src/cap_acme/mock.py",
        "src/cap_acme/plugin.py",
        "src/cap_acme/py.typed",
        "tests/conftest.py",
        "tests/test_contract.py",
        "tests/test_manifest.py",
    }
