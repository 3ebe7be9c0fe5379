"""What Dedupe and Sequencer are called with, held against their types and a store's limits.

    ARGUMENTS = Arguments(batch_keys_max=1000)

    asked, name = ARGUMENTS.reservations(reservations), ARGUMENTS.owner(owner)

Every backend of a plugin checks by the same value before anything is touched, so that a wrong
argument is the same error everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core_caps.capabilities.arguments import checked_bytes, checked_list, checked_text
from core_caps.capabilities.dedupe import Commit, Reservation
from core_caps.errors import InvalidArgument

__all__ = ["Arguments", "encoded"]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The checks of one store, by its limits; None is no limit of its own.

    Attributes:
        batch_keys_max: keys of one call.
        key_size_bytes_max: of a key, and of an owner.
        payload_size_bytes_max: of the digest that a reservation compares.
        result_size_bytes_max: of a result.
        results_size_bytes_max: of all results of one call.
    """

    batch_keys_max: int | None = None
    key_size_bytes_max: int | None = None
    payload_size_bytes_max: int | None = None
    result_size_bytes_max: int | None = None
    results_size_bytes_max: int | None = None

    def key(self, key: object) -> str:
        """An idempotency key.

        Raises:
            InvalidArgument: it is no text, empty, or too long; NOT_APPLIED.
        """
        return self._named(key, "a key", "derive one from all that the work depends on")

    def owner(self, owner: object) -> str:
        """Who asks.

        Raises:
            InvalidArgument: it is no text, empty, or too long; NOT_APPLIED.
        """
        hint = "name the attempt: a UUID for each worker and message"
        return self._named(owner, "an owner", hint)

    def keys(self, keys: object) -> list[str]:
        """The keys that are given back, each once.

        Raises:
            InvalidArgument: it is no sequence of keys, or they are too many; NOT_APPLIED.
        """
        given = checked_list(keys, str, "keys", self.batch_keys_max)
        return list(dict.fromkeys(map(self.key, given)))

    def reservations(self, reservations: object) -> dict[str, bytes]:
        """The payloads by the keys that are to be reserved, in order.

        Raises:
            InvalidArgument: it is no sequence of Reservations, a key is given twice, or a limit is
                broken; NOT_APPLIED.
        """
        checked: dict[str, bytes] = {}
        given = checked_list(reservations, Reservation, "reservations", self.batch_keys_max)
        for each in given:
            payload = checked_bytes(each.payload, "a payload")
            _need_size("a payload", len(payload), self.payload_size_bytes_max, "give a digest")
            self._add(checked, each.key, payload)
        return checked

    def commits(self, commits: object) -> dict[str, bytes]:
        """The results by the keys that are to be committed, in order.

        Raises:
            InvalidArgument: it is no sequence of Commits, a key is given twice, or a limit is
                broken; NOT_APPLIED.
        """
        checked: dict[str, bytes] = {}
        aside = "keep it in a blob store and commit its name"
        for each in checked_list(commits, Commit, "commits", self.batch_keys_max):
            result = checked_bytes(each.result, "a result")
            _need_size("a result", len(result), self.result_size_bytes_max, aside)
            self._add(checked, each.key, result)
        size_bytes = sum(map(len, checked.values()))
        _need_size(
            "the batch", size_bytes, self.results_size_bytes_max, "commit it in several batches"
        )
        return checked

    def _named(self, given: object, what: str, hint: str) -> str:
        text = checked_text(given, what)
        if not text:
            raise InvalidArgument(f"{what} is empty", hint=hint)
        _need_size(what, len(text.encode()), self.key_size_bytes_max, "use a digest of it")
        return text

    def _add(self, checked: dict[str, bytes], key: object, value: bytes) -> None:
        name = self.key(key)
        if name in checked:
            raise InvalidArgument("a key is given twice", hint="one batch has one answer for a key")
        checked[name] = value


def encoded(values: Mapping[str, bytes]) -> dict[bytes, bytes]:
    """The same, with each key's UTF-8 form, by which stores order keys."""
    return {key.encode(): value for key, value in values.items()}


def _need_size(what: str, size_bytes: int, most: int | None, hint: str) -> None:
    if most is not None and size_bytes > most:
        raise InvalidArgument(f"{what} has {size_bytes} bytes; the limit is {most}", hint=hint)
