"""Form bodies as the API takes them: `metadata[order]=7`, `line_items[0][price]=price_1`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from cap_stripe.limits import (
    EMAIL_CHARACTERS_MAX,
    METADATA_KEY_CHARACTERS_MAX,
    METADATA_KEYS_MAX,
    METADATA_VALUE_CHARACTERS_MAX,
)
from cap_stripe.money import CURRENCIES, greatest
from cap_stripe.simulation.refusals import Refusal, wrong

__all__ = ["Params", "parsed"]

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#]+[^\s]*")


def parsed(text: str) -> "Params":
    """The parameters of a form or a query.

    Raises:
        Refusal: a name cannot be read.
    """
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found = _KEY.fullmatch(name)
        if found is None:
            raise wrong(f"Invalid parameter name: {name[:80]}", None, "parameter_unknown")
        path = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
        _put(tree, path, value, name)
    return Params(tree)


def _put(tree: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for step in path[:-1]:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            raise wrong(f"Invalid hash: {name[:80]}", name, "parameter_invalid")
        tree = cast("dict[str, Any]", below)
    last = path[-1] or str(len(tree))
    tree[last] = value


class Params:
    """Parameters, read once each; what nobody reads is unknown to the service.

    Args:
        tree: texts by name, and below names.
        above: the names above these.
    """

    def __init__(self, tree: Mapping[str, Any], above: str = "") -> None:
        self._tree = dict(tree)
        self._above = above
        self._below: list[Params] = []

    def text(self, name: str, *, required: bool = False, default: str | None = None) -> str | None:
        """A text, or the default where it is not given; an empty one is none."""
        found = self._tree.pop(name, None)
        if isinstance(found, dict):
            raise wrong(f"Invalid string: {self._full(name)}", self._full(name))
        if not found:
            if required:
                raise wrong(
                    f"Missing required param: {self._full(name)}.",
                    self._full(name),
                    "parameter_missing",
                )
            return default
        return cast("str", found)

    def whole(self, name: str, *, required: bool = False, least: int | None = None) -> int | None:
        """A whole number."""
        found = self.text(name, required=required)
        if found is None:
            return None
        if not _WHOLE.fullmatch(found):
            raise self._not_whole(name, f"Invalid integer: {found[:40]}")
        if least is not None and int(found) < least:
            raise self._not_whole(name, f"This value must be greater than or equal to {least}.")
        return int(found)

    def money(self, name: str, *, least: int = 1) -> tuple[int, str]:
        """Money in the smallest unit of the currency that stands beside it."""
        amount, currency = self.whole(name, required=True, least=least) or 0, self.currency()
        if amount > greatest(currency):
            raise wrong(
                f"Amount must be no more than {greatest(currency)}",
                self._full(name),
                "amount_too_large",
            )
        return amount, currency

    def currency(self, name: str = "currency") -> str:
        """A currency that the service takes."""
        found = (self.text(name, required=True) or "").lower()
        if found not in CURRENCIES:
            raise wrong(f"Invalid currency: {found[:20]}", self._full(name))
        return found

    def email(self, name: str = "email") -> str | None:
        """An e-mail address."""
        found = self.text(name)
        if found is None or (len(found) <= EMAIL_CHARACTERS_MAX and _EMAIL.fullmatch(found)):
            return found
        raise wrong(f"Invalid email address: {found[:80]}", self._full(name), "email_invalid")

    def url(self, name: str, *, required: bool = False) -> str | None:
        """An address, with its scheme."""
        found = self.text(name, required=required)
        if found is None or _URL.fullmatch(found):
            return found
        said = "Not a valid URL"
        if "://" not in found:
            said = "Invalid URL: An explicit scheme (such as https) must be provided."
        raise wrong(said, self._full(name), "url_invalid")

    def flag(self, name: str) -> bool:
        """True or false; false where it is not given."""
        found = self.text(name, default="false")
        if found not in ("true", "false"):
            raise wrong(f"Invalid boolean: {found}", self._full(name))
        return found == "true"

    def metadata(self) -> dict[str, str]:
        """The metadata, within its limits."""
        found = self._tree.pop("metadata", None) or dict[str, Any]()
        if not isinstance(found, dict):
            raise wrong("Invalid hash", "metadata")
        entries = {k: v for k, v in cast("dict[str, Any]", found).items() if v != ""}
        if len(entries) > METADATA_KEYS_MAX:
            raise wrong(f"You can specify up to {METADATA_KEYS_MAX} keys", "metadata")
        for key, value in entries.items():
            if len(key) > METADATA_KEY_CHARACTERS_MAX:
                raise wrong(
                    f"Metadata keys can be up to {METADATA_KEY_CHARACTERS_MAX} characters",
                    "metadata",
                )
            if not isinstance(value, str) or len(value) > METADATA_VALUE_CHARACTERS_MAX:
                raise wrong(
                    f"Metadata values can be up to {METADATA_VALUE_CHARACTERS_MAX} characters",
                    "metadata",
                )
        return entries

    def below(self, name: str) -> "Params | None":
        """The parameters below a name, or None."""
        found = self._tree.pop(name, None)
        if not found:
            return None
        if not isinstance(found, dict):
            raise wrong(f"Invalid hash: {self._full(name)}", self._full(name))
        params = Params(cast("dict[str, Any]", found), self._full(name))
        self._below.append(params)
        return params

    def each(self, name: str) -> list["Params"]:
        """The parameters below each item of a list, in order."""
        found = self.below(name)
        if found is None:
            return []
        items = [found.below(number) for number in sorted(found._tree, key=_order)]
        return [item for item in items if item is not None]

    def texts(self, name: str) -> list[str]:
        """The texts of a list."""
        found = self.below(name)
        return [] if found is None else [found.text(each) or "" for each in list(found._tree)]

    def finish(self) -> None:
        """Refuse what nobody read."""
        for name in self._left():
            raise wrong(f"Received unknown parameter: {name}", name, "parameter_unknown")

    def _left(self) -> Iterator[str]:
        for name in self._tree:
            yield self._full(name)
        for params in self._below:
            yield from params._left()

    def _not_whole(self, name: str, said: str) -> Refusal:
        return wrong(said, self._full(name), "parameter_invalid_integer")

    def _full(self, name: str) -> str:
        return f"{self._above}[{name}]" if self._above else name


def _order(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (0, name)
