"""Idempotency keys per second: the compiled path beside cbor2's canonical mode and BLAKE3.

The work differs in ours' disfavour: ours checks every type and normalises text, the peer does not.
Every call meets other values, so that nothing gains from having seen them before.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

import cbor2
from blake3 import blake3
from core_caps.keys import KeySchema, compile_key, encode
from side_by_side import Comparison, compare, report

GOAL = ">= 2.2x"
_VALUES = 512  # distinct inputs, used in turn


def invoice(n: int) -> dict[str, object]:
    """The key of a charge: about 133 bytes of CBOR."""
    return {
        "invoice": f"inv_2026_{n:06}",
        "customer": f"cus_{n * 7919:012x}",
        "cents": 100 + n * 977,
        "currency": "EUR",
        "items": [n.to_bytes(8, "big"), (n + 1).to_bytes(8, "big")],
    }


def event(n: int) -> dict[str, object]:
    """The key of one event: two small fields."""
    return {"event": f"evt_{n:08x}", "at": 1_700_000_000 + n}


def order(n: int) -> dict[str, object]:
    """The key of an order: maps in lists in maps, floats, an absent value."""
    return {
        "order": {"id": n * 65_537, "placed": "2026-11-20T10:00:00Z", "gift": n % 2 == 0},
        "address": {"zip": f"{n:05}", "city": "Zürich", "at": {"lat": 47.5 + n, "lon": n / 7}},
        "lines": [
            {"sku": f"sku-{n}-{line}", "count": line, "price": line + 0.25} for line in range(3)
        ],
        "note": None,
    }


SCHEMAS: Sequence[tuple[str, KeySchema, Callable[[int], dict[str, object]]]] = (
    (
        "invoice",
        KeySchema(
            {"invoice": str, "customer": str, "cents": int, "currency": str, "items": [bytes]}
        ),
        invoice,
    ),
    ("event", KeySchema({"event": str, "at": int}), event),
    (
        "nested order",
        KeySchema(
            {
                "order": {"id": int, "placed": str, "gift": bool},
                "address": {"zip": str, "city": str, "at": {"lat": float, "lon": float}},
                "lines": [{"sku": str, "count": int, "price": float}],
                "note": str | None,
            }
        ),
        order,
    ),
)


def beside_cbor2(
    name: str, schema: KeySchema, make: Callable[[int], dict[str, object]]
) -> Comparison:
    """One schema, the same inputs for both; they must agree before they are timed."""
    inputs = [(f"part-{n % 16:04}", make(n)) for n in range(_VALUES)]
    key = compile_key("payments", "charge", schema)

    def peer_key(partition: str, fields: Mapping[str, object]) -> bytes:
        whole = {"f": "payments", "n": "charge", "p": partition, "x": fields}
        return blake3(cbor2.dumps(whole, canonical=True)).digest()

    assert all(key(*each) == peer_key(*each) for each in inputs), f"{name}: the keys differ"
    ours_inputs, peer_inputs = itertools.cycle(inputs), itertools.cycle(inputs)

    def ours() -> None:
        key(*next(ours_inputs))

    def peer() -> None:
        peer_key(*next(peer_inputs))

    size = len(encode({"f": "payments", "n": "charge", "p": inputs[0][0], "x": inputs[0][1]}))
    return compare(f"{name}, {size} bytes", ours, peer, goal=GOAL)


if __name__ == "__main__":
    report([beside_cbor2(*each) for each in SCHEMAS])
