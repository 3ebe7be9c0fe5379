"""The bridge Worker in the vendor's own runtime: suites, clocks, alarms, the token."""

import asyncio
import itertools
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import cap_cloudflare_do
import pytest
from core_caps.capabilities.dedupe import Done, Fresh, InProgress
from core_caps.capabilities.durable_object import DurableObject, Item, ObjectRef
from core_caps.capabilities.known import KNOWN, load
from core_caps.capabilities.object_stub import DurableObjectContext
from core_caps.claims.manifest import FILE_NAME, read
from core_caps.clock import SystemClock
from core_caps.contract.suite import ContractCase, World, selected
from core_caps.errors import Outcome, Unauthenticated

pytestmark = [pytest.mark.feature("PH2-09", "CW-13"), pytest.mark.slow]

MANIFEST = read(Path(cap_cloudflare_do.__file__).parent / FILE_NAME)
_namespaces = itertools.count()


def _world(capability: str, reopen: Any) -> World:
    provided = MANIFEST.capabilities[capability]
    return World(
        backend="remote",
        clock=SystemClock(),
        advance=None,
        limits={name: int(limit.value) for name, limit in MANIFEST.limits.items()},
        guarantees=provided.guarantees,
        operations=frozenset(provided.operations),
        reopen=reopen,
    )


CASES = [
    pytest.param(name, case, id=f"{name}-{case.name}")
    for name, provided in MANIFEST.capabilities.items()
    for case in selected(load(KNOWN[provided.contract].suite), _world(name, None))
]


@pytest.mark.parametrize(("capability", "case"), CASES)
def test_the_suites_hold(bridge: Any, capability: str, case: ContractCase) -> None:
    namespace = f"suite-{next(_namespaces)}"
    world = _world(capability, lambda: bridge.client(capability, namespace))
    bridge.run(capability, namespace, lambda client: case.run(client, world))


@pytest.mark.feature("S3-07")
def test_leases_and_results_end_by_the_objects_clock(bridge: Any) -> None:
    async def use(store: Any) -> None:
        named = {"lease_seconds": 0.5, "payload": b"p"}
        assert await store.reserve("k", owner="one", **named) == Fresh()
        told = await store.reserve("k", owner="two", lease_seconds=60)
        assert isinstance(told, InProgress)
        assert abs(told.until - time.time() - 0.5) < 0.5
        await asyncio.sleep(0.6)
        assert await store.reserve("k", owner="two", lease_seconds=60) == Fresh()
        await store.commit("k", owner="two", result=b"r", ttl_seconds=0.5)
        assert await store.reserve("k", owner="one", lease_seconds=60) == Done(b"r")
        await asyncio.sleep(0.6)
        assert await store.reserve("k", owner="one", lease_seconds=60, payload=b"q") == Fresh()

    bridge.run("dedupe", "clock", use)


def test_an_alarm_rings_by_the_objects_clock(bridge: Any) -> None:
    async def use(objects: DurableObject) -> None:
        one = ObjectRef(name="one")
        at = time.time() + 0.5
        await objects.set_alarm(one, at)
        alarm = await objects.get_alarm(one)
        assert alarm is not None
        assert not alarm.rang
        await asyncio.sleep(0.7)
        alarm = await objects.get_alarm(one)
        assert alarm is not None
        assert alarm.rang
        await objects.delete_alarm(one, at=alarm.at)
        assert await objects.get_alarm(one) is None

    bridge.run("durable_object", "alarms", use)


def test_whoever_is_to_be_told_of_an_alarm_is_told_at_least_once(told: Any) -> None:
    """The runtime calls the object again where the queue was away."""

    async def use(objects: DurableObject) -> tuple[bytes | None, bytes | None]:
        one = ObjectRef(name="one")
        await objects.set_alarm(one, 1.5)
        for _ in range(100):
            if await objects.get(one, "message") is not None:
                break
            await asyncio.sleep(0.1)
        assert await objects.get_alarm(one) is not None, "it stays until it is deleted"
        return await objects.get(one, "told"), await objects.get(one, "message")

    tries, message = told.run("durable_object", "told", use)
    assert len(tries) >= 2
    found = json.loads(message)
    assert found["at_ms"] == 1500
    assert len(found["object"]["id"]) == 64


@pytest.mark.feature("W3-01", "W3-03", "CW-12")
def test_a_session_goes_on_in_another_client_after_an_approval(bridge: Any) -> None:
    async def halt(objects: DurableObject) -> None:
        storage = DurableObjectContext.of(objects, "user-7").storage
        await storage.transaction([Item("step", b"wait"), Item("draft", b"hello")])

    async def approve(objects: DurableObject) -> tuple[bool, bool, bytes | None]:
        storage = DurableObjectContext.of(objects, "user-7").storage
        first = await storage.compare_and_set("step", b"wait", b"approved")
        again = await storage.compare_and_set("step", b"wait", b"approved")
        return first, again, await storage.get("draft")

    bridge.run("durable_object", "session", halt)
    assert bridge.run("durable_object", "session", approve) == (True, False, b"hello")


def _status(url: str, authorization: str | None) -> int:
    request = urllib.request.Request(f"{url}/v1/new_id", data=b"{}", method="POST")
    if authorization is not None:
        request.add_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer undefined", "Bearer null", "Basic canary-token-7f3a"],
)
def test_only_the_token_opens_it(bridge: Any, without_token: Any, authorization: Any) -> None:
    assert _status(bridge.url, authorization) == 401
    assert _status(without_token.url, authorization) == 401
    assert _status(without_token.url, f"Bearer {bridge.token}") == 401
    assert _status(bridge.url, f"Bearer {bridge.token}") == 200
    assert _status(bridge.url, f"Bearer {bridge.token}x") == 401
    assert _status(bridge.url, f"Bearer {bridge.token[:-1]}") == 401


def test_a_bridge_without_a_token_refuses_its_clients(without_token: Any) -> None:
    with pytest.raises(Unauthenticated) as refused:
        without_token.run("durable_object", "none", lambda objects: objects.new_id())
    assert refused.value.outcome is Outcome.NOT_APPLIED
    assert without_token.token not in str(refused.value)
