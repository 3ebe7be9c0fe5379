"""What must show nowhere, and whether it does: as it is, in parts, quoted, as base64 or in hex.

Standard library only: the agent searches what never leaves its process, the fault server what
arrives, and the registry the rest.
"""

import base64
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

__all__ = ["PART_CHARACTERS", "Canaries"]

PART_CHARACTERS = 12
"""So many characters of a secret in a row are as good as all of it to whoever guesses the rest."""

_CORE_CHARACTERS = 20
"""So much of the base64 of a secret is looked for: lines of it may be broken anywhere else."""


class Canaries:
    """Texts by name, each to be found in every form in which it is known to travel.

    Args:
        texts: by name; what is shorter than four characters is everywhere and so nowhere.
        parts: a part of one counts, too: for credentials.
    """

    def __init__(self, texts: Mapping[str, str], *, parts: bool = True) -> None:
        self._forms = {
            name: frozenset(_forms(text, parts=parts)) for name, text in texts.items() if text[3:]
        }

    def __bool__(self) -> bool:
        return bool(self._forms)

    def seen_in(self, text: str | bytes) -> list[str]:
        """The names of those that stand in a text."""
        if isinstance(text, bytes):
            text = text.decode("latin-1")
        return [name for name, forms in self._forms.items() if any(f in text for f in forms)]


def _forms(text: str, *, parts: bool) -> Iterator[str]:
    raw = text.encode()
    size = PART_CHARACTERS if parts else len(text)
    yield from (text[at : at + size] for at in range(max(1, len(text) - size + 1)))
    yield from (quote(text, ""), quote_plus(text), "".join(f"%{byte:02x}" for byte in raw))
    yield from (raw.decode("latin-1"), text.encode("unicode_escape").decode())
    for hexadecimal in (raw.hex(), raw.hex().upper()):
        ends = 2 * size if parts else len(hexadecimal)
        yield from (hexadecimal[:ends], hexadecimal[-ends:])
    for before in range(3):  # what stands before it moves its letters
        coded = base64.b64encode(b"\0" * before + raw).decode()
        core = coded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]  # what is its alone
        for each in {core, core.translate(_URL_SAFE)}:
            yield from (each[:_CORE_CHARACTERS], each[-_CORE_CHARACTERS:])


_URL_SAFE = str.maketrans("+/", "-_")
