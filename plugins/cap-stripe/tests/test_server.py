"""The account behind a socket: the vendor's own client speaks to it, and events are posted."""

import asyncio
import base64
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe
from cap_stripe.config import MOCK_WEBHOOK_SECRET
from cap_stripe.server import Server
from cap_stripe.simulation.deliveries import ATTEMPTS_MAX
from cap_stripe.webhooks import Signer
from core_caps.clock import SystemClock
from core_caps.errors import SignatureInvalid
from core_caps.rng import SeededRng
from core_caps.secret import Secret

pytestmark = pytest.mark.feature("S4-08", "DC-04")


class Hasty(SystemClock):
    """An hour passes with every look."""

    passed = 0.0

    def now(self) -> float:
        return 1_700_000_000.0 + self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += 3600
        await asyncio.sleep(0.001)


@pytest.fixture
def http() -> Iterator[stripe.RequestsClient]:
    """The official client's own connections."""
    client = stripe.RequestsClient()
    client.INITIAL_DELAY = 0.01
    yield client
    client.close()


@pytest.fixture
def sdk(server: Server, http: stripe.RequestsClient) -> stripe.StripeClient:
    """The official client as anybody has it, but for its retries."""
    return stripe.StripeClient(
        "sk_test_1", base_addresses={"api": server.url}, http_client=http, max_network_retries=0
    )


def test_the_official_client_is_served(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "k"})
    again = sdk.v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "k"})
    assert customer.id == again.id
    assert again.last_response is not None
    assert again.last_response.headers["idempotent-replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        sdk.v1.customers.create({"email": "eve@example.com"}, {"idempotency_key": "k"})
    assert sdk.v1.customers.retrieve(customer.id).email == "ada@example.com"
    assert sdk.v1.customers.delete(customer.id).deleted is True
    assert sdk.v1.customers.retrieve(customer.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as absent:
        sdk.v1.customers.retrieve("cus_unknown")
    assert (absent.value.http_status, absent.value.code) == (404, "resource_missing")


def test_the_official_client_is_declined_and_refunded(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        sdk.v1.payment_intents.create(
            {
                "amount": 1000,
                "currency": "usd",
                "payment_method": "pm_card_chargeDeclined",
                "confirm": True,
            }
        )
    assert declined.value.code == "card_declined"
    made = sdk.v1.payment_intents.create(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    sdk.v1.refunds.create({"payment_intent": made.id, "amount": 600})
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.refunds.create({"payment_intent": made.id, "amount": 401})
    sdk.v1.refunds.create({"payment_intent": made.id})
    with pytest.raises(stripe.InvalidRequestError) as refunded:
        sdk.v1.refunds.create({"payment_intent": made.id})
    assert refunded.value.code == "charge_already_refunded"


def test_its_own_retries_make_a_payment_once(server: Server, http: stripe.RequestsClient) -> None:
    """The client repeats a lost request under one key, and the account remembers it."""
    client = stripe.StripeClient(
        "sk_test_1", base_addresses={"api": server.url}, http_client=http, max_network_retries=2
    )
    _simulate(server, "faults", "name=lost after commit")
    client.v1.customers.create({"email": "ada@example.com"})
    events = [event.type for event in client.v1.events.list().data]
    assert events == ["customer.created"]


def test_a_customer_is_played_over_the_socket(server: Server, sdk: stripe.StripeClient) -> None:
    item: Any = {
        "price_data": {
            "currency": "usd",
            "unit_amount": 1999,
            "product_data": {"name": "Alert"},
        },
        "quantity": 1,
    }
    session = sdk.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [item], "success_url": "https://e.com"}
    )
    assert _simulate(server, f"checkout/sessions/{session.id}/complete") == 200
    assert sdk.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert _simulate(server, f"checkout/sessions/{session.id}/complete") == 400
    assert _simulate(server, "faults", "name=of nobody") == 400
    assert _simulate(server, "weather") == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"G" * 200_000,
    ],
    ids=range(5),
)
def test_what_is_no_http_ends_its_connection_and_no_other(
    server: Server, sdk: stripe.StripeClient, raw: bytes
) -> None:
    async def main() -> bytes:
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(raw)
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    assert asyncio.run(main()) == b""
    assert sdk.v1.customers.create({}).id


def test_without_a_key_nothing_is_served(server: Server) -> None:
    assert _status(lambda: urllib.request.urlopen(f"{server.url}/v1/customers/cus_1")) == 401


