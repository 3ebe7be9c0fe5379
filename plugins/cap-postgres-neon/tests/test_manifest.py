"""The manifest says what the code does, and the plugin opens through `connect`."""

from collections.abc import Mapping
from typing import Any

import pytest
from cap_postgres_neon.config import RemoteConfig, TcpConfig
from core_caps import sync
from core_caps.capabilities.known import spec_for
from core_caps.capabilities.sql import Sql
from core_caps.claims.manifest import Provided, claims_of
from core_caps.contract.declared import Declared
from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme
from core_caps.errors import ConfigInvalid
from core_caps.secret import Secret

MANIFEST = Declared.by("cap_postgres_neon").manifest

pytestmark = pytest.mark.feature("DC-01", "DC-03", "DC-04")
test_manifest = enrol_manifest("cap_postgres_neon")
test_readme = enrol_readme(prints="True [{'name': 'Ada', 'visits': 1}]\n")


@pytest.mark.parametrize(
    "capability", MANIFEST.capabilities.values(), ids=lambda capability: capability.name
)
def test_nothing_deviates_and_nothing_is_left_out(capability: Provided) -> None:
    spec = spec_for(capability.contract)
    assert spec is not None
    assert not capability.deviations
    assert set(claims_of(MANIFEST, spec)) == set(capability.operations)
    assert set(spec.operations) == set(capability.operations)


def test_connect_opens_a_database_over_tcp(database: Mapping[str, Any]) -> None:
    config = {
        **{name: database[name] for name in ("host", "port", "user")},
        "database": database["dbname"],
        "sslmode": "disable",
    }
    secret: Any = {"secrets": {"password": database.get("password", "none")}}
    with sync.connect(Sql, "postgres-neon", backend="tcp", config=config, **secret) as sql:
        assert sql.query("SELECT $1 || 'o'", ("hell",)).rows == (("hello",),)


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
