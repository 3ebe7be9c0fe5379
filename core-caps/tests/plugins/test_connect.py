"""`connect`: from a name to an open, typed, guarded provider; and every way it can go wrong."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any

import core_caps
import pytest
from core_caps import (
    FolderSecrets,
    KeyValue,
    KeyValueReader,
    KeyValueWriter,
    MemorySecrets,
    Policy,
    Secret,
    SeededRng,
    VirtualClock,
    connect,
    sync,
)
from core_caps.calls.observe import CallRecord
from core_caps.capabilities.blob_store import BlobStore
from core_caps.errors import (
    AccessDenied,
    BackendNotInstalled,
    BindingMissing,
    ClientClosed,
    ConfigInvalid,
    EffectTooSmall,
    ManifestInvalid,
    NotOpened,
    PluginConflict,
    PluginNotFound,
    Unavailable,
    UnknownHint,
)

pytestmark = pytest.mark.feature("DC-02")

REMOTE = """
[backends.remote]
providers.kv = "{package}.remote:RemoteKv"
extra = "remote"

[backends.remote.config]
account_id = {{ type = "str", required = true, env = "TEST_ACCOUNT_ID", example = "0" }}
base_url = {{ type = "str", default = "https://api.example.com", endpoint = true }}
api_token = {{ type = "secret", required = true, env = "TEST_API_TOKEN" }}
retries = {{ type = "int", env = "TEST_RETRIES" }}
timeout_seconds = {{ type = "float", default = 10, env = "TEST_TIMEOUT" }}
compress = {{ type = "bool", env = "TEST_COMPRESS" }}
"""

REMOTE_PY = """
from dataclasses import dataclass
from core_caps import Secret
from .mock import MockKv

@dataclass(frozen=True)
class RemoteConfig:
    account_id: str
    api_token: Secret
    base_url: str
    timeout_seconds: float
    retries: int = 3
    compress: bool = True
    inner: object = None

    def __post_init__(self):
        if self.retries > 100:
            raise ValueError(f"retries {self.retries} with {self.api_token.reveal()}")

class RemoteKv(MockKv):
    Config = RemoteConfig

    async def get(self, key):
        return repr(self.config).encode()
"""


def with_remote(site: Any, name: str = "one", remote: str = REMOTE_PY, **files: str) -> None:
    package = site.plugin(name, remote__py=remote, **files)
    manifest = package / "capability.toml"
    manifest.write_text(manifest.read_text() + REMOTE.format(package=package.name))


@pytest.mark.feature("DC-04")
async def test_a_mock_is_opened_by_name(site: Any) -> None:
    site.plugin("one")
    async with connect(KeyValue, "one", backend="mock") as kv:
        await kv.put("greeting", b"hello")
        assert await kv.get("greeting") == b"hello"
        assert (await kv.list()).keys == ["greeting"]


@pytest.mark.parametrize("how", ["with", "await"])
async def test_a_connection_opened_without_async_with_says_how(site: Any, how: str) -> None:
    site.plugin("one")
    connection: Any = connect(KeyValue, "one", backend="mock")

    async def misopened() -> None:
        if how == "await":
            await connection
        with connection:
            pytest.fail("it opened")

    with pytest.raises(NotOpened) as refused:
        await misopened()
    assert refused.value.code == "CAP107"
    assert f"not by `{how}`" in refused.value.message
    assert "async with" in refused.value.hint
    assert "core_caps.sync.connect" in refused.value.hint
    async with connection as kv:
        assert await kv.get("absent") is None


async def test_an_operation_called_on_the_connection_says_how_to_open_it(site: Any) -> None:
    site.plugin("one")
    connection: Any = connect(KeyValue, "one", backend="mock")
    with pytest.raises(NotOpened) as refused:
        connection.get("greeting")
    assert refused.value.code == "CAP107"
    assert "get belongs to what `async with` gives" in refused.value.message
    assert "`async with core_caps.connect(...) as client:`" in refused.value.hint
    assert not hasattr(connection, "get")
    with pytest.raises(AttributeError, match="has no 'gett'") as absent:
        connection.gett("greeting")
    assert not isinstance(absent.value, NotOpened)
    async with connection as kv:
        assert await kv.get("greeting") is None


async def test_name_and_backend_may_be_left_out_while_there_is_one(site: Any) -> None:
    site.plugin("one")
    async with connect(KeyValue) as kv:
        await kv.delete("absent")


async def test_only_the_chosen_plugin_is_imported(site: Any) -> None:
    site.plugin("one")
    site.plugin("two", plugin__py="raise RuntimeError('imported')")
    async with connect(KeyValue, "one"):
        assert "cap_two" not in sys.modules


async def test_clock_and_rng_reach_the_provider(site: Any) -> None:
    reading = """
    async def get(self, key):
        return f"{self.clock.now()} {self.rng.random()}".encode()
    """
    site.plugin("one", mock__py=BARE_MOCK + reading)
    rng, twin = SeededRng(7), SeededRng(7)
    async with connect(KeyValue, "one", clock=VirtualClock(5.0), rng=rng) as kv:
        assert await kv.get("k") == f"5.0 {twin.random()}".encode()


BARE_MOCK = """
from dataclasses import dataclass

