"""The manifest says what the code does, and the plugin opens through `connect`."""

import asyncio
import dataclasses
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import cap_local
import pytest
from core_caps import connect, sync
from core_caps.capabilities.key_value import KeyValue
from core_caps.capabilities.known import KNOWN, load, spec_for
from core_caps.claims.manifest import FILE_NAME, Backend, Provided, claims_of, read
from core_caps.errors import ConfigInvalid

FILE = Path(cap_local.__file__).parent / FILE_NAME
MANIFEST = read(FILE)
SERVED = [
    (backend, capability)
    for backend in MANIFEST.backends.values()
    for capability in MANIFEST.capabilities.values()
]


@pytest.mark.feature("DC-03")
@pytest.mark.parametrize(
    "capability", MANIFEST.capabilities.values(), ids=lambda capability: capability.name
)
def test_nothing_deviates_and_only_a_signature_is_left_out(capability: Provided) -> None:
    spec = spec_for(capability.contract)
    assert spec is not None
    assert not capability.deviations
    assert set(claims_of(MANIFEST, spec)) == set(capability.operations)
    assert set(spec.operations) - set(capability.operations) <= {"presign"}


@pytest.mark.feature("DC-01", "DC-04")
@pytest.mark.parametrize(
    ("backend", "capability"), SERVED, ids=lambda each: getattr(each, "name", "")
)
def test_backends_have_the_operations_and_settings_that_are_declared(
    backend: Backend, capability: Provided
) -> None:
    module, _, name = backend.providers[capability.name].partition(":")
    provider = getattr(importlib.import_module(module), name)
    protocol = load(KNOWN[capability.contract].protocol)
    for operation in capability.operations:
        ours = inspect.signature(getattr(provider, operation)).parameters
        theirs = inspect.signature(getattr(protocol, operation)).parameters
        assert [(p.name, p.kind, p.default) for p in ours.values()] == [
            (p.name, p.kind, p.default) for p in theirs.values()
        ]
    fields = {field.name for field in dataclasses.fields(provider.Config)}
    assert set(backend.config) == fields


@pytest.mark.feature("DC-01")
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


@pytest.mark.feature("DC-01")
def test_it_needs_nothing_but_the_standard_library() -> None:
    modules = sorted({lazy.partition(":")[0] for b, c in SERVED for lazy in b.providers.values()})
    program = f"""
import sys
import cap_local.plugin, {", ".join(modules)}
ours = {{"core_caps", "cap_local", "pluggy"}}
tops = {{name.partition(".")[0] for name in sys.modules}}
found = tops - ours - sys.stdlib_module_names - {{"__main__", "_virtualenv"}}
assert not [name for name in found if not name.startswith("_")], found
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


@pytest.mark.feature("DC-01")
def test_readme_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    readme = Path(__file__).parents[1] / "README.md"
    _, _, rest = readme.read_text().partition("```python\n")
    program, _, _ = rest.partition("```")
    exec(compile(program, str(readme), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "True [{'name': 'Ada', 'visits': 1}]\n"
