"""The account behind a socket: the vendor's own client speaks to it, and events are posted."""

import asyncio
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe
from cap_stripe.config import MOCK_WEBHOOK_SECRET
from cap_stripe.server import Server
from cap_stripe.webhooks import Signer
from core_caps.clock import SystemClock
from core_caps.errors import SignatureInvalid
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("S4-08", "DC-04")


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

    class Hasty(SystemClock):
        """An hour passes with every look."""

        passed = 0.0

        def now(self) -> float:
            return 1_700_000_000.0 + self.passed

        async def sleep(self, seconds: float) -> None:
            self.passed += 3600
            await asyncio.sleep(0.001)

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
