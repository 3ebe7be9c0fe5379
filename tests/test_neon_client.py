"""The companion server of cap-postgres-neon, used by Neon's own client from npm."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.node import find_node
from flows_registry.lab.simulators.packages import NpmPins, fetch
from flows_registry.lab.simulators.postgresql import find_postgresql, start

pytestmark = [pytest.mark.feature("DC-01", "W5-01"), pytest.mark.slow]

FOLDER = Path(__file__).with_name("neon_client")
CLIENT = NpmPins("@neondatabase/serverless", FOLDER, needs=("@neondatabase/serverless/index.js",))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A companion on a PostgreSQL, as its command starts it."""
    found = find_postgresql()
    if isinstance(found, Absent):
        pytest.skip(found.reason)
    with start(found) as server:
        command = "import sys; from cap_postgres_neon.command import main; sys.exit(main())"
        serve = ["serve", "--url-from", "DATABASE_URL", "--port", "0"]
        companion = subprocess.Popen(
            [sys.executable, "-c", command, *serve],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DATABASE_URL": server.url},
        )
        try:
            assert companion.stdout is not None
            yield companion.stdout.readline().split()[-1]
        finally:
            companion.terminate()
            companion.communicate()


@pytest.fixture(scope="module")
def said(endpoint: str) -> dict[str, Any]:
    """What the client says that it got."""
    node = find_node()
    if isinstance(node, Absent):
        pytest.skip(node.reason)
    installed = fetch(CLIENT, node=node)
    if isinstance(installed, Absent):
        pytest.skip(installed.reason)
    environment = {
        "ENDPOINT": endpoint,
        "NODE_PATH": str(installed.root / "node_modules"),
        "PATH": os.environ.get("PATH", ""),
    }
    ran = subprocess.run(
        [str(node.path), str(FOLDER / "client.cjs")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "secret" not in ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def test_rows_have_the_types_that_the_client_knows(said: dict[str, Any]) -> None:
    assert said["inserted"] == [{"id": 1, "name": "it's", "at": "2026-01-02T03:04:05.000Z"}]
    [typed] = said["typed"]
    raw = typed.pop("raw")
    assert typed == {
        "small": 1, "whole": 2, "big": "3", "exact": "1.50", "half": 0.5, "yes": True,
        "nothing": None, "doc": {"a": [1, "é"]}, "many": [1, 2], "texts": ["a b", None],
    }  # fmt: skip
    assert raw["data"] == [0, 255]


def test_parameters_arrive_as_the_client_sends_them(said: dict[str, Any]) -> None:
    assert said["params"] == [{"a": [1, None, 3], "b": {"k": ["v"]}, "c": False, "d": None}]


def test_results_come_in_each_shape(said: dict[str, Any]) -> None:
    assert said["arrays"] == [[1, "it's"]]
    full = said["full"]
    assert (full["command"], full["rowCount"], full["rows"]) == ("UPDATE", 1, [])
    assert full["rowAsArray"] is False


def test_a_batch_is_one_transaction_under_its_options(said: dict[str, Any]) -> None:
    inserted, counted, level = said["batch"]
    assert (inserted, counted) == ([], [{"n": 2}])
    assert level == [{"transaction_isolation": "serializable"}]
    assert said["deferrable"] == [[{"transaction_deferrable": "on"}]]
    assert said["left"] == [{"id": 1}, {"id": 2}]


def test_errors_carry_their_fields(said: dict[str, Any]) -> None:
    undone = said["undone"]
    assert undone["name"] == "NeonDbError"
    assert (undone["code"], undone["constraint"]) == ("23505", "visits_pkey")
    assert (undone["table"], undone["schema"]) == ("visits", "public")
    assert undone["severity"] == "ERROR"
    assert "(id)=(1)" in undone["detail"]
    assert said["readOnly"]["code"] == "25006"
    assert (said["wrong"]["code"], said["wrong"]["position"]) == ("42601", "1")
    assert said["several"]["code"] == "42601"
