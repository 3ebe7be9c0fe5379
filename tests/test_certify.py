"""The command as a newcomer runs it: a real plugin is certified, bad input is one clear message."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

WANTED = ("contract", "remote")
ROOT = Path(__file__).resolve().parent.parent


def certify(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "flows_registry.main", "certify", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, cwd=ROOT
    )


@pytest.mark.feature("DC-05", "P4-01", "P4-02", "P4-04", "CK-01", "CK-02", "W2-01", "PH2-01")
def test_a_real_plugin_passes_the_checks_that_look_at_what_it_does() -> None:
    done = certify(
        "plugins/cap-cloudflare-kv",
        "--json",
        *("--check", "package"),
        *("--check", "effects"),
        *("--check", "determinism"),
        *("--check", "injection"),
    )
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (0, "passed"), done.stdout
    assert report["part"] == "package, effects, determinism, injection"
    assert report["subject"].startswith("cap-cloudflare-kv ")
    seen = {(check["check"], check["backend"]): check for check in report["checks"]}
    for check in ("effects", "determinism", "injection"):
        for backend in ("mock", "remote"):
            assert seen[check, backend]["verdict"] == "passed"
            assert seen[check, backend]["cases"] > 20
    assert set(report["checks"][0]) >= {"check", "backend", "verdict", "cases", "findings"}


@pytest.mark.feature("P4-03", "AL-07", "CK-05")
def test_every_operation_meets_refusals_and_failures() -> None:
    done = certify(
        "plugins/cap-cloudflare-kv", "--json", "--check", "contract", "--case", "remote/"
    )
    report = json.loads(done.stdout)
    remote = next(
        c for c in report["checks"] if (c["check"], c["backend"]) == ("contract", "remote")
    )
    assert remote["verdict"] == "passed", remote["findings"]
    assert remote["facts"]["faults"] >= 250
    assert remote["facts"]["faults_not_met"] == []


@pytest.mark.feature("DC-05")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no/such/folder",), "no/such/folder"),
        (("docs",), "docs"),
        (("plugins/cap-cloudflare-kv", "--check", "astrology"), "astrology"),
        (("plugins/cap-cloudflare-kv", "--jobs", "0"), "--jobs 0"),
        (("plugins/cap-cloudflare-kv", "--jobs", "-1"), "--jobs -1"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    done = certify(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "→" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.feature("DC-05")
def test_a_program_is_told_of_bad_input_in_one_object() -> None:
    done = certify("no/such/folder", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)["error"]
    assert told["code"] == "PACKAGE001"
    assert "no/such/folder" in told["message"]
    assert told["fix"]


@pytest.mark.feature("DC-05")
def test_one_case_is_run_again_and_nothing_else() -> None:
    done = certify("plugins/cap-cloudflare-kv", "--json", "--case", "remote/put/status 404")
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (0, "passed")
    assert report["part"] == "on cases with 'remote/put/status 404'"
    ran = {(check["check"], check["backend"]): check["cases"] for check in report["checks"]}
    assert ran.pop(("package", "")) > 0
    assert ran == {("contract", "remote"): 1}


@pytest.mark.feature("DC-05")
def test_a_case_that_does_not_exist_proves_nothing() -> None:
    done = certify("plugins/cap-cloudflare-kv", "--json", "--case", "astrology")
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (3, "inconclusive")
    assert "'astrology'" in report["checks"][-1]["findings"][0]["message"]
