"""A mistake of the lab's own refuses no plugin: the verdict is inconclusive, and says why."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

RAISING = """
from flows_registry.lab.references import known
from flows_registry.lab.references.exchange import ReferenceFactory, Response


class Raising:
    def handle(self, request):
        raise KeyError("the reference forgot something")

    def state(self):
        return {}

    def reset(self):
        pass


FACTORY = ReferenceFactory("cloudflare-kv", lambda settings, secrets, now: Raising(), Response)
known.REFERENCES = {"cloudflare-kv": "sitecustomize:FACTORY"}
"""


@pytest.mark.feature("P4-03", "CK-05")
@pytest.mark.parametrize(
    "part",
    [(), ("--case", "remote/get empty"), ("--case", "get empty")],
    ids=["whole", "part", "a part that another backend passes"],
)
def test_a_reference_that_raises_is_not_the_plugins_fault(
    part: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(RAISING)
    command = [
        *(sys.executable, "-m", "flows_registry.main", "certify", "plugins/cap-cloudflare-kv"),
        *("--json", "--check", "effects", *part),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (3, "inconclusive"), done.stdout
    (finding,) = [finding for check in report["checks"] for finding in check["findings"]]
    assert finding["code"] == "LAB003"
    assert "the reference forgot something" in finding["observed"]
