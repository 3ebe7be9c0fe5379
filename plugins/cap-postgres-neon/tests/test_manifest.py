"""The manifest says what the code does, and the plugin opens through `connect`."""

import dataclasses
import importlib
import inspect
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cap_postgres_neon
import pytest
from cap_postgres_neon.config import RemoteConfig, TcpConfig
from core_caps import sync
from core_caps.capabilities.known import KNOWN, load, spec_for
from core_caps.capabilities.sql import Sql
from core_caps.claims.manifest import FILE_NAME, Backend, Provided, claims_of, read
from core_caps.errors import ConfigInvalid
from core_caps.secret import Secret

FILE = Path(cap_postgres_neon.__file__).parent / FILE_NAME
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
def test_nothing_deviates_and_nothing_is_left_out(capability: Provided) -> None:
    spec = spec_for(capability.contract)
    assert spec is not None
    assert not capability.deviations
    assert set(claims_of(MANIFEST, spec)) == set(capability.operations)
    assert set(spec.operations) == set(capability.operations)


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
def test_connect_opens_a_database_over_tcp(database: Mapping[str, Any]) -> None:
    config = {
        **{name: database[name] for name in ("host", "port", "user")},
        "database": database["dbname"],
        "sslmode": "disable",
    }
    secret: Any = {"secrets": {"password": database.get("password", "none")}}
    with sync.connect(Sql, "postgres-neon", backend="tcp", config=config, **secret) as sql:
        assert sql.query("SELECT $1 || 'o'", ("hell",)).rows == (("hello",),)


@pytest.mark.feature("DC-01")
def test_connect_opens_the_companion(database: Mapping[str, Any], port: int) -> None:
    config = {"api_host": "127.0.0.1", "api_port": port, "database": database["dbname"]}
    with sync.connect(Sql, "postgres-neon", backend="local", config=config) as sql:
        assert sql.query("SELECT $1 || 'o'", ("hell",)).rows == (("hello",),)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("host", ""),
        ("host", "a b"),
        ("database", ""),
        ("user", "a\0b"),
        ("password", "bare"),
        ("api_host", "a/b"),
        ("api_port", 0),
        ("tls", False),
        ("timeout_seconds", 0),
        ("connect_timeout_seconds", True),
        ("answer_size_bytes_max", -1),
        ("transport", "carrier pigeon"),
    ],
)
def test_a_setting_that_is_none_is_refused(setting: str, value: object) -> None:
    sound = {"host": "a.b", "database": "d", "user": "u", "password": Secret("p")}
    RemoteConfig(**sound)
    with pytest.raises(ConfigInvalid, match=setting):
        RemoteConfig(**{**sound, setting: value})


@pytest.mark.parametrize(
    ("setting", "value"),
    [("host", "a b"), ("port", 65_536), ("sslmode", "allow"), ("connections_max", 0)],
)
def test_a_setting_of_tcp_that_is_none_is_refused(setting: str, value: object) -> None:
    sound = {"host": "/run/postgresql", "database": "d", "user": "u", "password": Secret("p")}
    TcpConfig(**sound)
    with pytest.raises(ConfigInvalid, match=setting):
        TcpConfig(**{**sound, setting: value})


def test_the_endpoint_is_where_neons_own_client_looks() -> None:
    config = RemoteConfig("ep-x-1.eu-central-1.aws.neon.tech", "d b", "u@", Secret("p/:"))
    assert config.endpoint == "https://api.eu-central-1.aws.neon.tech:443"
    assert config.connection_string.reveal() == (
        "postgresql://u%40:p%2F%3A@ep-x-1.eu-central-1.aws.neon.tech/d%20b"
    )
    assert "p/:" not in repr(config)


@pytest.mark.feature("DC-01")
def test_the_mock_needs_nothing_but_the_standard_library() -> None:
    program = """
import sys
import cap_postgres_neon.plugin, cap_postgres_neon.mock_sql, cap_postgres_neon.mock_dedupe
ours = {"core_caps", "cap_postgres_neon", "pluggy"}
tops = {name.partition(".")[0] for name in sys.modules}
found = tops - ours - sys.stdlib_module_names - {"__main__", "_virtualenv"}
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
