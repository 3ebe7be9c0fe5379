"""The table of codes, the code that emits them and the page that explains them say the same."""

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from core_caps import errors
from core_caps.diagnostics import DIAGNOSTICS, explain
from core_caps.errors import CapsError

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "core-caps" / "src" / "core_caps" / "diagnostics.py"
SOURCES = sorted(
    path
    for tree in ("core-caps/src", "plugins/*/src", "registry/src", "flows/src", "hosts/*/src")
    for folder in ROOT.glob(tree)
    for path in folder.rglob("*.py")
    if path != TABLE
)
CODE = re.compile(r"[A-Z]+(?:-[A-Z]+-)?[0-9]{3}")
OTHER_STANDARDS = {"AES", "CRC", "HMAC", "ISO", "SHA", "XX"}  # "SHA256", SQLSTATE "XX000"


def family(code: str) -> str:
    return code.rstrip("0123456789").rstrip("-")


def literals(path: Path) -> Iterator[str]:
    """The codes that stand alone as a string in a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            code = node.value
            if CODE.fullmatch(code) and family(code) not in OTHER_STANDARDS:
                yield code


EMITTED = {code: path for path in SOURCES for code in literals(path)}


@pytest.mark.parametrize("code", DIAGNOSTICS)
def test_every_code_in_the_table_can_be_emitted(code: str) -> None:
    assert code in EMITTED, f"nothing emits {code}: remove its row, or emit it"


def test_every_code_in_the_sources_is_in_the_table() -> None:
    strangers = {code: str(path) for code, path in EMITTED.items() if code not in DIAGNOSTICS}
    assert not strangers, "add these to core_caps.diagnostics"


def test_every_code_that_a_text_or_comment_names_exists() -> None:
    families = "|".join(sorted({family(code) for code in DIAGNOSTICS}, key=len, reverse=True))
    named = re.compile(rf"\b(?:{families})[0-9]{{3}}\b")
    strangers = {
        code: str(path)
        for path in SOURCES
        for code in named.findall(path.read_text("utf-8"))
        if code not in DIAGNOSTICS
    }
    assert not strangers


def test_every_error_class_with_a_code_has_it_alone() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    codes = [each.code for each in classes if issubclass(each, CapsError) and each.code]
    assert len(set(codes)) == len(codes)
    assert set(codes) <= set(DIAGNOSTICS)


def test_every_row_is_complete() -> None:
    for code, row in DIAGNOSTICS.items():
        assert row.code == code
        assert CODE.fullmatch(code)
        assert row.title
        assert not row.title.endswith(".")
        assert row.meaning.endswith(".")
        assert row.fix.endswith(".")


def test_explain_takes_any_letter_case() -> None:
    assert explain(" cap110 ") is DIAGNOSTICS["CAP110"]
    assert explain("CAP999") is None


def test_the_page_is_what_the_table_says() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert checked.returncode == 0, f"{checked.stderr}{checked.stdout}"
    page = (ROOT / "docs" / "error-codes.md").read_text("utf-8")
    assert set(re.findall(r"^### ([A-Z0-9-]+):", page, re.MULTILINE)) == set(DIAGNOSTICS)


def test_a_page_out_of_date_is_shown_and_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert generate.main(["--check"]) == 1
    assert not list(tmp_path.iterdir())
    assert generate.main([]) == 0
    page = tmp_path / "error-codes.md"
    assert generate.main(["--check"]) == 0
    page.write_text(page.read_text("utf-8").replace("Raised as", "Thrown as"), "utf-8")
    capsys.readouterr()
    assert generate.main(["--check"]) == 1
    said = capsys.readouterr()
    assert "-Thrown as" in said.out
    assert "+Raised as" in said.out
    assert "python docs/generate.py" in said.err