@dataclass(frozen=True)
class MockConfig:
    stale_seconds: float = 0.0

class MockKv:
    Config = MockConfig
    def __init__(self, config, *, clock, rng):
        self.config, self.clock, self.rng = config, clock, rng
    async def __aenter__(self): return self
    async def __aexit__(self, *exc): return True
    async def get_with_metadata(self, key): raise ValueError(key)
    async def list(self, *, prefix="", limit=1000, cursor=None): ...
    async def put(self, key, value, *, ttl_seconds=None, expires_at=None, metadata=None): ...
    async def delete(self, key): ...
"""


async def test_a_provider_does_not_swallow_the_callers_error(site: Any) -> None:
    site.plugin("one", mock__py=BARE_MOCK + "    async def get(self, key): ...\n")
    with pytest.raises(ValueError, match="boom"):
        async with connect(KeyValue, "one") as kv:
            await kv.get_with_metadata("boom")


async def test_after_the_block_every_call_is_refused(site: Any) -> None:
    site.plugin("one")
    connection = connect(KeyValue, "one")
    async with connection as kv:
        pass
    with pytest.raises(ClientClosed, match="get was called after"):
        await kv.get("k")
    with pytest.raises(RuntimeError, match="call connect"):
        async with connection:
            pass


class TestWhatCannotBeConnected:
    def test_no_provider(self, site: Any) -> None:
        with pytest.raises(BindingMissing, match="no installed plugin provides KeyValue of kv/1"):
            connect(KeyValue)

    def test_several_providers_and_no_name(self, site: Any) -> None:
        site.plugin("one")
        site.plugin("two")
        with pytest.raises(BindingMissing, match="one, two"):
            connect(KeyValue)

    def test_one_name_claimed_twice(self, site: Any) -> None:
        site.plugin("kv", distribution="cap-a")
        site.plugin("kv", distribution="cap-b")
        for name in ("kv", None):
            with pytest.raises(PluginConflict, match=r"cap-a 1\.0 and cap-b 1\.0"):
                connect(KeyValue, name)

    def test_unknown_plugin(self, site: Any) -> None:
        site.plugin("one")
        with pytest.raises(PluginNotFound, match="there are: one"):
            connect(KeyValue, "three")

    def test_unknown_backend(self, site: Any) -> None:
        with_remote(site)
        with pytest.raises(PluginNotFound, match="did you mean 'remote'"):
            connect(KeyValue, "one", backend="remot")
        with pytest.raises(BindingMissing, match="mock, remote"):
            connect(KeyValue, "one")

    def test_another_capability(self, site: Any) -> None:
        site.plugin("one")
        with pytest.raises(PluginNotFound, match="does not provide blob/1; it provides kv/1"):
            connect(BlobStore, "one")

    def test_what_is_no_capability(self, site: Any) -> None:
        with pytest.raises(TypeError, match="no capability"):
            connect(int, "one")

    def test_a_manifest_that_lies(self, site: Any) -> None:
        package = site.plugin("one")
        manifest = package / "capability.toml"
        manifest.write_text(
            manifest.read_text() + '\n[capabilities.kv.deviations.put]\neffects = "pure"\n'
        )
        with pytest.raises(EffectTooSmall, match="put declares effects pure"):
            connect(KeyValue, "one")

    async def test_a_declared_operation_that_is_missing(self, site: Any) -> None:
        site.plugin("one", mock__py=BARE_MOCK)
        with pytest.raises(ManifestInvalid, match="does not have: get"):
            async with connect(KeyValue, "one"):
                pass

    async def test_an_entry_point_to_nowhere(self, site: Any) -> None:
        site.plugin("one")
        site.metadata("cap-one", "one = cap_one.plugins")
        with pytest.raises(PluginNotFound, match=r"cap_one\.plugins, which does not exist"):
            async with connect(KeyValue, "one"):
                pass

    async def test_a_module_without_the_hook(self, site: Any) -> None:
        site.plugin("one", plugin__py="def flows_open(opening): return object()")
        with pytest.raises(PluginNotFound, match="opens nothing"):
            async with connect(KeyValue, "one"):
                pass

    async def test_a_provider_that_cannot_be_entered(self, site: Any) -> None:
        site.plugin(
            "one",
            plugin__py="""
