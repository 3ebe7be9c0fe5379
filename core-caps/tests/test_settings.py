"""What a setting must be, whichever plugin's it is."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from core_caps import Secret
from core_caps.errors import ConfigInvalid
from core_caps.settings import (
    SECONDS_MAX,
    need,
    need_choice,
    need_flag,
    need_match,
    need_name,
    need_number,
    need_seconds,
    need_secret,
    need_text,
    need_whole,
)

pytestmark = pytest.mark.feature("AL-07")

NAN = float("nan")
NO_NUMBERS = (None, "1", True, NAN, b"1")


def whole(config: object, *names: str) -> None:
    need_whole(config, *names, least=0, most=3)


def number(config: object, *names: str) -> None:
    need_number(config, *names, least=0, below=1)


def lower(config: object, *names: str) -> None:
    need_match(config, *names, pattern=re.compile("[a-z]+"), form="letters in lower case")


def choice(config: object, *names: str) -> None:
    for name in names:
        need_choice(config, name, "path", "virtual")


HOLDS: dict[Callable[..., None], tuple[Any, ...]] = {
    need_text: ("", "a", "é\n\0"),
    need_name: ("a", "é b"),
    need_flag: (True, False),
    need_seconds: (0.001, 1, SECONDS_MAX),
    need_secret: (Secret("s"), Secret("")),
    whole: (0, 3),
    number: (0, 0.999),
    lower: ("abc",),
    choice: ("path", "virtual"),
}
DOES_NOT: dict[Callable[..., None], tuple[Any, ...]] = {
    need_text: (None, b"a", 5, "\ud800"),
    need_name: (None, "", "a\n", "a\0", "\ud800"),
    need_flag: (None, 0, 1, "true"),
    need_seconds: (*NO_NUMBERS, 0, -1, SECONDS_MAX + 1, float("inf")),
    need_secret: (None, "canary", b""),
    whole: (*NO_NUMBERS, -1, 4, 1.0),
    number: (*NO_NUMBERS, -0.1, 1),
    lower: (None, "", "Abc", "abc\n", "abc d"),
    choice: (None, "", "PATH", "pat", ["path"]),
}


def cases(table: dict[Callable[..., None], tuple[Any, ...]]) -> list[tuple[Any, Any]]:
    return [(check, value) for check, values in table.items() for value in values]


@pytest.mark.parametrize(("check", "value"), cases(HOLDS))
def test_what_holds_is_taken(check: Any, value: Any) -> None:
    check(SimpleNamespace(first=value, second=value), "first", "second")


@pytest.mark.parametrize(("check", "value"), cases(DOES_NOT))
def test_what_does_not_is_refused_by_name(check: Any, value: Any) -> None:
    sound = HOLDS[check][0]
    with pytest.raises(ConfigInvalid, match="the setting second is not ") as refused:
        check(SimpleNamespace(first=sound, second=value), "first", "second")
    assert refused.value.hint == "correct second"


def test_no_value_is_shown() -> None:
    for check in DOES_NOT:
        with pytest.raises(ConfigInvalid) as refused:
            check(SimpleNamespace(password=["canary"]), "password")
        assert "canary" not in str(refused.value)


def test_a_hint_may_say_more() -> None:
    need(True, "bucket", "a name", hint="copy it")
    with pytest.raises(ConfigInvalid) as refused:
        need(False, "bucket", "a name", hint="copy it")
    assert refused.value.hint == "copy it"
