"""The manifest says what the code does, and the plugin opens through `connect`."""

import pytest
from core_caps.capabilities.sql import Sql
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import claims_of
from core_caps.claims.operation import spec_of
from core_caps.contract.declared import Declared
from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme

MANIFEST = Declared.by("cap_cloudflare_d1").manifest
SPEC = spec_of(Sql)

pytestmark = pytest.mark.feature("CW-01", "DC-01", "DC-03", "DC-04")
test_manifest = enrol_manifest("cap_cloudflare_d1")
test_readme = enrol_readme(prints="[{'id': 'run-1', 'state': 'started'}]\n")


def test_hints_floor_the_claims() -> None:
    claims = claims_of(MANIFEST, SPEC)
    assert set(claims) == set(SPEC.operations)
    for name, claim in claims.items():
        reads = name.startswith("query")
        assert claim.hints == (f"resource::db::{'read' if reads else 'write'}",)
        assert claim.effects is (Effects.READ_ONLY if reads else Effects.EFFECTFUL)
        assert claim.determinism is Determinism.BEST_EFFORT
