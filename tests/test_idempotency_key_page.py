"""The page that other languages implement from: its code runs and its figures are the code's."""

import ast
import re
from pathlib import Path

import pytest
from core_caps import keys

PAGE = Path(__file__).resolve().parents[1] / "docs" / "idempotency-key.md"
TEXT = PAGE.read_text("utf-8")


@pytest.mark.feature("P0-01")
@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_its_code_runs(block: str) -> None:
    exec(compile(block, str(PAGE), "exec"), {})


@pytest.mark.feature("P0-03")
def test_the_worked_example_is_a_key() -> None:
    [(dump, key)] = re.findall(r"```\n(a4 .*?)\nkey ([0-9a-f]{64})\n```", TEXT, re.DOTALL)
    digits = "".join(re.match(r"[0-9a-f ]*?(?=  |$)", line.strip())[0] for line in dump.split("\n"))
    assert keys.digest(bytes.fromhex(digits)).hex() == key
    assert keys.idempotency_key("payments", "charge", "", {}).hex() == key


@pytest.mark.feature("P0-02")
def test_its_limits_are_the_codes() -> None:
    for limit in (keys.SIZE_BYTES_MAX, keys.PAYLOAD_SIZE_BYTES_MAX):
        assert f"{limit:,} bytes" in TEXT
    assert f"Limits: {keys.DEPTH_MAX} lists and maps" in TEXT


@pytest.mark.feature("P0-02")
def test_its_types_are_types_of_a_schema() -> None:
    [table] = re.findall(r"## Schemas\n.*?\n\n(\|.*?)\n\n", TEXT, re.DOTALL)
    written = [
        code.replace("\\|", "|")
        for row in table.split("\n")[2:]
        for code in re.findall(r"`(.*?)`", row.split(" | ")[0])
    ]
    assert len(written) >= 12
    for code in written:
        assert isinstance(ast.parse(code, mode="eval"), ast.Expression)
        keys.KeySchema({"field": eval(code, {"nullable": keys.nullable})})
