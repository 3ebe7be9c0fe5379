"""The page for plugin authors: its commands run, its excerpts are the example's, its code works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flows_registry.checks.package import check_package

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "cap-acme-ledger"
BLOCKS: list[tuple[str, str]] = re.findall(
    r"```(\w+)\n(.*?)```", (ROOT / "docs" / "authoring.md").read_text("utf-8"), re.DOTALL
)
EXCERPTS = [text for _, text in BLOCKS if text.startswith("# src/")]
COMMANDS = [text for language, text in BLOCKS if language == "shell"]
PROGRAMS = [text for language, text in BLOCKS if language == "python" and text not in EXCERPTS]


@pytest.mark.feature("DC-01", "DC-03")
@pytest.mark.parametrize("excerpt", EXCERPTS)
def test_what_it_quotes_stands_in_the_example(excerpt: str) -> None:
    name, _, text = excerpt.removeprefix("# ").partition("\n")
    assert text in (EXAMPLE / name).read_text("utf-8")


def test_every_block_is_a_command_a_quotation_or_a_program() -> None:
    assert {language for language, _ in BLOCKS} == {"shell", "python", "toml"}
    assert len(COMMANDS) + len(EXCERPTS) + len(PROGRAMS) == len(BLOCKS)
    assert (len(COMMANDS), len(EXCERPTS), len(PROGRAMS)) == (2, 5, 1)


@pytest.mark.slow
@pytest.mark.feature("DC-01", "DC-05")
@pytest.mark.parametrize("commands", COMMANDS)
def test_its_commands_certify(commands: str, tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    shutil.copytree(EXAMPLE, tmp_path / "examples" / EXAMPLE.name, ignore=ignored)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"(certified|passed .*) at L\d", done.stdout), done.stdout


@pytest.mark.slow
@pytest.mark.feature("DC-01", "PL-03", "CK-05")
def test_its_program_runs_where_the_plugin_is_installed(
    tmp_path: Path,
) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "plugin")
    result, built = check_package(tmp_path / "plugin", tmp_path / "scratch")
    assert built is not None, result.findings
    command = [str(built.environment.python), "-c", *PROGRAMS]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.stdout.split() == ["500", "500"], done.stderr
