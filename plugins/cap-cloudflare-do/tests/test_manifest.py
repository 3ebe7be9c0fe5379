"""The manifest says what the code does, the bridge too, and the plugin opens through `connect`."""

import asyncio
import dataclasses
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import cap_cloudflare_do
import pytest
from cap_cloudflare_do import deployment, limits
from core_caps import Dedupe, DurableObject, Sequencer, connect, sync
from core_caps.capabilities.durable_object import ObjectRef
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import FILE_NAME, claims_of, read
from core_caps.claims.operation import spec_of
from core_caps.errors import ConfigInvalid, DeterminismTooStrong, EffectTooSmall

HOME = Path(cap_cloudflare_do.__file__).parent
FILE = HOME / FILE_NAME
MANIFEST = read(FILE)
PROTOCOLS = {"durable_object": DurableObject, "dedupe": Dedupe, "sequencer": Sequencer}
READS = {"get", "get_many", "list", "get_alarm", "new_id"}
PAIRS = [(b, c) for b in MANIFEST.backends.values() for c in PROTOCOLS]


@pytest.mark.feature("W3-02", "PH2-10", "DC-03")
def test_whatever_stores_is_best_effort() -> None:
    claims = claims_of(MANIFEST, spec_of(DurableObject))
    for name, claim in claims.items():
        reads = name in READS
        assert claim.hints == (f"resource::do::{'read' if reads else 'write'}",)
        assert claim.effects is (Effects.READ_ONLY if reads else Effects.EFFECTFUL)
        assert claim.determinism >= Determinism.BEST_EFFORT


@pytest.mark.feature("W3-02", "PH2-10", "DC-03")
@pytest.mark.parametrize(
    ("operation", "claim", "error"),
    [
        ("put", 'effects = "read_only"', EffectTooSmall),
        ("transaction", 'determinism = "stable"', DeterminismTooStrong),
        ("set_alarm", 'determinism = "strict"', DeterminismTooStrong),
        ("get", 'determinism = "stable"', DeterminismTooStrong),
    ],
)
def test_a_claim_that_does_not_match_its_hint_is_refused(operation, claim, error) -> None:
    deviation = f"\n[capabilities.durable_object.deviations.{operation}]\n{claim}\n"
    lying = read(FILE.read_bytes() + deviation.encode())
    with pytest.raises(error) as refused:
        claims_of(lying, spec_of(DurableObject))
    assert refused.value.code in ("EFFECT201", "DET302")


@pytest.mark.feature("DC-03", "CW-14")
def test_limits_are_the_codes_own_and_the_bridges() -> None:
    for name, limit in MANIFEST.limits.items():
        assert getattr(limits, name.upper()) == limit.value
        assert limit.source.startswith("https://developers.cloudflare.com/")
    source = (HOME / "bridge.mjs").read_text()
    constants = {
        "PAGE_BYTES_MAX": limits.PAGE_SIZE_BYTES_MAX,
        "ANSWER_BYTES_MAX": limits.TRANSACTION_SIZE_BYTES_MAX,
        "KEYS_MAX": limits.TRANSACTION_KEYS_MAX,
        "BATCH_MAX": limits.BATCH_KEYS_MAX,
        "LIST_LIMIT_MAX": limits.LIST_LIMIT_MAX,
        "KEY_BYTES_MAX": limits.KEY_SIZE_BYTES_MAX,
    }
    for name, value in constants.items():
        found = re.search(rf"^const {name} = ([0-9_]+);", source, re.MULTILINE)
        assert found is not None
        assert int(found[1]) == value
    operations = {
        name for provided in MANIFEST.capabilities.values() for name in provided.operations
    }
    assert set(MANIFEST.costs) == operations


@pytest.mark.feature("DC-04", "PH2-09")
@pytest.mark.parametrize(
    ("backend", "capability"), PAIRS, ids=lambda each: getattr(each, "name", each)
)
def test_backends_have_the_operations_and_settings_that_are_declared(backend, capability) -> None:
    module, _, name = backend.providers[capability].partition(":")
    provider = getattr(importlib.import_module(module), name)
    for operation in MANIFEST.capabilities[capability].operations:
        method = vars(provider)[operation]
        assert inspect.iscoroutinefunction(method)
        ours = inspect.signature(method).parameters
        protocol = inspect.signature(getattr(PROTOCOLS[capability], operation)).parameters
        assert [(p.name, p.kind, p.default) for p in ours.values()] == [
            (p.name, p.kind, p.default) for p in protocol.values()
        ]
    fields = {field.name: field.default for field in dataclasses.fields(provider.Config)}
    assert set(backend.config) == set(fields)
    for setting in backend.config.values():
        if setting.default is not None:
            assert setting.default == fields[setting.name]


