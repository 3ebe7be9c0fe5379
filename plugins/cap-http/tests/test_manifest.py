"""The manifest says what the code does, and the plugin opens through `connect`."""

import asyncio
import dataclasses
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import cap_http
import pytest
from cap_http import config, urls
from core_caps import connect
from core_caps.capabilities.http import Http
from core_caps.claims.egress import addresses
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import FILE_NAME, claims_of, read
from core_caps.claims.operation import spec_of
from core_caps.errors import DeterminismTooStrong, EffectTooSmall

FILE = Path(cap_http.__file__).parent / FILE_NAME
MANIFEST = read(FILE)
PROVIDED = MANIFEST.capabilities["http"]
SPEC = spec_of(Http)
READS = {"get", "head", "open", "get_pinned"}


@pytest.mark.feature("DC-03")
def test_hints_floor_the_claims() -> None:
    claims = claims_of(MANIFEST, SPEC)
    assert set(claims) == set(SPEC.operations)
    for name, claim in claims.items():
        assert (claim.effects is Effects.READ_ONLY) == (name in READS)
        assert (claim.determinism is Determinism.STABLE) == (name == "get_pinned")
    assert claims["get_pinned"].hints == ("resource::http::read::pinned",)


@pytest.mark.feature("DC-03")
@pytest.mark.parametrize(
    ("operation", "claim", "error"),
    [
        ("put", 'effects = "read_only"', EffectTooSmall),
        ("get", 'effects = "pure"', EffectTooSmall),
        ("get", 'determinism = "stable"', DeterminismTooStrong),
        ("get_pinned", 'determinism = "strict"', DeterminismTooStrong),
    ],
)
def test_a_claim_that_does_not_match_its_hint_is_refused(operation, claim, error) -> None:
    deviation = f"\n[capabilities.http.deviations.{operation}]\n{claim}\n"
    with pytest.raises(error):
        claims_of(read(FILE.read_bytes() + deviation.encode()), SPEC)


@pytest.mark.feature("CK-04", "S2-09")
def test_the_hosts_of_a_deployment_are_its_egress() -> None:
    remote = MANIFEST.backends["remote"]
    hosts = "api.example.com:443, files.example.com:8443"
    assert addresses(remote.egress, {"hosts": hosts}) == [
        ("api.example.com", 443),
        ("files.example.com", 8443),
    ]
    assert remote.config["hosts"].required


@pytest.mark.feature("DC-03")
def test_limits_are_the_codes_own() -> None:
    assert MANIFEST.limits["url_size_bytes_max"].value == urls.URL_CHARACTERS_MAX
    assert MANIFEST.limits["request_size_bytes_max"].value == config.REQUEST_SIZE_BYTES_MAX
    assert set(MANIFEST.costs) == set(PROVIDED.operations)


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize("backend", MANIFEST.backends.values(), ids=lambda backend: backend.name)
def test_backends_have_the_operations_and_settings_that_are_declared(backend) -> None:
    module, _, name = backend.providers["http"].partition(":")
    provider = getattr(importlib.import_module(module), name)
    for operation in PROVIDED.operations:
        ours = inspect.signature(vars(provider)[operation]).parameters
        protocol = inspect.signature(getattr(Http, operation)).parameters
        assert [(p.name, p.kind, p.default) for p in ours.values()] == [
            (p.name, p.kind, p.default) for p in protocol.values()
        ]
    fields = {field.name: field.default for field in dataclasses.fields(provider.Config)}
    assert set(backend.config) == set(fields)
    for setting in backend.config.values():
        if setting.default is not None:
            assert setting.default == fields[setting.name]


@pytest.mark.feature("DC-01", "DC-04")
def test_connect_opens_the_mock() -> None:
    async def main() -> bytes:
        async with connect(Http, "http", backend="mock") as http:
            await http.put("https://site.example/a", b"hello")
            return (await http.get("https://site.example/a")).raise_for_status().body

    assert asyncio.run(main()) == b"hello"


@pytest.mark.feature("DC-01")
def test_the_mock_needs_nothing_but_the_standard_library() -> None:
    heavy = ("httpx", "httpcore", "anyio", "pydantic")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({heavy!r}))\n"
        "import cap_http.plugin, cap_http.mock"
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
    assert capsys.readouterr().out == "201 b'one tea'\n"
