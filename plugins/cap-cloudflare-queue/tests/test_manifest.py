"""The manifest says what the code does, and the plugin opens through `connect`."""

import pytest
from core_caps.capabilities.queue import Queue
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import claims_of
from core_caps.claims.operation import spec_of
from core_caps.contract.declared import Declared
from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme

MANIFEST = Declared.by("cap_cloudflare_queue").manifest
SPEC = spec_of(Queue)

pytestmark = pytest.mark.feature("DC-01", "DC-03", "DC-04", "PH2-06")
test_manifest = enrol_manifest("cap_cloudflare_queue")
test_readme = enrol_readme(
    prints="""b'ship it' order-7 1
[[queues.producers]]
binding = "MAIL"
queue = "mail"

[[queues.consumers]]
queue = "orders"
max_batch_size = 10
max_batch_timeout = 5
max_retries = 5
dead_letter_queue = "orders-dead"

"""
)


def test_hints_floor_the_claims() -> None:
    claims = claims_of(MANIFEST, SPEC)
    assert set(claims) == set(SPEC.operations)
    for name, claim in claims.items():
        published = name.startswith("send")
        assert claim.hints == (f"resource::queue::{'publish' if published else 'consume'}",)
        assert claim.effects is Effects.EFFECTFUL
        assert claim.determinism is Determinism.BEST_EFFORT
