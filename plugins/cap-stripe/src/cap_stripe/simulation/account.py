"""An account: its objects by id, and what happened to them."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core_caps.rng import Rng

from cap_stripe.simulation.refusals import missing

__all__ = ["Account", "Cause", "Thing"]

Thing = dict[str, Any]
"""An object as the vendor's JSON shows it."""

API_VERSION = "2026-10-28.endive"

_NAME_BYTES = 12


@dataclass(frozen=True, slots=True)
class Cause:
    """The request that caused something: its id, and the idempotency key that it came under."""

    request: str
    key: str | None


@dataclass(slots=True)
class Account:
    """Everything that one account holds. Time and names come from outside.

    Attributes:
        now: seconds since 1970.
        rng: makes names; the same source makes the same ones.
        things: objects by id, in the order in which they came to be.
        events: what happened, the oldest first.
        listeners: told of each event.
    """

    now: Callable[[], float]
    rng: Rng
    things: dict[str, Thing] = field(default_factory=dict[str, Thing])
    events: list[Thing] = field(default_factory=list[Thing])
    listeners: list[Callable[[Thing], None]] = field(default_factory=list[Callable[[Thing], None]])

    def name(self, prefix: str) -> str:
        """A new name."""
        return f"{prefix}_{self.rng.token(_NAME_BYTES).hex()}"

    def made(self, prefix: str, kind: str, **fields: Any) -> Thing:
        """A new object."""
        thing: Thing = {
            "id": self.name(prefix),
            "object": kind,
            "created": int(self.now()),
            "livemode": False,
            **fields,
        }
        self.things[thing["id"]] = thing
        return thing

    def delete(self, thing: Thing) -> Thing:
        """What is left of an object."""
        left: Thing = {"id": thing["id"], "object": thing["object"], "deleted": True}
        self.things[thing["id"]] = left
        return left

    def find(
        self,
        kind: str,
        id: str,
        param: str = "id",
        *,
        in_path: bool = False,
        or_deleted: bool = False,
    ) -> Thing:
        """An object.

        Raises:
            Refusal: there is none of that id and kind, or not any more.
        """
        thing = self.things.get(id)
        gone = thing is not None and "deleted" in thing and not or_deleted
        if thing is None or thing["object"] != kind or gone:
            raise missing(kind.replace("_", " ").replace(".", " "), id, param, in_path=in_path)
        return thing

    def all(self, kind: str) -> Iterator[Thing]:
        """The objects of a kind, the newest first."""
        return (thing for thing in reversed(self.things.values()) if thing["object"] == kind)

    def tell(self, type: str, thing: Mapping[str, Any], cause: Cause | None) -> None:
        """Write down what happened to an object, as it is now, and tell whoever listens."""
        event: Thing = {
            "id": self.name("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(self.now()),
            "data": {"object": copy.deepcopy(dict(thing))},
            "livemode": False,
            "pending_webhooks": len(self.listeners),
            "request": {
                "id": None if cause is None else cause.request,
                "idempotency_key": None if cause is None else cause.key,
            },
            "type": type,
        }
        self.events.append(event)
        for listener in self.listeners:
            listener(event)
