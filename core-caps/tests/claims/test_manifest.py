"""Manifests: what is read, what is refused, and where the message points."""

import datetime as dt
from dataclasses import fields, replace
from pathlib import Path

import pytest
from core_caps.capabilities import spec_for
from core_caps.capabilities.blob_store import BlobStore
from core_caps.capabilities.key_value import KeyValue
from core_caps.claims import manifest_model, manifest_shape
from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import Manifest, claims_of, read
from core_caps.claims.manifest_model import ManifestModel, validate
from core_caps.claims.operation import Repeat, spec_of
from core_caps.errors import (
    CapsError,
    DeterminismTooStrong,
    EffectTooSmall,
    ManifestInvalid,
    UnknownHint,
)
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.feature("DC-03")

SOUND = """
schema = 1
name = "cloudflare-kv"
summary = "Cloudflare Workers KV"
homepage = "https://developers.cloudflare.com/kv/"

[capabilities.kv]
contract = "kv/1"
operations = ["get", "get_with_metadata", "list", "put", "delete"]

[capabilities.kv.guarantees]
consistency = "eventual"

[capabilities.kv.deviations.list]
hints = ["resource::kv::read", "resource::clock"]
effects = "read_only"
determinism = "nondeterministic"

[backends.mock]
providers.kv = "cap_cloudflare_kv.mock:MockKv"

[backends.remote]
providers.kv = "cap_cloudflare_kv.remote:RemoteKv"
extra = "remote"
wire = "cloudflare-kv"
egress = ["api.cloudflare.com:443", "{account_id}.example.com:{port}"]
scopes = ["Workers KV Storage Write"]
retry_owner = "caller"
cancel_seconds_max = 0.5
timeout_seconds_max = 60

[backends.remote.config]
account_id = { type = "str", required = true, env = "CLOUDFLARE_ACCOUNT_ID", example = "0123" }
base_url = { type = "str", default = "https://api.cloudflare.com/client/v4", endpoint = true }
api_token = { type = "secret", required = true, env = "CLOUDFLARE_API_TOKEN" }
port = { type = "int", default = 443 }

[[backends.remote.safe_posts]]
method = "POST"
path = "/bulk/get"

[limits]
key_size_bytes_max = { value = 512, source = "https://developers.cloudflare.com/kv/limits/" }

[data]
classes = ["user_content"]
residency = ["global"]

[costs.get]
requests = 1

[hints."resource::mail::send"]
effects = "effectful"
determinism = "best_effort"
"""


def check(text: str) -> list[str]:
    return [str(finding) for finding in validate(text.encode(), spec_for=spec_for)[1]]


def changed(old: str, new: str) -> str:
    assert SOUND.count(old) == 1, old
    return SOUND.replace(old, new)


def test_the_sound_manifest_is_sound_and_complete() -> None:
    assert check(SOUND) == []
    manifest = read(SOUND.encode())
    kv, remote = manifest.capabilities["kv"], manifest.backends["remote"]
    assert (manifest.name, kv.contract, remote.extra) == ("cloudflare-kv", "kv/1", "remote")
    assert kv.guarantees["consistency"] == "eventual"
    assert kv.guarantees["durability"] == "unknown"
    assert remote.config["api_token"].env == "CLOUDFLARE_API_TOKEN"
    assert remote.safe_posts[0].path == "/bulk/get"
    assert manifest.limits["key_size_bytes_max"].value == 512
    assert manifest.limits_of("kv") == manifest.limits
    assert manifest.backends["mock"].timeout_seconds_max == 60


def test_a_capability_may_have_limits_and_costs_of_its_own() -> None:
    own = """
[capabilities.kv.limits]
key_size_bytes_max = { value = 64, source = "https://example.com/limits" }
value_size_bytes_max = { value = 1024, source = "https://example.com/limits" }

[capabilities.kv.costs.put]
requests = 2
"""
    assert check(SOUND + own) == []
    manifest = read((SOUND + own).encode())
    assert manifest.capabilities["kv"].costs == {"put": {"requests": 2}}
    assert {name: limit.value for name, limit in manifest.limits_of("kv").items()} == {
        "key_size_bytes_max": 64,
        "value_size_bytes_max": 1024,
    }
    assert manifest.limits["key_size_bytes_max"].value == 512  # those of all are as they were
    (finding,) = check(SOUND + own.replace("costs.put", "costs.putt"))
    assert finding.startswith("capabilities.kv.costs.putt")
    assert "did you mean 'put'" in finding


