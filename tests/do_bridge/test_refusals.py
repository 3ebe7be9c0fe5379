"""What no client of ours sends: the bridge and the lab's reference of it refuse the same."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from core_caps.contract.reference import Request
from flows_registry.lab.references.cloudflare_do import CloudflareDoBridge

pytestmark = [pytest.mark.feature("PH2-09"), pytest.mark.slow]

ONE = {"object": {"name": "one"}}
LEASE = {"owner": "one", "lease_seconds": 60}
BODIES: dict[str, tuple[str, Any]] = {
    "an operation of the language": ("constructor", ONE),
    "an operation of no object": ("__proto__", ONE),
    "an operation of the class": ("turn", ONE),
    "no JSON": ("get", b"{"),
    "a list": ("get", []),
    "nothing": ("get", None),
    "no object": ("get", {"key": "k"}),
    "an object by word": ("get", {"object": "one", "key": "k"}),
    "an object of no name": ("get", {"object": {"name": ""}, "key": "k"}),
    "an object by number": ("get", {"object": {"name": 5}, "key": "k"}),
    "an object by both": ("get", {"object": {"name": "one", "id": "a"}, "key": "k"}),
    "a stranger's object": ("get", {"object": {"id": "0" * 64}, "key": "k"}),
    "no key": ("get", ONE),
    "a key by number": ("get", {**ONE, "key": 5}),
    "an empty key": ("delete", {**ONE, "key": ""}),
    "a long key": ("delete", {**ONE, "key": "é" * 1025}),
    "keys by word": ("get_many", {**ONE, "keys": "k"}),
    "too many keys": ("get_many", {**ONE, "keys": ["k"] * 129}),
    "no value": ("put", {**ONE, "key": "k"}),
    "absence as a value": ("put", {**ONE, "key": "k", "value": None}),
    "a value that is no base64": ("put", {**ONE, "key": "k", "value": "no base64!"}),
    "no changes": ("transaction", ONE),
    "changes by name": ("transaction", {**ONE, "changes": {"k": ""}}),
    "a change by number": ("transaction", {**ONE, "changes": [5]}),
    "a key that is changed twice": ("transaction", {**ONE, "changes": [["k", ""], ["k", None]]}),
    "a condition by number": ("transaction", {**ONE, "changes": [], "if_values": [["k", 5]]}),
    "too many changes": ("transaction", {**ONE, "changes": [[f"k{n}", ""] for n in range(129)]}),
    "a limit of none": ("list", {**ONE, "limit": 0}),
    "a limit by word": ("list", {**ONE, "limit": "10"}),
    "a limit in fractions": ("list", {**ONE, "limit": 1.5}),
    "a limit beyond": ("list", {**ONE, "limit": 1001}),
    "a bound by number": ("list", {**ONE, "prefix": 5}),
    "two beginnings": ("list", {**ONE, "start": "a", "start_after": "b"}),
    "an alarm of no time": ("set_alarm", ONE),
    "an alarm at zero": ("set_alarm", {**ONE, "at_ms": 0}),
    "an alarm in fractions": ("set_alarm", {**ONE, "at_ms": 1.5}),
    "an alarm beyond time": ("set_alarm", {**ONE, "at_ms": 8_640_000_000_000_001}),
    "no reservations": ("reserve_many", {**ONE, **LEASE}),
    "no owner": ("reserve_many", {**ONE, "reservations": [], "lease_seconds": 60}),
    "no lease": ("reserve_many", {**ONE, "reservations": [], "owner": "one"}),
    "a lease of none": ("reserve_many", {**ONE, **LEASE, "reservations": [], "lease_seconds": 0}),
    "a key that is reserved twice": (
        "reserve_many",
        {**ONE, **LEASE, "reservations": [["k", ""], ["k", ""]]},
    ),
    "a payload by number": ("reserve_many", {**ONE, **LEASE, "reservations": [["k", 5]]}),
    "too many reservations": (
        "reserve_many",
        {**ONE, **LEASE, "reservations": [[f"k{n}", ""] for n in range(1001)]},
    ),
    "no commits": ("commit_many", {**ONE, "owner": "one", "ttl_seconds": 60}),
    "no time to live": ("commit_many", {**ONE, "owner": "one", "commits": []}),
    "keys to release by word": ("release_many", {**ONE, "owner": "one", "keys": "k"}),
    "an entry without digest": ("append", {**ONE, "key": "k"}),
    "an entry without key": ("append", {**ONE, "digest": "d"}),
}


@pytest.mark.parametrize("name", BODIES)
def test_the_bridge_and_its_reference_refuse_the_same(bridge: Any, name: str) -> None:
    operation, content = BODIES[name]
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"authorization": f"Bearer {bridge.token}", "content-type": "application/json"}
    request = urllib.request.Request(f"{bridge.url}/v1/{operation}", data=body, headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as answer:
        code = json.loads(answer.read())["error"]["code"]

    reference = CloudflareDoBridge({}, {"bridge_token": bridge.token}, lambda: 1_800_000_000.0)
    given = Request("POST", "bridge.example", f"/v1/{operation}", tuple(headers.items()), body)
    expected = reference.handle(given)
    assert (refused.value.code, code) == (
        expected.status,
        json.loads(expected.body)["error"]["code"],
    )
    assert 400 <= expected.status < 500
    assert reference.state() == {"objects": {}, "ledgers": {}}
