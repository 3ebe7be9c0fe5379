"""The plugins that are installed beside the registry, met by name only, against the simulator."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

import pytest
from core_caps import connect
from core_caps.contract import blob, kv
from core_caps.contract.suite import Contract
from core_caps.secret import Secret
from flows_registry.checks.parity import parity
from flows_registry.lab.simulators.miniflare import S3Credentials
from flows_registry.lab.simulators.sides import ParitySubject, Run, S3Target
from flows_registry.verdict import CheckResult, Verdict

CREDENTIALS = S3Credentials("c" * 32, Secret("d" * 64))
Running = Callable[..., Run]


def judged(
    running: Running, name: str, contract: Contract, remotes: dict[str, str], *compared: str
) -> dict[str, CheckResult]:
    if name not in {entry.name for entry in entry_points(group="flows.capabilities")}:
        pytest.skip(f"the plugin {name} is not installed here")

    def opened(backend: str) -> Callable[[Any], Any]:
        return lambda settings: connect(
            contract.protocol, name, backend=backend, **(settings or {})
        )

    target = S3Target(CREDENTIALS, settings)
    subject = ParitySubject(
        contract,
        frozenset(contract.spec.operations),
        running(**{backend: opened(backend) for backend in compared}),
        remotes=remotes,
        s3={"remote": target} if "remote" in compared else {},
    )
    return {result.backend: result for result in parity(subject)}


def settings(endpoint: str, bucket: str) -> dict[str, Any]:
    return {
        "config": {
            "account_id": "0" * 32,
            "bucket": bucket,
            "access_key_id": CREDENTIALS.access_key_id,
            "base_url": endpoint,
        },
        "secrets": {"secret_access_key": CREDENTIALS.secret_access_key},
    }


@pytest.mark.feature("DC-04", "PH2-02")
def test_the_key_value_mock_answers_as_the_simulator_does(simulator: str, running: Running) -> None:
    # The REST API has no simulator of its own: here the mock stands in for the remote backend.
    makers = {"remote": "cloudflare-kv"}
    result = judged(
        lambda **made: running(**made, remote=made["mock"]),
        "cloudflare-kv", kv.CONTRACT, makers, "mock",
    )["mock"]  # fmt: skip

    assert result.verdict is Verdict.PASSED, result.findings
    assert sum(result.facts["steps_by_operation"].values()) > 500


@pytest.mark.slow
@pytest.mark.feature("DC-04", "PH2-05")
def test_the_object_mock_and_remote_answer_as_the_simulator_does(
    simulator: str, running: Running
) -> None:
    results = judged(running, "cloudflare-r2", blob.CONTRACT, {"remote": "s3"}, "mock", "remote")

    for result in results.values():
        assert result.verdict is Verdict.PASSED, result.findings
    assert results["mock"].facts["compared_with"] == [
        f"{simulator} (Workers R2 binding)",
        f"remote on {simulator} (S3)",
    ]