@pytest.mark.parametrize(
    ("contract", "operations", "missing"),
    [
        ("kv", ["get", "get_with_metadata", "list"], []),
        ("kv", ["get", "get_with_metadata", "list", "get_many"], []),
        ("kv", ["put", "delete"], []),
        ("kv", ["get", "list"], ["get_with_metadata"]),
        ("kv", ["get", "get_with_metadata", "list", "put_many"], ["put", "delete"]),
        ("blob", ["put", "delete", "copy"], []),
        ("blob", ["get", "open", "head", "list", "get_by_hash", "presign"], []),
        (
            "blob",
            ["presign"],
            ["get", "open", "head", "list", "get_by_hash", "put", "delete", "copy"],
        ),
    ],
)
def test_a_half_is_provided_whole_or_left_out_whole(
    contract: str, operations: list[str], missing: list[str]
) -> None:
    text = f"""
schema = 1
name = "half"
summary = "A half"
homepage = "https://example.com/"
[capabilities.{contract}]
contract = "{contract}/1"
operations = {operations}
[backends.mock]
providers.{contract} = "cap_half.mock:Mock"
"""
    found = [finding.partition("'")[2].partition("'")[0] for finding in check(text)]
    assert sorted(found) == sorted(missing)


def test_claims_join_hints_and_apply_deviations() -> None:
    claims = claims_of(read(SOUND.encode()), spec_of(KeyValue))
    assert list(claims) == ["get", "get_with_metadata", "list", "put", "delete"]
    assert claims["get"].hints == ("resource::kv::read",)
    assert claims["get"].effects is Effects.READ_ONLY
    assert claims["get"].determinism is Determinism.BEST_EFFORT
    assert claims["put"].effects is Effects.EFFECTFUL
    assert claims["put"].repeat is Repeat.SAFE
    assert claims["list"].hints == ("resource::kv::read", "resource::clock")
    assert claims["list"].determinism is Determinism.NONDETERMINISTIC


BLOB = """
schema = 1
name = "store"
summary = "A store"
[capabilities.blob]
contract = "blob/1"
operations = ["get", "open", "head", "list", "get_by_hash", "put", "delete", "copy", "presign"]
[capabilities.blob.deviations]
put = { repeat = "keyed" }
get = { hints = ["blob_read_pinned"] }
[backends.mock]
providers.blob = "store.mock:Mock"
"""


def test_delegated_hints_count_and_short_hints_are_understood() -> None:
    assert check(BLOB) == []
    claims = claims_of(read(BLOB.encode()), spec_of(BlobStore))
    assert claims["presign"].delegates == ("resource::blob::write",)
    assert claims["presign"].effects is Effects.EFFECTFUL
    assert claims["open"].streams
    assert claims["put"].repeat is Repeat.KEYED
    assert claims["get"].hints == ("resource::blob::read::pinned",)
    assert claims["get"].determinism is Determinism.STRICT


@pytest.mark.feature("CK-01", "W2-02")
@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('effects = "read_only"', 'effects = "pure"', EffectTooSmall),
        ('determinism = "nondeterministic"', 'determinism = "strict"', DeterminismTooStrong),
        ('"resource::clock"]', '"resource::clok"]', UnknownHint),
        ('"put", "delete"]', '"put", "erase"]', ManifestInvalid),
        ('contract = "kv/1"', 'contract = "kv/2"', ManifestInvalid),
        ("deviations.list]", "deviations.lst]", ManifestInvalid),
    ],
)
def test_no_claims_come_from_a_manifest_that_lies(
    old: str, new: str, error: type[CapsError]
) -> None:
    with pytest.raises(error):
        claims_of(read(changed(old, new).encode()), spec_of(KeyValue))


@pytest.mark.feature("CK-01", "W2-02")
def test_an_unknown_hint_is_told_with_its_field_and_the_nearest() -> None:
    unknown = changed('"resource::clock"]', '"resource::clok"]')
    with pytest.raises(UnknownHint) as refused:
        claims_of(read(unknown.encode()), spec_of(KeyValue))
    assert refused.value.message.startswith("capabilities.kv.deviations.list.hints[1]: ")
    assert "did you mean 'resource::clock'?" in refused.value.hint


@pytest.mark.feature("CK-01", "W2-02")
def test_an_unknown_hint_of_a_capability_of_ones_own_is_told_too() -> None:
    spec = spec_of(KeyValue)
    put = replace(spec.operations["put"], hints=("resource::kv::write", "resource::kv::wrote"))
    own = replace(spec, operations={**spec.operations, "put": put})
    (finding,) = validate(SOUND.encode(), spec_for=lambda _: own)[1]
    assert finding.location == "capabilities.kv.operations.put.hints[1]"
    assert finding.code == "EFFECT202"
    assert "did you mean 'resource::kv::write'?" in finding.fix


