"""The manifest says what the code does, the bridge too, and the plugin opens through `connect`."""

import asyncio
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import cap_cloudflare_do
import pytest
from cap_cloudflare_do import deployment, limits
from core_caps import DurableObject, connect
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import claims_of
from core_caps.claims.operation import spec_of
from core_caps.contract.declared import Declared
from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme
from core_caps.errors import ConfigInvalid

HOME = Path(cap_cloudflare_do.__file__).parent
MANIFEST = Declared.by("cap_cloudflare_do").manifest
READS = {"get", "get_many", "list", "get_alarm", "new_id"}

pytestmark = pytest.mark.feature("DC-01", "DC-03", "DC-04", "PH2-09", "PH2-10", "W3-02")
test_manifest = enrol_manifest("cap_cloudflare_do")
test_readme = enrol_readme(prints="True\n[('draft', b'hello'), ('step', b'send')]\n")


def test_whatever_stores_is_best_effort() -> None:
    claims = claims_of(MANIFEST, spec_of(DurableObject))
    for name, claim in claims.items():
        reads = name in READS
        assert claim.hints == (f"resource::do::{'read' if reads else 'write'}",)
        assert claim.effects is (Effects.READ_ONLY if reads else Effects.EFFECTFUL)
        assert claim.determinism >= Determinism.BEST_EFFORT


@pytest.mark.feature("CW-14")
def test_limits_are_the_bridges_own() -> None:
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


def test_help_tells_what_is_written_and_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        deployment.main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    settings = MANIFEST.backends["remote"].config
    wanted = {*deployment.FILES, "npx wrangler deploy", "npx wrangler secret put BRIDGE_TOKEN"}
    wanted |= {setting.env for setting in settings.values() if setting.env}
    assert [text for text in sorted(wanted) if text not in said] == []


def test_the_configuration_names_what_the_bridge_exports() -> None:
    found = tomllib.loads((HOME / "wrangler.toml").read_text())
    source = (HOME / found["main"]).read_text()
    classes = {each["class_name"] for each in found["durable_objects"]["bindings"]}
    assert classes == set(re.findall(r"^export class (\w+)", source, re.MULTILINE))
    assert classes == set(found["migrations"][0]["new_sqlite_classes"])
    for binding in found["durable_objects"]["bindings"]:
        assert binding["name"] in source