@pytest.mark.feature("PH2-09", "DC-04", "DC-01")
def test_connect_opens_the_mocks() -> None:
    async def main() -> bytes | None:
        async with connect(DurableObject, "cloudflare-do", backend="mock") as objects:
            one = await objects.new_id()
            await objects.put(one, "k", b"hello")
            return await objects.get(one, "k")

    assert asyncio.run(main()) == b"hello"
    with sync.connect(Sequencer, "cloudflare-do", backend="mock") as sequencer:
        assert sequencer.append("k", b"p").sequence == 1
    with sync.connect(DurableObject, "cloudflare-do", backend="mock") as objects:
        assert objects.get(ObjectRef(name="n"), "k") is None


@pytest.mark.feature("DC-01")
@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"host": "https://bridge.example"}, "host"),
        ({"host": "bridge.example/v1"}, "host"),
        ({"bridge_token": "two words"}, "bridge_token"),
        ({"base_url": "http://bridge.example"}, "base_url"),
        ({"namespace": 5}, "namespace"),
        ({"namespace": "a\nb"}, "namespace"),
        ({"namespace": "a/b"}, "namespace is not printable text without a slash"),
        ({"namespace": "a/"}, "without a slash"),
        ({"ledger": ""}, "ledger"),
        ({"timeout_seconds": 0.0}, "timeout_seconds"),
    ],
)
def test_a_bad_setting_is_named_and_no_secret_shown(settings, setting) -> None:
    config = {"host": "bridge.example", **settings}
    secrets = {"bridge_token": config.pop("bridge_token", "canary-token")}

    async def main() -> None:
        async with connect(
            DurableObject, "cloudflare-do", backend="remote", config=config, secrets=secrets
        ):
            pass

    with pytest.raises(ConfigInvalid) as refused:
        asyncio.run(main())
    assert setting in str(refused.value)
    assert secrets["bridge_token"] not in str(refused.value)


@pytest.mark.feature("PH2-09")
def test_the_bridge_can_be_written_and_a_configuration_of_ones_own_stays(tmp_path: Path) -> None:
    folder = tmp_path / "bridge"
    command = [sys.executable, "-m", "cap_cloudflare_do.deployment"]
    assert subprocess.run([*command], capture_output=True, check=False).returncode == 2
    subprocess.run([*command, str(folder)], check=True)
    assert {path.name for path in folder.iterdir()} == set(deployment.FILES)
    (folder / "bridge.mjs").write_text("old")
    (folder / "wrangler.toml").write_text("mine")
    assert deployment.write_bridge(folder) == [folder / "bridge.mjs"]
    assert (folder / "bridge.mjs").read_bytes() == (HOME / "bridge.mjs").read_bytes()
    assert (folder / "wrangler.toml").read_text() == "mine"


@pytest.mark.feature("PH2-09")
@pytest.mark.parametrize("where", ["taken", "taken/below", "odd"])
def test_a_folder_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    (tmp_path / "taken").touch()
    (tmp_path / "odd" / "bridge.mjs").mkdir(parents=True)
    assert deployment.main([str(tmp_path / where)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert str(tmp_path / where.partition("/")[0]) in line
    assert line.endswith("; name a folder that you may write to")


@pytest.mark.feature("PH2-09")
def test_help_tells_what_is_written_and_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        deployment.main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    settings = MANIFEST.backends["remote"].config
    wanted = {*deployment.FILES, "npx wrangler deploy", "npx wrangler secret put BRIDGE_TOKEN"}
    wanted |= {setting.env for setting in settings.values() if setting.env}
    assert [text for text in sorted(wanted) if text not in said] == []


@pytest.mark.feature("PH2-09")
def test_the_configuration_names_what_the_bridge_exports() -> None:
    found = tomllib.loads((HOME / "wrangler.toml").read_text())
    source = (HOME / found["main"]).read_text()
    classes = {each["class_name"] for each in found["durable_objects"]["bindings"]}
    assert classes == set(re.findall(r"^export class (\w+)", source, re.MULTILINE))
    assert classes == set(found["migrations"][0]["new_sqlite_classes"])
    for binding in found["durable_objects"]["bindings"]:
        assert binding["name"] in source


@pytest.mark.feature("DC-01")
def test_the_mock_needs_nothing_but_the_standard_library() -> None:
    heavy = ("httpx", "httpx_aiohttp", "aiohttp", "pydantic")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({heavy!r}))\n"
        "import cap_cloudflare_do.plugin, cap_cloudflare_do.mock\n"
        "import cap_cloudflare_do.recorded, cap_cloudflare_do.deployment"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


@pytest.mark.feature("PH2-09")
def test_readme_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    readme = Path(__file__).parents[1] / "README.md"
    if not readme.exists():
        pytest.skip("run from an installed wheel: the README is in the source tree")
    _, _, rest = readme.read_text().partition("```python\n")
    program, _, _ = rest.partition("```")
    exec(compile(program, str(readme), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "True\n[('draft', b'hello'), ('step', b'send')]\n"