@pytest.mark.parametrize(
    ("old", "new", "location", "says"),
    [
        ('summary = "C', 'sumary = "C', "sumary", "did you mean summary?"),
        ("schema = 1", "schema = 2", "schema", "must be 1"),
        ("schema = 1", "", "schema", "is missing"),
        ('name = "cloudflare-kv"', 'name = "Cloudflare KV"', "name", "match"),
        ('"https://developers.cloudflare.com/kv/"', '"kv"', "homepage", "is not a URL"),
        ('contract = "kv/1"', 'contract = "kv"', "capabilities.kv.contract", ""),
        ('contract = "kv/1"', 'contract = "kv/9"', "capabilities.kv.contract", "not a known"),
        ('contract = "kv/1"', 'contract = "kv/1"\nprotocol = "a:B"', "capabilities.kv.suite", ""),
        ('"put", "delete"]', '"put", "put", "delete"]', "capabilities.kv.operations[4]", "twice"),
        ('"put", "delete"]', '"put", "delte"]', "capabilities.kv.operations[4]", "'delete'?"),
        ('"put", "delete"]', '"put"]', "capabilities.kv.operations", "'delete' is missing"),
        (
            '"get", "get_with_metadata", ',
            "",
            "capabilities.kv.operations",
            "KeyValueReader requires",
        ),
        ('"eventual"', '"eventually"', "capabilities.kv.guarantees", "eventual"),
        (
            'base_url = { type = "str", default = "https://api.cloudflare.com/client/v4", ',
            'base_url = { type = "int", folder = true, ',
            "backends.remote.config.base_url.folder",
            "a folder is a str",
        ),
        (
            'base_url = { type = "str", default = "https://api.cloudflare.com/client/v4", ',
            'base_url = { type = "int", apart = true, ',
            "backends.remote.config.base_url.apart",
            "what keeps users apart is a str",
        ),
        (
            'base_url = { type = "str", ',
            'base_url = { type = "str", needed_by = ["gett"], ',
            "backends.remote.config.base_url.needed_by",
            "'gett' is no operation of this backend",
        ),
        (
            'api_token = { type = "secret", ',
            'api_token = { type = "secret", needed_by = ["get"], ',
            "backends.remote.config.api_token.needed_by",
            "every operation has",
        ),
        (
            'wire = "cloudflare-kv"',
            'wire = "cloudflare-kv"\nworker = "wrangler.toml"',
            "backends.remote.worker",
            "nobody can point the backend at a Worker of its own",
        ),
        ("deviations.list]", "deviations.lst]", "capabilities.kv.deviations.lst", "'list'?"),
        (
            '"resource::clock"]',
            '"resource::clok"]',
            "capabilities.kv.deviations.list.hints[1]",
            "EFFECT202: unknown hint 'resource::clok' → did you mean 'resource::clock'?",
        ),
        (
            'effects = "read_only"',
            'effects = "pure"',
            "capabilities.kv.deviations.list.effects",
            "EFFECT201: pure is below read_only",
        ),
        (
            'determinism = "nondeterministic"',
            'determinism = "stable"',
            "capabilities.kv.deviations.list.determinism",
            "DET302: stable is stronger than best_effort",
        ),
        ("[backends.mock]", "[backends.fake]", "backends", "no mock backend"),
        ("mock:MockKv", "mock.MockKv", "backends.mock.providers.kv", "package.module:Class"),
        ("mock:MockKv", "2mock:MockKv", "backends.mock.providers.kv", "package.module:Class"),
        ('.mock:MockKv"', '.mock:MockKv"\nproviders.kw = "a:B"', "backends.mock.providers.kw", ""),
        ('"caller"', '"both"', "backends.remote.retry_owner", "'caller' or 'provider'"),
        ('"api.cloudflare.com:443"', '"*.com:443"', "backends.remote.egress[0]", "wildcard"),
        ('"api.cloudflare.com:443"', '"a.com"', "backends.remote.egress[0]", "host:port"),
        ('"api.cloudflare.com:443"', '"a.com:0"', "backends.remote.egress[0]", "host:port"),
        ('"api.cloudflare.com:443"', '"a.com:99999"', "backends.remote.egress[0]", "host:port"),
        ('"api.cloudflare.com:443"', '"a b:443"', "backends.remote.egress[0]", "host:port"),
        ('"api.cloudflare.com:443"', '"http://a.com/x"', "backends.remote.egress[0]", "a URL"),
        ("{account_id}.e", "{acount_id}.e", "backends.remote.egress[1]", "does not have"),
        ("{account_id}.e", "{api_token}.e", "backends.remote.egress[1]", "secret"),
        ('type = "secret", ', 'type = "secret", default = "hunter2", ', "", "a secret has no"),
        ('type = "secret", ', 'type = "secret", example = "hunter2", ', "", "a secret has no"),
        ("default = 443", 'default = "443"', "backends.remote.config.port.default", "must be int"),
        ("default = 443", "default = true", "backends.remote.config.port.default", "must be int"),
        ("default = 443", "default = 1, required = true", "", "a required setting has no default"),
        ('type = "int"', 'type = "integer"', "backends.remote.config.port.type", "must be"),
        (', source = "https', ', sauce = "https', "limits.key_size_bytes_max.source", "missing"),
        ('path = "/bulk/get"', 'path = "bulk"', "backends.remote.safe_posts[0].path", ""),
        ("cancel_seconds_max = 0.5", "cancel_seconds_max = 0", "backends.remote.cancel_seco", ""),
        ("timeout_seconds_max = 60", 'timeout_seconds_max = "60"', "backends.remote.timeout", ""),
        ("[costs.get]", "[costs.gett]", "costs.gett", "did you mean 'get'"),
        ("requests = 1", "requests = -1", "costs.get.requests", "greater"),
        ('"resource::mail::send"', '"mail"', "hints", "is not a hint"),
        ('"resource::mail::send"', '"resource::kv::peek"', 'hints."resource::kv::peek"', "famil"),
    ],
)
def test_what_is_wrong_is_found_and_located(old: str, new: str, location: str, says: str) -> None:
    findings = check(changed(old, new))
    assert any(text.startswith(location) and says in text for text in findings), findings
    assert not any("hunter2" in text for text in findings)


