"""The manifest says what the code does, and the plugin opens through `connect`."""

import pytest
from cap_http import config, urls
from core_caps.capabilities.http import Http
from core_caps.claims.egress import addresses
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import claims_of
from core_caps.claims.operation import spec_of
from core_caps.contract.declared import Declared
from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme

MANIFEST = Declared.by("cap_http").manifest
SPEC = spec_of(Http)
READS = {"get", "head", "open", "get_pinned"}

pytestmark = pytest.mark.feature("DC-01", "DC-03", "DC-04")
test_manifest = enrol_manifest("cap_http")
test_readme = enrol_readme(prints="201 b'one tea'\n")


def test_hints_floor_the_claims() -> None:
    claims = claims_of(MANIFEST, SPEC)
    assert set(claims) == set(SPEC.operations)
    for name, claim in claims.items():
        assert (claim.effects is Effects.READ_ONLY) == (name in READS)
        assert (claim.determinism is Determinism.STABLE) == (name == "get_pinned")
    assert claims["get_pinned"].hints == ("resource::http::read::pinned",)


@pytest.mark.feature("CK-04", "S2-09")
def test_the_hosts_of_a_deployment_are_its_egress() -> None:
    remote = MANIFEST.backends["remote"]
    hosts = "api.example.com:443, files.example.com:8443"
    assert addresses(remote.egress, {"hosts": hosts}) == [
        ("api.example.com", 443),
        ("files.example.com", 8443),
    ]
    assert remote.config["hosts"].required


def test_limits_are_the_codes_own() -> None:
    assert MANIFEST.limits["url_size_bytes_max"].value == urls.URL_CHARACTERS_MAX
    assert MANIFEST.limits["request_size_bytes_max"].value == config.REQUEST_SIZE_BYTES_MAX
