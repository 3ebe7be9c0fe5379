"""The two tables of this plugin's own. They are made when they are first missed.

Whoever may not create tables has them made beforehand, by these very statements: see the README.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cap_postgres_neon.statements import Command

__all__ = ["DEDUPE", "KEYS", "ONE_PAYLOAD", "Table"]

ONE_PAYLOAD = "_flows_dedupe_one_payload"
"""The constraint that undoes a reservation under another payload."""

_ONE_AT_A_TIME = Command("SELECT pg_advisory_xact_lock(hashtext('_flows_'))")
"""Two that make one table at once would disturb each other, IF NOT EXISTS or not."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and what makes it.

    Attributes:
        name: its name, found by the role's search path.
        made_by: the statements that make it where it is missing.
    """

    name: str
    made_by: tuple[str, ...]

    @property
    def primary_key(self) -> str:
        """The name of the constraint that PostgreSQL gives a primary key."""
        return f"{self.name}_pkey"

    @property
    def making(self) -> Sequence[Command]:
        """The commands that make it, and do nothing where it is."""
        return [_ONE_AT_A_TIME, *map(Command, self.made_by)]

    def is_named(self, message: str) -> bool:
        """Whether a message names it, which for a missing table is said nowhere else: messages are
        in the server's language, with the quotation marks that belong to it."""
        return re.search(rf"(?<!\w){self.name}(?!\w)", message) is not None


KEYS = Table(
    "_flows_keys",
    (
        'CREATE TABLE IF NOT EXISTS _flows_keys (key text COLLATE "C" PRIMARY KEY, '
        "used_at timestamptz NOT NULL DEFAULT clock_timestamp())",
    ),
)
"""The keys lie in the database that is written under them, so that one transaction holds both."""

DEDUPE = Table(
    "_flows_dedupe",
    (
        "CREATE TABLE IF NOT EXISTS _flows_dedupe (key bytea PRIMARY KEY, owner bytea NOT NULL, "
        "payload bytea NOT NULL, until timestamptz NOT NULL, forget_at timestamptz NOT NULL, "
        "result bytea, "
        f"collided boolean CONSTRAINT {ONE_PAYLOAD} CHECK (collided IS NULL))",
        "CREATE INDEX IF NOT EXISTS _flows_dedupe_forgetting ON _flows_dedupe (forget_at)",
    ),
)
"""`until` is when the lease runs out; of done work (it has a result), when that is forgotten.
`collided` is never true: a command that would make it so is refused, and its transaction undone."""
