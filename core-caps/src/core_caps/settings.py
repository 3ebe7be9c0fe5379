"""What a setting must be: the checks that a plugin's `config.py` is made of, each said once.

A check is given the dataclass that holds the settings and the names of those it is about. It names
the first that does not hold, and never shows its value: that may be a secret in the wrong place.

    def __post_init__(self) -> None:
        need_text(self, "store")
        need_whole(self, "api_port", least=1, most=65_535)
        need_seconds(self, "timeout_seconds", "connect_timeout_seconds")
"""

import re
from typing import Any

from core_caps.errors import ConfigInvalid
from core_caps.secret import Secret

__all__ = [
    "SECONDS_MAX",
    "need",
    "need_choice",
    "need_flag",
    "need_match",
    "need_name",
    "need_number",
    "need_seconds",
    "need_secret",
    "need_text",
    "need_whole",
]

SECONDS_MAX = 86_400
"""The longest wait that makes sense: a day."""


def need(holds: bool, setting: str, form: str, *, hint: str = "") -> None:
    """Refuse a setting that does not hold.

    Args:
        holds: whether it does.
        setting: its name.
        form: what it is to be, as in "a whole number from 0".
        hint: what to do, where that is more than to correct it.

    Raises:
        ConfigInvalid: it does not hold (CAP105).
    """
    if not holds:
        message = f"the setting {setting} is not {form}"
        raise ConfigInvalid(message, hint=hint or f"correct {setting}")


def need_text(config: object, *names: str) -> None:
    """Each is text, "" included, that UTF-8 can hold."""
    for name in names:
        need(_is_text(getattr(config, name)), name, "text")


def need_name(config: object, *names: str) -> None:
    """Each is text that is not empty and can be printed."""
    for name in names:
        given: Any = getattr(config, name)
        need(_is_text(given) and given.isprintable() and given != "", name, "a name")


def need_match(
    config: object, *names: str, pattern: re.Pattern[str], form: str, hint: str = ""
) -> None:
    """Each is text of that pattern, whole."""
    for name in names:
        given: Any = getattr(config, name)
        holds = isinstance(given, str) and pattern.fullmatch(given) is not None
        need(holds, name, form, hint=hint)


def need_choice(config: object, name: str, *choices: str) -> None:
    """It is one of these."""
    given: Any = getattr(config, name)
    need(isinstance(given, str) and given in choices, name, " or ".join(choices))


def need_flag(config: object, *names: str) -> None:
    """Each is True or False, and no other value that means it."""
    for name in names:
        need(isinstance(getattr(config, name), bool), name, "true or false")


def need_whole(config: object, *names: str, least: int, most: int) -> None:
    """Each is a whole number within these bounds; True is none."""
    for name in names:
        given: Any = getattr(config, name)
        whole = isinstance(given, int) and not isinstance(given, bool)
        need(whole and least <= given <= most, name, f"a whole number from {least} to {most}")


def need_number(config: object, *names: str, least: float, below: float) -> None:
    """Each is a number within these bounds; True and NaN are none."""
    for name in names:
        holds = _is_number(given := getattr(config, name)) and least <= given < below
        need(holds, name, f"a number from {least:g}, below {below:g}")


def need_seconds(config: object, *names: str) -> None:
    """Each is a wait: some time, and at most a day."""
    for name in names:
        holds = _is_number(given := getattr(config, name)) and 0 < given <= SECONDS_MAX
        need(holds, name, f"a number of seconds above 0, at most {SECONDS_MAX}")


def need_secret(config: object, *names: str) -> None:
    """Each is a Secret, which shows itself in no error and no log."""
    for name in names:
        need(isinstance(getattr(config, name), Secret), name, "a Secret")


def _is_text(given: object) -> bool:
    return isinstance(given, str) and not any("\ud800" <= letter <= "\udfff" for letter in given)


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)
