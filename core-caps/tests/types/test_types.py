"""What must and what must not type-check, as pyright in strict mode sees it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.feature("PL-03"), pytest.mark.slow]

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[int]]:
    """File name → the lines on which pyright reports an error."""
    # Away from the workspace: what a user of the package sees is checked, by no settings of ours.
    project = tmp_path_factory.mktemp("pyright")
    for name in ("passes.py", "fails.py"):
        shutil.copy(HERE / name, project)
    (project / "pyrightconfig.json").write_text(
        json.dumps(
            {
                "typeCheckingMode": "strict",
                "pythonVersion": "3.11",
                "reportUnusedCoroutine": "none",
            }
        )
    )
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, "--project", str(project)], capture_output=True, text=True, check=False
    )
    found: dict[str, set[int]] = {"passes.py": set(), "fails.py": set()}
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 2, done.stdout
    for row in report["generalDiagnostics"]:
        if row["severity"] == "error":
            found[Path(row["file"]).name].add(row["range"]["start"]["line"] + 1)
    return found


def test_what_is_right_is_accepted(errors: dict[str, set[int]]) -> None:
    assert errors["passes.py"] == set()


def test_what_is_wrong_is_refused_line_by_line(errors: dict[str, set[int]]) -> None:
    marked = {
        number
        for number, line in enumerate((HERE / "fails.py").read_text().splitlines(), 1)
        if line.endswith("# refused")
    }
    assert errors["fails.py"] == marked
