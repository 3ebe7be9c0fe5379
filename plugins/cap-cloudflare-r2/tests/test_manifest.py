"""The manifest says what the code does."""

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import cap_cloudflare_r2
import pytest
from cap_cloudflare_r2 import limits
from cap_cloudflare_r2.config import MockConfig, RemoteConfig
from cap_cloudflare_r2.mock import MockR2
from cap_cloudflare_r2.remote import RemoteR2
from core_caps.capabilities.blob_store import BlobStore
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import read
from core_caps.claims.manifest_shape import claims_of
from core_caps.claims.operation import spec_of
from core_caps.errors import DeterminismTooStrong

FOLDER = Path(cap_cloudflare_r2.__file__).parent
MANIFEST = read(FOLDER / "capability.toml")


@pytest.mark.feature("DC-03")
def test_operations_are_methods_of_both_backends():
    for provider in (MockR2, RemoteR2):
        for name in MANIFEST.capabilities["blob"].operations:
            own = inspect.signature(vars(provider)[name]).parameters
            protocols = inspect.signature(getattr(BlobStore, name)).parameters
            assert [(p.name, p.kind, p.default) for p in own.values()] == [
                (p.name, p.kind, p.default) for p in protocols.values()
            ], (provider, name)


@pytest.mark.feature("PH2-04", "DC-03", "S3-02")
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


@pytest.mark.feature("PH2-04", "W2-02")
@pytest.mark.parametrize("level", ["strict", "stable"])
@pytest.mark.parametrize("operation", ["put", "delete", "copy", "presign"])
def test_what_writes_cannot_claim_more_than_best_effort(operation, level):
    claim = f'\n[capabilities.blob.deviations.{operation}]\ndeterminism = "{level}"\n'
    lying = read((FOLDER / "capability.toml").read_bytes() + claim.encode())
    with pytest.raises(DeterminismTooStrong, match="resource::"):
        claims_of(lying, spec_of(BlobStore))


@pytest.mark.feature("DC-03")
def test_limits_are_the_constants():
    for name, limit in MANIFEST.limits.items():
        assert limit.value == getattr(limits, name.upper()), name
        assert limit.source.startswith("https://")


@pytest.mark.feature("DC-03")
@pytest.mark.parametrize(("backend", "config"), [("mock", MockConfig), ("remote", RemoteConfig)])
def test_settings_are_the_fields(backend, config):
    settings = MANIFEST.backends[backend].config
    fields = {field.name: field for field in dataclasses.fields(config)}
    assert list(settings) == list(fields)
    for name, setting in settings.items():
        default = fields[name].default
        assert setting.required == (default is dataclasses.MISSING), name
        if setting.default is not None:
            assert setting.default == default, name


@pytest.mark.feature("DC-01", "DC-04")
def test_the_mock_needs_no_boto3():
    code = (
        "import sys; sys.modules.update(boto3=None, botocore=None)\n"
        "import cap_cloudflare_r2.plugin, cap_cloudflare_r2.mock\n"
        "assert not [m for m in sys.modules if m.startswith(('boto', 'pydantic', 'urllib3'))"
        " and sys.modules[m] is not None], sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.feature("DC-01")
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


@pytest.mark.feature("DC-01")
def test_importing_remote_is_quick_and_leaves_boto3_for_later():
    code = "import sys, cap_cloudflare_r2.remote; assert 'botocore' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
