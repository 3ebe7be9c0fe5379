"""The table of known divergences is checked, sourced and dated."""

import datetime as dt
from pathlib import Path

import pytest
from flows_registry.lab.simulators.divergences import read_divergences

ROW = """
[[divergence]]
name = "one"
case = "kv/1 * edge: *"
operation = "put"
simulator = "value: *"
plugin = "InvalidArgument: *"
does = "this"
document = "that"
source = "https://vendor.example/limits"
expires = 2030-01-01
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "divergences.toml"
    path.write_text(text)
    return path


@pytest.mark.feature("DC-04")
def test_the_shipped_rows_can_be_used() -> None:
    rows = read_divergences()

    assert rows
    assert all(row.expires > dt.date(2026, 1, 1) for row in rows)


@pytest.mark.feature("DC-04")
def test_a_row_covers_only_its_own_answers(tmp_path: Path) -> None:
    (row,) = read_divergences(written(tmp_path, ROW))
    case = "kv/1 Workers KV binding edge: ttl"

    assert row.covers(case, "put", "InvalidArgument: x", "value: None")
    assert not row.covers(case, "get", "InvalidArgument: x", "value: None")
    assert not row.covers(case, "put", "value: None", "value: None")
    assert not row.covers(case, "put", "InvalidArgument: x", "Unavailable: x")
    assert not row.covers(
        "kv/1 Workers KV binding generated: 1", "put", "InvalidArgument: x", "value: "
    )


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('source = "https://vendor.example/limits"\n', ""), "source"),
        (("expires = 2030-01-01", 'expires = "soon"'), "expires is not a date"),
        (("https://", "http://"), "not an https address"),
        (("name =", "nickname = 1\nname ="), "nickname"),
        (("[[divergence]]\n", ROW + "[[divergence]]\n"), "two rows are called one"),
    ],
)
def test_a_bad_row_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = written(tmp_path, ROW.replace(*change))

    with pytest.raises(ValueError, match=message):
        read_divergences(path)
