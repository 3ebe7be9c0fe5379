"""Each reference tells which of the vendor's permissions a request needs, the least first."""

import pytest
from flows_registry.lab.references.exchange import Request, Scoped
from flows_registry.lab.references.known import REFERENCES, reference_factory

pytestmark = pytest.mark.feature("P4-05", "CK-04")

KV = "/client/v4/accounts/a/storage/kv/namespaces/n"
D1 = "/client/v4/accounts/a/d1/database/d/raw"
OBJECTS = ("Object Read & Write", "Admin Read & Write")
READS = ("Object Read only", OBJECTS[0], "Admin Read only", OBJECTS[1])
KV_READS = ("Workers KV Storage Read", "Workers KV Storage Write")
KV_WRITES = KV_READS[1:]
BUCKET = {"bucket": "b"}


def _scopes(wire: str, method: str, target: str, body: bytes = b"") -> tuple[str, ...]:
    factory = reference_factory(wire)
    assert factory is not None
    reference = factory.create(BUCKET, {"api_token": "t"}, lambda: 0.0)
    assert isinstance(reference, Scoped)
    told = reference.scopes(Request(method, "a.r2.cloudflarestorage.com", target, body=body))
    assert told is not None
    return tuple(told)


@pytest.mark.parametrize(
    ("wire", "method", "target", "body", "needed"),
    [
        ("cloudflare-kv", "GET", f"{KV}/values/k", b"", KV_READS),
        ("cloudflare-kv", "POST", f"{KV}/bulk/get", b"", KV_READS),
        ("cloudflare-kv", "PUT", f"{KV}/values/k", b"", KV_WRITES),
        ("cloudflare-d1", "POST", D1, b'{"sql": "SELECT 1"}', ("D1 Read", "D1 Write")),
        ("cloudflare-d1", "POST", D1, b'{"sql": "with x as () insert into t"}', ("D1 Write",)),
        ("cloudflare-queue", "POST", "/accounts/a/queues/q/messages/pull", b"", ("Queues Write",)),
        ("s3", "GET", "/b/key", b"", READS),
        ("s3", "GET", "/b?list-type=2", b"", READS),
        ("s3", "PUT", "/b/key", b"", OBJECTS),
        ("s3", "POST", "/b?delete", b"", OBJECTS),
        ("s3", "PUT", "/b", b"", OBJECTS[1:]),
        ("s3", "GET", "/", b"", ("Admin Read only", OBJECTS[1])),
        ("stripe", "GET", "/v1/events", b"", ("Events: Read", "Events: Write")),
        ("stripe", "POST", "/v1/refunds", b"", ("Charges and Refunds: Write",)),
        ("http", "PUT", "/anything", b"", ()),
    ],
)  # fmt: skip
def test_what_a_request_needs(
    wire: str, method: str, target: str, body: bytes, needed: tuple[str, ...]
) -> None:
    assert _scopes(wire, method, target, body) == needed


@pytest.mark.parametrize("wire", sorted(REFERENCES))
def test_every_reference_of_ours_tells(wire: str) -> None:
    factory = reference_factory(wire)
    assert factory is not None
    assert hasattr(factory.create, "scopes")