from core_caps import hookimpl
@hookimpl
def flows_open(opening): return object()
""",
        )
        with pytest.raises(TypeError, match="opened a object, which is no async context manager"):
            async with connect(KeyValue, "one"):
                pass

    async def test_a_class_that_is_not_there(self, site: Any) -> None:
        site.plugin("one", mock__py="class Other: ...")
        with pytest.raises(ManifestInvalid, match=r"cap_one\.mock has no MockKv"):
            async with connect(KeyValue, "one"):
                pass


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"capability": "kv"}, TypeError, "'kv' is no capability: give the protocol"),
        ({"capability": None}, TypeError, "None is no capability"),
        ({"capability": object}, TypeError, "object is no capability"),
        ({"name": 5}, TypeError, "a plugin is called by its name, not by 5"),
        ({"name": b"one"}, TypeError, "not by b'one'"),
        ({"backend": b"mock"}, TypeError, "a backend is called by its name"),
        ({"config": 5}, ConfigInvalid, "give config a dict"),
        ({"config": "hunter2"}, ConfigInvalid, "give config a dict"),
        ({"config": {5: "hunter2"}}, ConfigInvalid, "give config a dict"),
        ({"secrets": ["hunter2"]}, ConfigInvalid, "give secrets a dict"),
        ({"access": "resource::kv::read"}, TypeError, "hints are a list of texts"),
        ({"access": [5]}, TypeError, "hints are a list of texts"),
        ({"access": ["kv_raed"]}, UnknownHint, "the family has: resource::kv::read"),
        ({"retry": 3}, TypeError, "retry is a Policy, not 3"),
        ({"retry": Policy}, TypeError, "retry is a Policy"),
        ({"observe": "log"}, TypeError, "observe is called with each CallRecord"),
    ],
    ids=str,
)
@pytest.mark.parametrize("connecting", [connect, sync.connect], ids=["async", "sync"])
def test_an_argument_of_another_type_is_refused_at_once(
    site: Any, connecting: Any, arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    site.plugin("one")
    given = {"capability": KeyValue, "name": "one"} | arguments
    with pytest.raises(error) as refused:
        connecting(**given)
    assert says in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.feature("PL-03")
class TestHalves:
    """A plugin may provide the half of a capability, and is used as that half."""

    READS, WRITES = ("get", "get_with_metadata", "list"), ("put", "delete")

    def half(self, site: Any, name: str, operations: tuple[str, ...]) -> None:
        package = site.plugin(name)
        manifest = package / "capability.toml"
        listed = ", ".join(f'"{operation}"' for operation in operations)
        every = '"get", "get_with_metadata", "list", "put", "delete"'
        manifest.write_text(manifest.read_text().replace(every, listed))

    async def test_a_reader_is_connected_as_a_reader(self, site: Any) -> None:
        self.half(site, "rates", self.READS)
        async with connect(KeyValueReader, "rates") as reader:
            assert await reader.get("eur") is None
            with pytest.raises(AccessDenied, match="does not have put"):
                reader.put  # type: ignore[attr-defined]  # noqa: B018

    @pytest.mark.parametrize("asked", [KeyValue, KeyValueWriter])
    def test_what_is_missing_is_named_with_what_there_is(self, site: Any, asked: type) -> None:
        self.half(site, "rates", self.READS)
        with pytest.raises(PluginNotFound) as refused:
            connect(asked, "rates")
        assert f"rates does not provide {asked.__name__}: it lacks delete, put" in str(
            refused.value
        )
        assert "connect(KeyValueReader, 'rates')" in str(refused.value)

    async def test_without_a_name_the_plugin_that_has_the_half_is_taken(self, site: Any) -> None:
        self.half(site, "rates", self.READS)
        with pytest.raises(BindingMissing, match="only a half of it is provided, by rates"):
            connect(KeyValueWriter)
        self.half(site, "outbox", self.WRITES)
        async with connect(KeyValueWriter) as writer:
            await writer.put("k", b"v")
        with pytest.raises(BindingMissing, match="by outbox, rates"):
            connect(KeyValue)


class TestMissingExtras:
    BRINGS = 'Requires-Dist: absent-client>=1; extra == "remote"\nProvides-Extra: remote\n'

    async def open(self, site: Any, remote: str, extra: str) -> None:
        with_remote(site, remote=remote, extra=extra)
        site.metadata("present", "")
        async with connect(KeyValue, "one", backend="remote"):
            pass

    @pytest.mark.parametrize("module", ["absent_client", "absent_client.transports", "absentlib"])
    async def test_the_line_that_installs_it_is_given(self, site: Any, module: str) -> None:
        with pytest.raises(
            BackendNotInstalled, match=r"pip install 'cap-one\[remote\]'"
        ) as refused:
            await self.open(site, f"import {module}", self.BRINGS)
        assert isinstance(refused.value.__cause__, ModuleNotFoundError)

    @pytest.mark.parametrize(
        ("remote", "extra"),
        [
            ("import cap_one.missing", BRINGS),
            ("from . import missing", BRINGS),
            ("import xml.missing", BRINGS),
            ("from json import missing", BRINGS),
            ("import absentlib", 'Requires-Dist: present; extra == "remote"\n'),
            ("import absentlib", 'Requires-Dist: absentlib; extra == "other"\n'),
            (
                "import absentlib",
                'Requires-Dist: gone; extra == "remote" and python_version < "3"\n',
            ),
        ],
    )  # fmt: skip
    async def test_a_broken_import_surfaces_as_itself(
        self, site: Any, remote: str, extra: str
    ) -> None:
        with pytest.raises(ImportError):
            await self.open(site, remote, extra)

    async def test_extras_that_name_other_extras_are_followed(self, site: Any) -> None:
        extra = (
            'Requires-Dist: cap-one[net]; extra == "remote"\n'
            'Requires-Dist: absent-client; extra == "net"\n'
        )
        with pytest.raises(BackendNotInstalled):
            await self.open(site, "import absent_client", extra)

    async def test_extras_of_other_distributions_are_followed(self, site: Any) -> None:
        site.metadata("shared", "", extra='Requires-Dist: absent-client; extra == "net"\n')
        with pytest.raises(BackendNotInstalled, match=r"pip install 'cap-one\[remote\]'"):
            await self.open(
                site, "import absent_client", 'Requires-Dist: shared[net]; extra == "remote"\n'
            )


class TestSettings:
    @pytest.fixture(autouse=True)
    def remote(self, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        with_remote(site)
        for name in ("ACCOUNT_ID", "API_TOKEN", "RETRIES", "TIMEOUT", "COMPRESS"):
            monkeypatch.delenv(f"TEST_{name}", raising=False)

    async def settings(self, config: dict[str, object], **secrets: Any) -> str:
        async with connect(KeyValue, "one", backend="remote", config=config, secrets=secrets) as kv:
            return (await kv.get("k") or b"").decode()

    async def test_the_binding_then_the_environment_then_the_defaults(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TEST_ACCOUNT_ID", "from env")
        monkeypatch.setenv("TEST_RETRIES", "5")
        monkeypatch.setenv("TEST_TIMEOUT", "2.5")
        monkeypatch.setenv("TEST_COMPRESS", "no")
        shown = await self.settings({"retries": 7}, api_token="hunter2")
        assert shown == (
            "RemoteConfig(account_id='from env', api_token=Secret(…), "
            "base_url='https://api.example.com', timeout_seconds=2.5, retries=7, compress=False, "
            "inner=None)"
        )

    async def test_secrets_come_as_text_as_secret_and_from_the_environment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "Secret(…)" in await self.settings({"account_id": "a"}, api_token=Secret("x"))
        monkeypatch.setenv("TEST_API_TOKEN", "hunter2")
        assert "Secret(…)" in await self.settings({"account_id": "a"})

    async def test_every_problem_is_told_at_once_and_no_secret(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TEST_TIMEOUT", "hunter2")
        config: dict[str, object] = {
            "acount_id": "hunter2",
            "base_url": 5,
            "retries": True,
            "api_token": "hunter2",
        }
        with pytest.raises(ConfigInvalid) as refused:
            await self.settings(config, compress="hunter2", tokn="hunter2")
        text = str(refused.value)
        for said in (
            "unknown setting 'acount_id'; did you mean 'account_id'?",
            "secrets: unknown setting 'tokn'",
            "base_url must be str, not a value of type int",
            "retries must be int, not a value of type bool",
            "api_token is a secret: give it in secrets",
            "compress is not a secret: give it in config",
            "account_id is missing: give it in config or the environment variable TEST_ACCOUNT_ID, "
            "as in '0'",
            "timeout_seconds must be float, and TEST_TIMEOUT is not",
        ):
            assert said in text
        assert text.count("- api_token") == text.count("- compress") == 1
        assert "hunter2" not in text
        assert "hunter2" not in repr(refused.value.__cause__)

    async def test_a_store_is_asked_by_the_variable_that_the_manifest_names(self) -> None:
        store = MemorySecrets({"TEST_API_TOKEN": "hunter2", "ACCOUNT_ID": "not a secret setting"})
        async with connect(
            KeyValue, "one", backend="remote", config={"account_id": "a"}, secrets=store
        ) as kv:
            assert "api_token=Secret(…)" in (await kv.get("k") or b"").decode()

    async def test_what_a_store_lacks_comes_from_the_environment_or_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connection = partial(connect, KeyValue, "one", backend="remote", config={"account_id": "a"})
        with pytest.raises(ConfigInvalid, match="api_token is missing: give it in secrets or the "):
            async with connection(secrets=MemorySecrets({"api_token": "hunter2"})):
                pass
        monkeypatch.setenv("TEST_API_TOKEN", "hunter2")
        async with connection(secrets=MemorySecrets({})) as kv:
            assert "Secret(…)" in (await kv.get("k") or b"").decode()

    def test_a_store_serves_synchronous_callers(self) -> None:
        store = MemorySecrets({"TEST_API_TOKEN": "hunter2"})
        with sync.connect(
            KeyValue, "one", backend="remote", config={"account_id": "a"}, secrets=store
        ) as kv:
            assert "api_token=Secret(…)" in (kv.get("k") or b"").decode()

    async def test_what_keeps_a_store_from_being_read_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "TEST_API_TOKEN").write_bytes(b"hunter2\xff")
        with pytest.raises(ConfigInvalid, match="is no UTF-8 text") as refused:
            async with connect(
                KeyValue,
                "one",
                backend="remote",
                config={"account_id": "a"},
                secrets=FolderSecrets(tmp_path),
            ):
                pass
        assert "hunter2" not in str(refused.value)

    async def test_a_secret_that_is_missing_is_told_with_its_variable(self) -> None:
        with pytest.raises(ConfigInvalid, match="api_token is missing: give it in secrets or the "):
            await self.settings({"account_id": "a"})

    @pytest.mark.parametrize("empty", ["", Secret("")])
    async def test_an_empty_secret_is_no_secret(self, empty: object) -> None:
        with pytest.raises(ConfigInvalid, match="api_token is empty"):
            await self.settings({"account_id": "a"}, api_token=empty)

    async def test_an_empty_variable_counts_as_unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEST_ACCOUNT_ID", "")
        with pytest.raises(ConfigInvalid, match="account_id is missing"):
            await self.settings({}, api_token="t")

    async def test_what_the_dataclass_refuses_is_told_without_secrets(self) -> None:
        with pytest.raises(ConfigInvalid, match="retries 101 with Secret") as refused:
            await self.settings({"account_id": "a", "retries": 101}, api_token="hunter2")
        assert "hunter2" not in str(refused.value)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__

    @pytest.mark.parametrize("short", ["r", "101"])
    async def test_a_secret_too_short_to_be_redacted_withholds_the_text(self, short: str) -> None:
        with pytest.raises(ConfigInvalid, match="api_token is too short") as refused:
            await self.settings({"account_id": "a", "retries": 101}, api_token=short)
        assert "101" not in str(refused.value)
        assert "Secret" not in str(refused.value)

    async def test_whole_numbers_are_floats_too(self) -> None:
        shown = await self.settings({"account_id": "a", "timeout_seconds": 3}, api_token="t")
        assert "timeout_seconds=3.0" in shown

    async def test_manifest_and_dataclass_must_agree(self, site: Any) -> None:
        with_remote(
            site, "two", remote=REMOTE_PY.replace("    retries: int = 3\n", "    other: int\n")
        )
        with pytest.raises(ManifestInvalid) as refused:
            async with connect(KeyValue, "two", backend="remote"):
                pass
        assert "retries is declared, but RemoteConfig has no such field" in str(refused.value)
        assert "RemoteConfig.other is required" in str(refused.value)


@pytest.mark.feature("PL-03")
class TestAccess:
    async def test_half_a_protocol_yields_half_a_view(self, site: Any) -> None:
        site.plugin("one")
        async with connect(KeyValueReader, "one") as kv:
            assert await kv.get("k") is None
            with pytest.raises(AccessDenied) as refused:
                kv.put  # type: ignore[attr-defined]  # noqa: B018
        assert refused.value.code == "CAP110"
        assert "add resource::kv::write to the node's hints" in str(refused.value)

    async def test_declared_hints_limit_a_whole_protocol(self, site: Any) -> None:
        site.plugin("one")
        async with connect(KeyValue, "one", access=["kv_read"]) as kv:
            assert await kv.get("k") is None
            assert not hasattr(kv, "put")
        async with connect(KeyValue, "one", access=["resource::kv"]) as kv:
            assert not hasattr(kv, "get"), "a family grants nothing"

    async def test_what_a_deviation_declares_is_what_access_needs(self, site: Any) -> None:
        package = site.plugin("one")
        manifest = package / "capability.toml"
        manifest.write_text(
            manifest.read_text()
            + "\n[capabilities.kv.deviations.list]\n"
            + 'hints = ["resource::kv::read", "resource::clock"]\n'
        )
        async with connect(KeyValue, "one", access=["resource::kv::read"]) as kv:
            assert hasattr(kv, "get")
            with pytest.raises(AccessDenied, match="resource::clock"):
                await kv.list()

    async def test_what_the_provider_lacks_no_hint_can_give(self, site: Any) -> None:
        site.plugin("one")
        async with connect(KeyValue, "one") as kv:
            with pytest.raises(AccessDenied, match="does not have get_many"):
                await kv.get_many(["a"])


async def test_calls_are_observed_with_the_manifests_hints(site: Any) -> None:
    site.plugin("one")
    records: list[CallRecord] = []
    async with connect(KeyValue, "one", observe=records.append) as kv:
        await kv.put("secret key", b"123", metadata={"m": 1})
        await asyncio.gather(kv.get("secret key"), kv.get("absent"))
    assert [
        (r.capability, r.operation, r.hints, r.status, r.bytes_in, r.bytes_out) for r in records
    ] == [
        ("kv", "put", ("resource::kv::write",), "ok", 3, 0),
        ("kv", "get", ("resource::kv::read",), "ok", 0, 3),
        ("kv", "get", ("resource::kv::read",), "ok", 0, 0),
    ]  # fmt: skip
    assert "secret key" not in repr(records)


FAILING = """
    failures = 1
    async def get(self, key):
        from core_caps.errors import Unavailable
        if self.failures:
            self.failures -= 1
            raise Unavailable("503")
        return b"value"
