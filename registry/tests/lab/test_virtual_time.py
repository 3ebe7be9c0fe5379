"""Virtual time: an hour of waiting costs milliseconds, in asyncio, threads and boto3 alike."""

import subprocess
import sys
import time
from pathlib import Path

import flows_registry.lab
import pytest

AGENT = Path(flows_registry.lab.__file__).parent / "agent"
SCENARIOS = Path(__file__).with_name("virtual_time_scenarios.py")

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="virtual time reads /proc, which only Linux has"
)


@pytest.mark.feature("AL-07", "P4-03")
@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("sleep", "3600.0"),
        ("asyncio", "3600.0"),
        ("event", "100.0"),
        ("threads", "400.0"),
        ("urllib", "60.0 TimeoutError"),
        ("httpx", "60.0 ReadTimeout"),
        ("httpx async", "45.0 ReadTimeout"),
        ("boto3", "60.0 ReadTimeoutError"),
        ("no timeout", "hung"),
        ("slow server", "20.0"),
        ("next case", "3600.0"),
    ],
)
def test_waiting_takes_the_time_it_says_and_none_of_ours(
    scenario: str, said: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-P", str(SCENARIOS), str(AGENT), scenario, str(tmp_path / "page")]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.stdout.strip() == said, done.stderr
    assert time.monotonic() - began < 45  # it did not really wait
