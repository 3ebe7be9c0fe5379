"""What the settings of a client over HTTP must be."""

from dataclasses import dataclass
from typing import Any

import pytest
from core_caps.errors import ConfigInvalid
from core_caps.http.settings import (
    Transport,
    need_connection,
    need_endpoint,
    need_identifier,
    need_token,
)
from core_caps.secret import Secret

pytestmark = pytest.mark.feature("AL-07")

TOKEN = Secret("t0ken")


@dataclass(frozen=True)
class Config:
    base_url: str = "https://api.example.com/v4"
    account_id: str = "0123_ab-C"
    api_token: Secret = TOKEN
    timeout_seconds: float = 5
    connect_timeout_seconds: float = 0.5
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        need_endpoint(self, "base_url")
        need_identifier(self, "account_id")
        need_token(self, "api_token")
        need_connection(self)


@pytest.mark.parametrize("url", ["https://a.example:8443", "http://localhost:1/v1", "http://[::1]"])
def test_an_endpoint_is_over_tls_or_on_this_machine(url: str) -> None:
    Config(base_url=url)


@pytest.mark.parametrize(
    ("setting", "given"),
    [
        *(("base_url", url) for url in ("http://example.com", "https://user@example.com", 5, "")),
        *(("base_url", f"https://{rest}") for rest in ("a.example?x=1", "a.example#b", "", "[bad")),
        *(("base_url", url) for url in ("https://a.example:99999", "ftp://a.example", "a.example")),
        *(("account_id", text) for text in ("", "a/b", "a?b", "é", "a" * 65, 5)),
        *(("timeout_seconds", seconds) for seconds in (0, True, float("nan"))),
        ("connect_timeout_seconds", "5"),
        *(("transport", name) for name in ("requests", "", None)),
        *(("api_token", token) for token in ("plain", Secret(""), Secret("a b"))),
        *(("api_token", Secret(text)) for text in ("é", "a\n", "\x7f")),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(setting: str, given: Any) -> None:
    with pytest.raises(ConfigInvalid, match=f"the setting {setting} is not ") as refused:
        Config(**{setting: given})
    assert setting in refused.value.hint