"""


@pytest.mark.feature("AL-07")
class TestRetry:
    async def test_a_failed_call_is_repeated_on_the_connections_clock(self, site: Any) -> None:
        site.plugin("one", mock__py=BARE_MOCK + FAILING)
        clock, records = VirtualClock(auto=True), list[CallRecord]()
        async with connect(
            KeyValue, "one", clock=clock, rng=SeededRng(1), observe=records.append, retry=Policy()
        ) as kv:
            assert await kv.get("k") == b"value"
        assert [record.attempt for record in records] == [1, 2]
        assert clock.monotonic() > 0

    async def test_what_the_manifest_says_of_a_repeat_decides(self, site: Any) -> None:
        package = site.plugin("one", mock__py=BARE_MOCK + FAILING)
        manifest = package / "capability.toml"
        manifest.write_text(
            manifest.read_text() + '\n[capabilities.kv.deviations.get]\nrepeat = "unsafe"\n'
        )
        async with connect(KeyValue, "one", clock=VirtualClock(auto=True), retry=Policy()) as kv:
            with pytest.raises(Unavailable):
                await kv.get("k")

    def test_retries_have_one_owner(self, site: Any) -> None:
        with_remote(site)
        manifest = site.folder / "cap_one" / "capability.toml"
        owner = 'extra = "remote"\nretry_owner = "provider"'
        manifest.write_text(manifest.read_text().replace('extra = "remote"', owner))
        connect(KeyValue, "one", backend="remote")
        connect(KeyValue, "one", backend="mock", retry=Policy())
        with pytest.raises(ConfigInvalid, match="retries by itself"):
            connect(KeyValue, "one", backend="remote", retry=Policy())


async def test_a_capability_of_ones_own_connects_like_ours(site: Any) -> None:
    package = site.plugin(
        "mail",
        protocol__py="""
