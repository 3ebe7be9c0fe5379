"""The manifest says what the code does, and the plugin opens through `connect`."""

import pytest
from core_caps.capabilities.key_value import KeyValue
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import claims_of
from core_caps.claims.operation import spec_of
from core_caps.contract.declared import Declared
from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme

MANIFEST = Declared.by("cap_cloudflare_kv").manifest
SPEC = spec_of(KeyValue)

pytestmark = pytest.mark.feature("DC-01", "DC-03", "DC-04", "PH2-01", "W2-01", "W2-02")
test_manifest = enrol_manifest("cap_cloudflare_kv")
test_readme = enrol_readme(prints="b'hello'\n['greeting']\n")


def test_hints_floor_the_claims() -> None:
    claims = claims_of(MANIFEST, SPEC)
    assert set(claims) == set(SPEC.operations)
    for name, claim in claims.items():
        reads = name.startswith(("get", "list"))
        assert claim.hints == (f"resource::kv::{'read' if reads else 'write'}",)
        assert claim.effects is (Effects.READ_ONLY if reads else Effects.EFFECTFUL)
        assert claim.determinism is Determinism.BEST_EFFORT
