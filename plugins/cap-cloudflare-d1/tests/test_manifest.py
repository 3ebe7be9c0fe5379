"""The manifest says what the code does, and the plugin opens through `connect`."""

import asyncio
import dataclasses
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import cap_cloudflare_d1
import pytest
from cap_cloudflare_d1 import limits
from core_caps import connect
from core_caps.capabilities.sql import Sql
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import FILE_NAME, claims_of, read
from core_caps.claims.operation import spec_of
from core_caps.errors import DeterminismTooStrong, EffectTooSmall

FILE = Path(cap_cloudflare_d1.__file__).parent / FILE_NAME
MANIFEST = read(FILE)
PROVIDED = MANIFEST.capabilities["sql"]
SPEC = spec_of(Sql)


@pytest.mark.feature("DC-03", "CW-01")
def test_hints_floor_the_claims() -> None:
    claims = claims_of(MANIFEST, SPEC)
    assert set(claims) == set(SPEC.operations)
    for name, claim in claims.items():
        reads = name.startswith("query")
        assert claim.hints == (f"resource::db::{'read' if reads else 'write'}",)
        assert claim.effects is (Effects.READ_ONLY if reads else Effects.EFFECTFUL)
        assert claim.determinism is Determinism.BEST_EFFORT


@pytest.mark.feature("DC-03", "CW-01")
@pytest.mark.parametrize(
    ("operation", "claim", "error"),
    [
        ("execute", 'effects = "read_only"', EffectTooSmall),
        ("query", 'effects = "pure"', EffectTooSmall),
        ("batch", 'determinism = "stable"', DeterminismTooStrong),
        ("query", 'determinism = "strict"', DeterminismTooStrong),
    ],
)
def test_a_claim_that_does_not_match_its_hint_is_refused(operation, claim, error) -> None:
    deviation = f"\n[capabilities.sql.deviations.{operation}]\n{claim}\n"
    lying = read(FILE.read_bytes() + deviation.encode())
    with pytest.raises(error) as refused:
        claims_of(lying, SPEC)
    assert refused.value.code in ("EFFECT201", "DET302")
    assert refused.value.hint


@pytest.mark.feature("DC-03", "CW-01")
def test_limits_are_the_codes_own() -> None:
    for name, limit in MANIFEST.limits.items():
        assert getattr(limits, name.upper()) == limit.value
        assert limit.source.startswith("https://developers.cloudflare.com/d1/")
    assert set(MANIFEST.costs) == set(PROVIDED.operations)


@pytest.mark.feature("DC-04", "CW-01")
@pytest.mark.parametrize("backend", MANIFEST.backends.values(), ids=lambda backend: backend.name)
def test_backends_have_the_operations_and_settings_that_are_declared(backend) -> None:
    module, _, name = backend.providers["sql"].partition(":")
    provider = getattr(importlib.import_module(module), name)
    for operation in PROVIDED.operations:
        method = vars(provider)[operation]
        assert inspect.iscoroutinefunction(method)
        ours = inspect.signature(method).parameters
        protocol = inspect.signature(getattr(Sql, operation)).parameters
        assert [(p.name, p.kind, p.default) for p in ours.values()] == [
            (p.name, p.kind, p.default) for p in protocol.values()
        ]
    fields = {field.name: field.default for field in dataclasses.fields(provider.Config)}
    assert set(backend.config) == set(fields)
    for setting in backend.config.values():
        if setting.default is not None:
            assert setting.default == fields[setting.name]


@pytest.mark.feature("DC-04", "DC-01")
def test_connect_opens_the_mock() -> None:
    async def main() -> object:
        async with connect(Sql, "cloudflare-d1", backend="mock") as sql:
            await sql.execute("CREATE TABLE t (id)")
            await sql.execute("INSERT INTO t VALUES ($1)", ("a",), key="k")
            return (await sql.query("SELECT id FROM t")).one()

    assert asyncio.run(main()) == {"id": "a"}


@pytest.mark.feature("DC-01")
def test_the_mock_needs_nothing_but_the_standard_library() -> None:
    heavy = ("httpx", "httpx_aiohttp", "aiohttp", "pydantic")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({heavy!r}))\n"
        "import cap_cloudflare_d1.plugin, cap_cloudflare_d1.mock"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


@pytest.mark.feature("DC-01")
def test_readme_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    readme = Path(__file__).parents[1] / "README.md"
    if not readme.exists():
        pytest.skip("run from an installed wheel: the README is in the source tree")
    _, _, rest = readme.read_text().partition("```python\n")
    program, _, _ = rest.partition("```")
    exec(compile(program, str(readme), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "[{'id': 'run-1', 'state': 'started'}]\n"