from typing import Protocol
from core_caps.claims.operation import capability, operation

class Sending(Protocol):
    @operation("resource::mail::send")
    async def send(self, to: str) -> str: ...

@capability("mail", version=1)
class Mail(Sending, Protocol):
    @operation("resource::mail::read")
    async def inbox(self) -> list[str]: ...
""",
        mock__py="""
from dataclasses import dataclass
@dataclass(frozen=True)
class Config: pass
class MockMail:
    Config = Config
    def __init__(self, config, *, clock, rng): pass
    async def __aenter__(self): return self
    async def __aexit__(self, *exc): pass
    async def send(self, to): return f"sent to {to}"
    async def inbox(self): return []
""",
        capability__toml="""
schema = 1
name = "mail"
summary = "Mail"
[capabilities.mail]
contract = "mail/1"
operations = ["send", "inbox"]
protocol = "cap_mail.protocol:Mail"
suite = "cap_mail.contract:CONTRACT"
[backends.mock]
providers.mail = "cap_mail.mock:MockMail"
[hints."resource::mail::send"]
effects = "effectful"
determinism = "best_effort"
[hints."resource::mail::read"]
effects = "read_only"
determinism = "best_effort"
""",
    )
    sys.modules.pop("cap_mail", None)
    from importlib import import_module

    protocol = import_module("cap_mail.protocol")
    assert package.name == "cap_mail"
    async with connect(protocol.Sending, "mail") as mail:
        assert await mail.send("a@b.c") == "sent to a@b.c"
        with pytest.raises(AccessDenied, match="add resource::mail::read"):
            await mail.inbox()


def test_the_package_names_what_it_exports() -> None:
    for name in dir(core_caps):
        assert getattr(core_caps, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        core_caps.nothing  # noqa: B018
