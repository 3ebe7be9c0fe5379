"""What PostgreSQL gives and refuses, as Neon tells it. Needs the standard library only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Given", "Refused"]


class Refused(Exception):
    """PostgreSQL refused a command; `fields` is what it says of that."""

    def __init__(self, fields: Mapping[str, str | None]) -> None:
        super().__init__(fields["message"])
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Given:
    """What a command gave: the fields as Neon tells them, the rows, and the command's tag."""

    fields: Sequence[Mapping[str, Any]]
    rows: Sequence[Sequence[str | None]]
    tag: str
