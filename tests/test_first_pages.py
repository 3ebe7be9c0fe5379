"""The pages that a reader meets first: their programs run, what they quote is so, links lead on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SKELETON = ROOT / "registry/src/flows_registry/templates/plugin/src/PACKAGE" / "plugin.py.template"
TESTED = ("README.md", "core-caps/README.md")
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "*/README.md", "plugins/*/README.md", "examples/*/*.md")
    for path in ROOT.glob(pattern)
)
BLOCKS = [
    (page, block)
    for page in TESTED
    for block in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
]
QUOTED = [(page, block) for page, block in BLOCKS if "@hookimpl" in block]
PROGRAMS = [each for each in BLOCKS if each not in QUOTED]


def test_there_is_something_to_test() -> None:
    assert {page for page, _ in PROGRAMS} == set(TESTED)
    assert len(PROGRAMS) == 3
    assert len(QUOTED) == 1


@pytest.mark.feature("DC-01", "DC-04")
@pytest.mark.parametrize(("page", "program"), PROGRAMS)
def test_its_program_runs_as_it_stands(page: str, program: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, f"{page}: {done.stderr}"
    assert done.stdout == "b'hello'\n"


@pytest.mark.feature("DC-01")
@pytest.mark.parametrize(("page", "hook"), QUOTED)
def test_the_hook_is_that_of_the_skeleton(page: str, hook: str) -> None:
    _, decorator, body = hook.partition("@hookimpl")
    assert decorator + body in SKELETON.read_text("utf-8"), page


@pytest.mark.parametrize("page", PAGES)
def test_its_links_lead_to_what_is_there(page: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text("utf-8"))
    for link in links:
        if not link.startswith(("http://", "https://", "#")):
            assert (ROOT / page).parent.joinpath(link.partition("#")[0]).exists(), link
