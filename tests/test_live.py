"""`certify --against live`: the healthy cases on somebody's own account, which is as empty after
as it was before. Our reference server on this machine is the account."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from core_caps.contract.reference import Reference, Request
from flows_registry.lab.references.known import reference_factory
from flows_registry.main import main

pytestmark = pytest.mark.feature("P4-03", "CK-05", "DC-05")

PLUGIN = Path(__file__).resolve().parent.parent / "plugins" / "cap-cloudflare-kv"
TOKEN = "a-token-of-somebody-who-exists"
NAMES = {"account_id": "a" * 32, "namespace_id": "b" * 32}


@dataclass
class Account:
    """A namespace that a server on this machine keeps.

    Attributes:
        url: where it is.
        reference: what it does.
        asked: the method and target of every request.
        limited: a request of this number is asked to wait so many seconds.
    """

    url: str
    reference: Reference
    asked: list[str] = field(default_factory=list[str])
    limited: dict[int, int] = field(default_factory=dict[int, int])

    def put(self, key: str) -> None:
        """Somebody's own value."""
        path = f"/client/v4/accounts/{NAMES['account_id']}/storage/kv/namespaces"
        headers = (("authorization", f"Bearer {TOKEN}"), ("content-length", "1"))
        target = f"{path}/{NAMES['namespace_id']}/values/{key}"
        done = self.reference.handle(Request("PUT", "127.0.0.1", target, headers, b"1", "http"))
        assert done.status == 200


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Account]:
    """An empty account, and the environment that tells of it."""
    factory = reference_factory("cloudflare-kv")
    assert factory is not None
    made = factory.create({**NAMES, "base_url": ""}, {"api_token": TOKEN}, time.time)
    told = Account("", made)

    turn = threading.Lock()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = tuple((name.lower(), value) for name, value in self.headers.items())
            asked = Request(self.command, "127.0.0.1", self.path, headers, body, "http")
            with turn:
                told.asked.append(f"{self.command} {self.path}")
                wait = told.limited.get(len(told.asked))
                reply = made.handle(asked) if wait is None else factory.failure(429)
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            if wait is not None:
                self.send_header("retry-after", str(wait))
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 (their names)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Answering)
    told.url = f"http://127.0.0.1:{server.server_address[1]}/client/v4"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", NAMES["account_id"])
    monkeypatch.setenv("CLOUDFLARE_KV_NAMESPACE_ID", NAMES["namespace_id"])
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    monkeypatch.setenv("FLOWS_CACHE", str(tmp_path / "cache"))
    yield told
    server.shutdown()
    server.server_close()


def live(
    account: Account, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, dict[str, Any]]:
    """Certify against the account: the exit code, and the one object that is printed."""
    command = ["certify", str(PLUGIN), "--against", "live", "--set", f"base_url={account.url}"]
    code = main([*command, "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_an_account_is_as_empty_afterwards_as_before(
    account: Account, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = account.reference.state()
    account.limited[40] = 1
    kept = str(tmp_path / "kept")
    code, report = live(account, capsys, "--yes-use-my-account", "--evidence", kept)
    held = report["checks"][-1]
    assert not held["findings"], held["findings"]
    assert (code, report["verdict"]) == (0, "passed")
    assert report["part"] == "against live"
    assert held["facts"]["against"] == report["facts"]["against"] == "live"
    assert held["cases"] > 40
    assert account.reference.state() == before
    assert any(line.startswith("PUT ") for line in account.asked)
    assert any(line.startswith("DELETE ") for line in account.asked)
    written = b"".join(file.read_bytes() for file in Path(kept).iterdir())
    for told in (TOKEN, NAMES["account_id"]):
        assert told.encode() not in written
    assert main(["certify", str(PLUGIN), "--replay", "live/remote/put"]) == 2
    assert "--against live" in capsys.readouterr().err


def test_what_is_somebody_elses_is_left_alone(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.put("theirs")
    before = account.reference.state()
    code, report = live(account, capsys, "--yes-use-my-account")
    (finding,) = report["checks"][-1]["findings"]
    assert (code, finding["code"]) == (3, "LAB021")
    assert "'theirs'" in finding["message"]
    assert account.reference.state() == before
    assert not any(line.startswith(("PUT", "DELETE")) for line in account.asked)


def test_who_is_asked_to_wait_for_long_stops(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.limited[1] = 3600
    code, report = live(account, capsys, "--yes-use-my-account")
    (finding,) = report["checks"][-1]["findings"]
    assert (code, finding["code"]) == (3, "LAB022")
    assert "3600 s" in finding["message"]
    assert len(account.asked) == 1


def test_nothing_is_done_before_you_say_yes(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["certify", str(PLUGIN), "--against", "live", "--set", f"base_url={account.url}"]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert account.url in told
    assert "CLOUDFLARE_API_TOKEN" in told
    assert TOKEN not in told
    assert account.asked == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "bucket=mine"), "'bucket' is no setting"),
        (("--set", "api_token=shown"), "'api_token' is no setting"),
        (("--set", "timeout_seconds=soon"), "is of the type float"),
        (("--set", "nothing"), "gives no value"),
        (("--backend", "mock"), "'mock' reaches no service"),
    ],
)
def test_an_account_that_cannot_be_used_is_bad_input(
    account: Account, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert main(["certify", str(PLUGIN), "--against", "live", *words]) == 2
    assert said in capsys.readouterr().err


def test_what_is_missing_is_named_by_its_variable(
    account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")
    assert main(["certify", str(PLUGIN), "--against", "live", "--yes-use-my-account"]) == 2
    assert "set CLOUDFLARE_API_TOKEN" in capsys.readouterr().err
