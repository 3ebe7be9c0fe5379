"""The manifest says what the code does, and the plugin opens through `connect`."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from core_caps import connect, sync
from core_caps.capabilities.key_value import KeyValue
from core_caps.capabilities.known import spec_for
from core_caps.claims.manifest import Provided, claims_of
from core_caps.contract.declared import Declared
from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme
from core_caps.errors import ConfigInvalid

MANIFEST = Declared.by("cap_local").manifest

pytestmark = pytest.mark.feature("DC-01", "DC-03", "DC-04")
test_manifest = enrol_manifest("cap_local")
test_readme = enrol_readme(prints="True [{'name': 'Ada', 'visits': 1}]\n")


@pytest.mark.parametrize(
    "capability", MANIFEST.capabilities.values(), ids=lambda capability: capability.name
)
def test_nothing_deviates_and_only_a_signature_is_left_out(capability: Provided) -> None:
    spec = spec_for(capability.contract)
    assert spec is not None
    assert not capability.deviations
    assert set(claims_of(MANIFEST, spec)) == set(capability.operations)
    assert set(spec.operations) - set(capability.operations) <= {"presign"}


def test_connect_opens_the_folder_and_finds_it_again(tmp_path: Path) -> None:
    folder = tmp_path / "not yet" / "there"

    async def main() -> bytes | None:
        config = {"path": str(folder)}
        async with connect(KeyValue, "local", backend="local", config=config) as kv:
            await kv.put("greeting", b"hello", ttl_seconds=3600)
        async with connect(KeyValue, "local", backend="local", config=config) as kv:
            return await kv.get("greeting")

    assert asyncio.run(main()) == b"hello"
    with sync.connect(KeyValue, "local", backend="local", config={"path": str(folder)}) as kv:
        assert kv.get("greeting") == b"hello"


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ConfigInvalid):
        connect_and_close(path)


def connect_and_close(path: str) -> None:
    with sync.connect(KeyValue, "local", backend="local", config={"path": path}):
        pass


def test_it_needs_nothing_but_the_standard_library() -> None:
    named = [lazy for each in MANIFEST.backends.values() for lazy in each.providers.values()]
    modules = sorted({lazy.partition(":")[0] for lazy in named})
    program = f"""
import sys
import cap_local.plugin, {", ".join(modules)}
ours = {{"core_caps", "cap_local", "pluggy"}}
tops = {{name.partition(".")[0] for name in sys.modules}}
found = tops - ours - sys.stdlib_module_names - {{"__main__", "_virtualenv"}}
assert not [name for name in found if not name.startswith("_")], found
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
