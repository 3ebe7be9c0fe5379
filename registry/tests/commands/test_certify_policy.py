"""`certify --policy FILE`: what is no policy is told before anything is built."""

from pathlib import Path

import pytest
from flows_registry.main import main

pytestmark = pytest.mark.feature("AL-04", "AC-07")


def test_a_waiver_without_an_end_stops_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        'schema = 1\nname = "acme"\n\n[[waivers]]\ncheck = "policy"\ncode = "POLICY108"\n'
        'plugin = "*"\nreason = "later"\nowner = "nobody"\n'
    )
    assert main(["certify", str(tmp_path), "--policy", str(policy)]) == 2
    told = capsys.readouterr().err
    assert "POLICY001" in told
    assert "line 4: waivers[0].expires is missing" in told


def test_a_policy_that_is_not_there_stops_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none.toml")
    assert main(["certify", str(tmp_path), "--policy", missing]) == 2
    assert "POLICY001" in capsys.readouterr().err
