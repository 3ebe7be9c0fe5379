"""A secret in no form: what a certification says is searched for the credentials that its lab made
up, as they are, in base64, hexadecimal and percent codes, and where a cut has left a piece."""

import base64
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from flows_registry.verdict import CaseRecord, CheckResult

__all__ = ["Redactor"]

_PIECE = 10
"""So many letters of a secret's form are no chance. A form's longest run without one is 19."""

_LETTERS_MIN = 4
"""A shorter text is everywhere, and so no secret."""

_BEGINNING = "canary-"
"""What every credential of the lab begins with: alone, it is none."""


class Redactor:
    """Replaces secrets by their settings' names.

    Args:
        canaries: the name of each setting → the secrets that were given for it.
    """

    def __init__(self, canaries: Mapping[str, Sequence[str]]) -> None:
        self._forms = [
            (form, f"{{{setting}}}")
            for setting, secrets in canaries.items()
            for secret in secrets
            if len(secret) >= _LETTERS_MIN
            for form in _forms(secret)
        ]
        self._pieces = [piece for form, _ in self._forms for piece in _pieces(form)]

    def result(self, result: CheckResult) -> CheckResult:
        """The result without any secret; its facts name what was found, as `secrets_removed`."""
        if not self._is_in("\n".join(_texts(_fields(result)))):
            return result
        found: set[str] = set()
        clean = self._changed(result, lambda text: self._redacted(text, found))
        return replace(clean, facts={**clean.facts, "secrets_removed": sorted(found)})

    def record(self, record: CaseRecord) -> CaseRecord:
        """The record without any secret."""
        return self._changed(record, lambda text: self._redacted(text, set()))

    def _redacted(self, text: str, found: set[str]) -> str:
        if not self._is_in(text):
            return text
        for form, name in self._forms:
            if any(piece in text for piece in _pieces(form)):
                text = _without(text, form, name)
                found.add(name)
        return text

    def _is_in(self, text: str) -> bool:
        return any(piece in text for piece in self._pieces)

    def _changed(self, value: Any, change: Callable[[str], str]) -> Any:
        """The value with every text in it changed, however deep."""

        def below(item: Any) -> Any:
            return self._changed(item, change)

        match value:
            case str():
                return change(value)
            case Mapping():
                entries = cast("Mapping[Any, Any]", value)
                return {below(key): below(item) for key, item in entries.items()}
            case list() | tuple():
                items = cast("Sequence[Any]", value)
                return type(items)(map(below, items))  # type: ignore[call-arg]
            case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
                fields = _fields(value)
                return replace(value, **{name: below(item) for name, item in fields.items()})
            case _:
                return value


def _forms(secret: str) -> list[str]:
    """Every way in which it may be written; the longest first."""
    raw = secret.encode()
    hexadecimal = raw.hex()
    quoted = "".join(f"%{byte:02x}" for byte in raw)
    forms = [secret, secret.upper(), secret.lower(), secret[::-1]]
    forms += [hexadecimal, hexadecimal.upper(), quoted, quoted.upper()]
    for before in range(3):  # base64 depends on how many bytes stand before
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        inside = text[(0, 2, 3)[before] : len(text) - bool((before + len(raw)) % 3)]
        forms += [inside, inside.translate(str.maketrans("+/", "-_"))]
    return sorted(dict.fromkeys(forms), key=len, reverse=True)


def _pieces(form: str) -> list[str]:
    """Parts of which at least one is in every longer run of the form."""
    start = len(_BEGINNING) if form.lower().startswith(_BEGINNING) else 0
    starts = range(start, len(form) - _PIECE + 1, _PIECE)
    return [form[at : at + _PIECE] for at in starts] or [form]


def _without(text: str, form: str, name: str) -> str:
    """The text with the form, and every run of it that holds a piece, replaced."""
    text = text.replace(form, name)
    if len(form) <= _PIECE:
        return text
    for piece in _pieces(form):
        seek = 0
        while (found := text.find(piece, seek)) >= 0:
            start, end = _run(text, form, found, form.index(piece), len(piece))
            text = f"{text[:start]}{name}{text[end:]}"
            seek = start + len(name)
    return text


def _run(text: str, form: str, start: int, before: int, size: int) -> tuple[int, int]:
    """Where the part of the form begins and ends of which a piece stands at `start`."""
    end, after = start + size, before + size
    while start > 0 and before > 0 and text[start - 1] == form[before - 1]:
        start, before = start - 1, before - 1
    while end < len(text) and after < len(form) and text[end] == form[after]:
        end, after = end + 1, after + 1
    return start, end


def _fields(value: Any) -> dict[str, Any]:
    return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, however deep."""
    match value:
        case str():
            yield value
        case Mapping():
            for key, item in cast("Mapping[Any, Any]", value).items():
                yield from _texts(key)
                yield from _texts(item)
        case list() | tuple():
            for item in cast("Sequence[Any]", value):
                yield from _texts(item)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            for item in _fields(value).values():
                yield from _texts(item)
        case _:
            return