def test_everything_wrong_is_said_at_once() -> None:
    text = changed('"caller"', '"both"').replace('"put", "delete"]', '"put", "delte"]')
    findings = check(text.replace("[backends.mock]", "[backends.mok]"))
    assert len({finding.split(":")[0] for finding in findings}) >= 4, findings


def test_a_capability_of_ones_own_brings_protocol_and_suite() -> None:
    own = BLOB.replace("blob/1", "mail/1").replace(
        "[capabilities.blob.deviations]",
        'protocol = "store.protocol:Mail"\nsuite = "store.contract:CONTRACT"\n'
        "[capabilities.blob.deviations]",
    )
    assert check(own) == []


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('schema = 1\nname = "a"\nname = "b"\n', 3, 11),
        ("schema = 1\n[a]\nb = 1\n[c]\n[a]\n", 5, 3),
        ("schema = 1\nname = \n", 2, 8),
        ('schema = 1\nname = "unclosed', 2, 17),
        ("schema = 1\nname =", 2, 7),
    ],
)
def test_syntax_errors_and_duplicate_keys_give_line_and_column(
    text: str, line: int, column: int
) -> None:
    for reading in (read, lambda source: validate(source, spec_for=spec_for)):
        with pytest.raises(ManifestInvalid, match=f"line {line}, column {column}"):
            reading(text.encode())


def test_an_operation_whose_deviation_is_declared_twice_gives_the_line() -> None:
    text = SOUND + "\n[capabilities.kv.deviations.list]\nrepeat = 'safe'\n"
    line = text.count("\n") - 1
    with pytest.raises(ManifestInvalid, match=f"line {line}"):
        read(text.encode())


@pytest.mark.parametrize("source", [b"\xff\xfe", b"a = " + b"[" * 100_000, b"\xef\xbb\xbfa = 1"])
def test_bytes_that_are_no_toml_are_refused(source: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        read(source)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match=r"nothing\.toml cannot be read"):
        read(tmp_path / "nothing.toml")


_TOML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("kv/1")
    | st.just(dt.date(2026, 1, 1)),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            [*ManifestModel.model_fields, "schema", "kv", "mock", "config", "type", "providers",
             "contract", "operations", "deviations", "list", "hints", "value", "egress", "x"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["schema", "name", "capabilities", "backends", "limits", "data", "costs",
                         "hints", "summary", "homepage"]),
        _TOML,
    )
)  # fmt: skip
def test_no_shape_of_data_breaks_reading_or_validation(data: dict[str, object]) -> None:
    from core_caps.claims.manifest import from_data

    try:
        from_data(data, "it")
        read_well = True
    except ManifestInvalid as error:
        read_well = not error.findings
    findings = manifest_model.findings_of(data, spec_for=spec_for, origin="it")[1]
    assert findings or read_well


def test_the_model_and_the_shape_have_the_same_fields() -> None:
    pairs = {
        manifest_model.ManifestModel: Manifest,
        manifest_model.ProvidedModel: manifest_shape.Provided,
        manifest_model.DeviationModel: manifest_shape.Deviation,
        manifest_model.BackendModel: manifest_shape.Backend,
        manifest_model.SettingModel: manifest_shape.Setting,
        manifest_model.SafePostModel: manifest_shape.SafePost,
        manifest_model.LimitModel: manifest_shape.Limit,
        manifest_model.DataModel: manifest_shape.Data,
    }
    for model, shape in pairs.items():
        ours = {field.name for field in fields(shape)} - {"name", "origin"}
        theirs = {field.alias or name for name, field in model.model_fields.items()}
        assert theirs - {"name", "schema"} == ours, model.__name__
