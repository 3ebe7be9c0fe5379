"""The manifest says what the code does."""

import subprocess
import sys

import pytest
from core_caps.capabilities.blob_store import BlobStore
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import claims_of
from core_caps.claims.operation import spec_of
from core_caps.contract.declared import Declared
from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme

MANIFEST = Declared.by("cap_cloudflare_r2").manifest

pytestmark = pytest.mark.feature("DC-01", "DC-03", "DC-04", "PH2-04", "W2-02")
test_manifest = enrol_manifest("cap_cloudflare_r2")
test_readme = enrol_readme(prints="first line\nsecond line\n")


@pytest.mark.feature("S3-02")
def test_hints_and_what_follows():
    claims = claims_of(MANIFEST, spec_of(BlobStore))
    for name in ("put", "delete", "copy"):
        assert claims[name].hints == ("resource::blob::write",)
        assert claims[name].effects is Effects.EFFECTFUL
        assert claims[name].determinism is Determinism.BEST_EFFORT, "a write downgrades"
    for name in ("get", "open", "head", "list"):
        assert claims[name].hints == ("resource::blob::read",)
        assert claims[name].effects is Effects.READ_ONLY
    pinned = claims["get_by_hash"]
    assert (pinned.effects, pinned.determinism) == (Effects.READ_ONLY, Determinism.STRICT)
    assert "resource::blob::write" in claims["presign"].delegates


def test_without_boto3_remote_says_what_is_missing():
    code = (
        "import sys, importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda n, *a: None if n == 'boto3' else found(n, *a)\n"
        "try:\n    import cap_cloudflare_r2.remote\n"
        "except ModuleNotFoundError as error:\n    assert error.name == 'boto3'\n"
        "else:\n    raise SystemExit('imported')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_remote_is_quick_and_leaves_boto3_for_later():
    code = "import sys, cap_cloudflare_r2.remote; assert 'botocore' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
