"""The account's book: objects, what happened to them, and what was answered under which key."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from flows_registry.lab.references.stripe.refusal import Refusal

__all__ = ["Answered", "Book", "Row"]

Row = dict[str, Any]

# https://docs.stripe.com/api/idempotent_requests
REMEMBERED_SECONDS: Final = 24 * 3600
_TIMES: Final = frozenset({"created", "expires_at", "canceled_at"})


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered under a key, and to which request."""

    request: tuple[str, str, bytes]
    status: int
    body: bytes
    at: float


@dataclass(slots=True)
class Book:
    """One account. Ids are numbers in the order of their making, so that runs repeat themselves."""

    now: Callable[[], float]
    rows: dict[str, Row] = field(default_factory=dict[str, Row])
    events: list[Row] = field(default_factory=list[Row])
    keys: dict[str, Answered] = field(default_factory=dict[str, Answered])

    def add(self, prefix: str, kind: str, **columns: Any) -> Row:
        """A new object."""
        name = f"{prefix}_{len(self.rows) + len(self.events):014d}"
        row: Row = {"id": name, "object": kind, "created": int(self.now()), "livemode": False}
        self.rows[name] = row | columns
        return self.rows[name]

    def get(self, kind: str, name: str, param: str, *, status: int = 400) -> Row:
        """The object of that id; for one that was deleted, see `left`."""
        row = self.rows.get(name)
        if row is None or row["object"] != kind or "deleted" in row:
            raise Refusal.missing(kind, name, param, status=status)
        return row

    def forget(self, row: Row) -> Row:
        """Delete an object: what is left says so."""
        self.rows[row["id"]] = {"id": row["id"], "object": row["object"], "deleted": True}
        return self.rows[row["id"]]

    def left(self, kind: str, name: str) -> Row | None:
        """What is left of an object that was deleted."""
        row = self.rows.get(name, {})
        return row if row.get("object") == kind and "deleted" in row else None

    def newest(self, kind: str) -> list[Row]:
        """The objects of a kind, the newest first."""
        return [row for row in reversed(self.rows.values()) if row["object"] == kind]

    def happened(self, kind: str, row: Row, key: str | None) -> None:
        """Write an event down."""
        self.events.append(
            {
                "id": f"evt_{len(self.rows) + len(self.events):014d}",
                "object": "event",
                "created": int(self.now()),
                "livemode": False,
                "type": kind,
                "data": {"object": copy.deepcopy(row)},
                "request": {"id": "req_reference", "idempotency_key": key},
                "pending_webhooks": 0,
            }
        )

    def answered(self, key: str, request: tuple[str, str, bytes]) -> Answered | None:
        """What was answered under the key; it may not have been another request's."""
        if len(key) > 255:
            raise Refusal(400, "Idempotency keys are up to 255 characters long.")
        kept = self.keys.get(key)
        if kept is None or self.now() - kept.at >= REMEMBERED_SECONDS:
            return None
        if kept.request != request:
            raise Refusal(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were "
                "first used with.",
                type="idempotency_error",
            )
        return kept

    def shown(self) -> Row:
        """Objects and events without times: reading and waiting change nothing."""
        return {
            "objects": {name: _timeless(row) for name, row in sorted(self.rows.items())},
            "events": [_timeless(event) for event in self.events],
        }


def _timeless(row: Row) -> Row:
    shown = {name: value for name, value in sorted(row.items()) if name not in _TIMES}
    about = shown.get("data")
    if row["object"] == "event" and about is not None:
        shown["data"] = {"object": _timeless(about["object"])}
    return shown
