"""The command itself: what it imports, how it ends, what it says about bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flows_registry.main import COMMANDS, main

from .conftest import Installation

pytestmark = pytest.mark.feature("DC-05")

HEAVY = (
    "pydantic", "rich", "boto3", "httpx", "trustme", "packaging", "argparse", "inspect", "asyncio",
    "importlib.metadata", "core_caps.claims.manifest_model", "flows_registry.lab",
)  # fmt: skip


def _imported(*words: str) -> set[str]:
    """The modules that one run of the command has imported."""
    script = (
        "import sys\nfrom flows_registry.main import main\n"
        f"main({list(words)!r})\nprint(*sys.modules, file=sys.stderr)\n"
    )
    command = [sys.executable, "-I", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.feature("DC-02")
@pytest.mark.parametrize("words", [("--help",), ("list",), ("list", "--json")])
def test_start_up_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    _imported(*words)  # the first run may fill caches
    loaded = _imported(*words)
    assert not [name for name in HEAVY if name in loaded]
    others = {COMMANDS[name][0] for name in COMMANDS if name != words[0]}
    assert not [name for name in others if f"flows_registry.commands.{name}" in loaded]
    assert not [name for name in loaded if name.startswith("cap_")]


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert main([]) == 2
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("flows-registry ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"flows-registry {name}" in shown
    assert "Exit codes: 0 as asked, 1 refused" in shown
    assert "--json" in shown


@pytest.mark.parametrize(
    "words",
    [
        ("lst",),
        ("certify",),
        ("certify", "a", "b"),
        ("list", "--jsn"),
        ("new",),
        ("certify", "x", "--seed", "many"),
        ("explain", "CAP999"),
        ("list", "nothing-of-that-name"),
        ("new", "class"),
        ("--nonsense",),
    ],
)
def test_wrong_use_is_exit_code_2_and_one_message(
    installation: Installation, words: tuple[str, ...]
) -> None:
    done = installation.run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert 0 < len(done.stderr.splitlines()) <= 12
    assert "Traceback" not in done.stderr


def test_explain_tells_a_code_and_suggests_near_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", "cap103"]) == 0
    assert "CAP103" in capsys.readouterr().out
    assert main(["explain", "CAP103", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"code", "title", "meaning", "fix"}
    assert main(["explain", "PACKGE004"]) == 2
    assert "PACKAGE004" in capsys.readouterr().err
    assert main(["explain"]) == 0
    shown = capsys.readouterr().out
    assert "PACKAGE\n" in shown
    assert "EFFECT\n" in shown


def test_explain_lists_what_begins_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "cap10"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading == "CAP"
    assert rows
    assert all(row.startswith("  CAP10") for row in rows)
    assert main(["explain", "EFFECT", "--json"]) == 0
    codes = [row["code"] for row in json.loads(capsys.readouterr().out)["codes"]]
    assert "EFFECT201" in codes
    assert all(code.startswith("EFFECT") for code in codes)


def test_a_reader_that_leaves_is_no_failure_to_tell(installation: Installation) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [str(installation.folder / "bin/flows-registry"), "explain"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 141


def test_an_interruption_is_one_line(installation: Installation) -> None:
    script = (
        "import flows_registry.commands.explain as command, sys, time\n"
        "from flows_registry.main import main\n"
        "command.run = lambda _: (print('begun', flush=True), time.sleep(60))\n"
        "sys.exit(main(['explain']))\n"
    )
    process = subprocess.Popen(
        [installation.python(), "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told == b"flows-registry: interrupted\n"


def test_a_fault_of_our_own_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import flows_registry.commands.explain as command

    def broken(_: object) -> int:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(command, "run", broken)
    assert main(["explain"]) == 3
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told
    assert "Traceback" not in told
    monkeypatch.setenv("FLOWS_TRACEBACK", "1")
    assert main(["explain"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_colour_is_for_terminals(installation: Installation) -> None:
    assert "\033" not in installation.run("explain").stdout
    script = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    command = [sys.executable, "-c", script, str(installation.folder / "bin/flows-registry")]
    env = {"PATH": os.defpath, "HOME": str(installation.cache), "TERM": "xterm"}

    def shown(**more: str) -> bytes:
        words = [*command, "explain"]
        return subprocess.run(words, env={**env, **more}, capture_output=True, check=True).stdout

    assert b"\033[1m" in shown()
    assert b"\033" not in shown(NO_COLOR="1")


def test_an_output_that_cannot_show_marks_still_works(installation: Installation) -> None:
    done = installation.run("explain", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LANG="C")
    assert done.returncode == 0
    assert "UnicodeEncodeError" not in done.stderr


def test_a_path_that_is_no_plugin(tmp_path: Path) -> None:
    from core_caps.errors import CapsError, ManifestInvalid
    from flows_registry.checks.package import plugin_source

    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(CapsError) as raised:
            plugin_source(path)
        assert raised.value.code == "PACKAGE001"
        assert raised.value.hint
    (tmp_path / "src/cap_x").mkdir(parents=True)
    (tmp_path / "src/cap_x/capability.toml").write_text("schema = \n")
    with pytest.raises(ManifestInvalid) as invalid:
        plugin_source(tmp_path)
    assert "line 1" in str(invalid.value)