@pytest.mark.feature("MW-13", "MW-14")
def test_events_are_posted_signed_until_they_are_taken() -> None:
    """To an endpoint that is down at first: none is lost, each is believed, some come twice."""
    came: list[tuple[bytes, str]] = []
    all_came = asyncio.Event()

    async def endpoint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers["Content-Length"]))
        came.append((body, headers["Stripe-Signature"]))
        if len({each for each, _ in came}) == 10 and len(came) >= 14:
            all_came.set()
        status = 500 if len(came) <= 3 else 204
        writer.write(f"HTTP/1.1 {status} Answer\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async def main() -> list[str]:
        clock = Hasty()
        listening = await asyncio.start_server(endpoint, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/stripe?x=1"
        async with Server(clock=clock, rng=SeededRng(3), webhook_url=url) as server:
            for number in range(10):
                server.service.account.tell("customer.created", {"id": f"cus_{number}"}, None)
            async with asyncio.timeout(10):
                await all_came.wait()
        listening.close()
        signer = Signer(MOCK_WEBHOOK_SECRET, 86_400_000, clock)
        with pytest.raises(SignatureInvalid):
            signer.parse(came[0][0] + b" ", came[0][1])
        return [str(signer.parse(body, header).object["id"]) for body, header in came]

    about = asyncio.run(main())
    assert set(about) == {f"cus_{number}" for number in range(10)}


def test_the_command_says_where_it_listens() -> None:
    command = [sys.executable, "-u", "-m", "cap_stripe.server", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.removeprefix("listening on ").strip()
        assert _status(lambda: urllib.request.urlopen(f"{url}/v1/events")) == 401
        process.terminate()
        process.wait(10)


def command(*arguments: str) -> tuple[int, list[str], list[str]]:
    """How the command ends, and the lines that it wrote to stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "cap_stripe.server", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "99999"], "--port: '99999' is no port; give a number up to 65535"),
        (["--port", "x"], "--port: 'x' is no port"),
        (["--host", "no.such.host.invalid"], "give --host an address of this machine"),
        (["--host", "192.0.2.1"], "cannot listen on '192.0.2.1'"),
        (["--webhook-url", "127.0.0.1:8000"], "--webhook-url: it is no endpoint; give http://"),
        (["--webhook-url", "http://h:99999/"], "--webhook-url: it is no endpoint"),
        (["--webhook-url", "ftp://h/"], "--webhook-url: it is no endpoint"),
        (["--webhook-secret", "canary canary"], "--webhook-secret: it is no secret"),
        (["--colour", "red"], "unrecognized arguments: --colour"),
    ],
    ids=str,
)
def test_what_cannot_be_served_is_said_in_one_line(arguments: list[str], said: str) -> None:
    status, out, err = command("--port", "0", *arguments)
    assert (status, out) == (2, [])
    (line,) = err
    assert line.startswith("python -m cap_stripe.server: ")
    assert said in line
    assert "canary" not in line


def test_a_port_in_use_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, (line,) = command("--port", str(port))
    assert status == 2
    assert f"port {port} of 127.0.0.1 is in use; give another --port" in line


def test_help_has_an_example() -> None:
    status, out, _ = command("--help")
    assert status == 0
    assert any(line.strip().startswith("curl -u sk_test_1: http://") for line in out)


@pytest.mark.feature("MW-13", "MW-14")
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 500 No\r\n\r\n", "it answered 500"),
        (b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", "it answered 301"),
        (b"220 smtp.example.com\r\n", "it answered no HTTP"),
        (b"", "it answered no HTTP"),
        (None, "no connection: Connection refused"),
    ],
)
def test_an_event_that_is_not_taken_is_told_and_comes_again(
    answer: bytes | None, said: str
) -> None:
    async def endpoint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer or b"")
        writer.close()

    async def main() -> list[str]:
        told: asyncio.Queue[str] = asyncio.Queue()
        listening = await asyncio.start_server(endpoint, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        if answer is None:
            listening.close()
            await listening.wait_closed()
        url = f"http://canary:canary@127.0.0.1:{port}/canary?canary=1"
        async with Server(
            clock=Hasty(),
            rng=SeededRng(),
            webhook_url=url,
            webhook_secret=Secret("whsec_canary"),
            tell=told.put_nowait,
        ) as server:
            server.service.account.tell("customer.created", {"id": "cus_canary"}, None)
            async with asyncio.timeout(20):
                lines = [await told.get() for _ in range(ATTEMPTS_MAX)]
        listening.close()
        return [line.replace(f":{port}", ":PORT") for line in lines]

    lines = asyncio.run(main())
    assert not any("canary" in line for line in lines)
    assert all("customer.created to 127.0.0.1:PORT: " + said in line for line in lines)
    assert lines[0].endswith("(attempt 1 of 16); again in 10 s")
    assert lines[-1].endswith("(attempt 16 of 16); given up")


def test_the_command_tells_on_stderr_what_was_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = nobody.getsockname()[1]
    url = f"http://127.0.0.1:{closed}/stripe"
    more = ["--port", "0", "--webhook-url", url, "--webhook-secret", "whsec_canary"]
    command = [sys.executable, "-u", "-m", "cap_stripe.server", *more]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        late = threading.Timer(20, process.kill)
        late.start()
        at = process.stdout.readline().removeprefix("listening on ").strip()
        basic = base64.b64encode(b"sk_test_1:").decode()
        asked = urllib.request.Request(
            f"{at}/v1/customers", b"", {"Authorization": f"Basic {basic}"}
        )
        assert _status(lambda: urllib.request.urlopen(asked)) == 200
        line = process.stderr.readline()
        late.cancel()
        process.terminate()
        process.wait(10)
    assert "no connection: Connection refused (attempt 1 of 16)" in line
    assert "canary" not in line


def _simulate(server: Server, path: str, body: str = "") -> int:
    request = urllib.request.Request(f"{server.url}/simulate/{path}", body.encode())
    return _status(lambda: urllib.request.urlopen(request))


def _status(ask: Callable[[], Any]) -> int:
    try:
        with ask() as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
