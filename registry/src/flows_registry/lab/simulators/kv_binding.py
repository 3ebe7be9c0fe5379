"""kv/1 over a Workers KV binding: what the vendor's runtime says a provider must answer."""

import re
from collections.abc import Mapping, Sequence

from core_caps.capabilities.key_value import Entry, KeyInfo, Page
from core_caps.errors import InvalidArgument, RateLimited, Unavailable

from flows_registry.lab.simulators.adapter import Binding, BindingAdapter, Steps
from flows_registry.lab.simulators.bridge import BridgeError
from flows_registry.lab.simulators.kv_boundaries import KV_BOUNDARIES

__all__ = ["KV_BINDING"]

_EXPIRATION_MAX = 2**31 - 1
"""The runtime takes the argument as a 32-bit integer (early 2038) where the vendor documents
seconds since 1970 without an end; a later time is stored as this one. No comparison shows times."""

_REFUSED = frozenset({400, 413, 414})
_STATUS = re.compile(r"KV \w+ failed: (\d{3})")


def _get(binding: Binding, key: str) -> Steps:
    return (yield binding.call("get", key, "arrayBuffer"))


def _get_with_metadata(binding: Binding, key: str) -> Steps:
    answer = yield binding.call("getWithMetadata", key, "arrayBuffer")
    return None if answer["value"] is None else Entry(answer["value"], answer["metadata"])


def _get_many(binding: Binding, keys: Sequence[str]) -> Steps:
    # The binding's bulk get decodes values as text, so bytes are read one by one.
    found: dict[str, object] = {}
    for key in keys:
        found[key] = yield binding.call("get", key, "arrayBuffer")
    return found


def _list(
    binding: Binding, *, prefix: str = "", limit: int = 1000, cursor: str | None = None
) -> Steps:
    if limit < 1:  # the binding takes it for "no limit"; the contract wants it refused
        raise InvalidArgument(f"limit is {limit}; it is at least 1")
    options: dict[str, object] = {"limit": limit}
    if prefix:
        options["prefix"] = prefix
    if cursor is not None:
        options["cursor"] = binding.unseal(cursor)
    answer = yield binding.call("list", options)
    entries = tuple(
        KeyInfo(line["name"], _moved(line.get("expiration"), binding), line.get("metadata"))
        for line in answer["keys"]
    )
    return Page(entries, None if answer["list_complete"] else binding.seal(answer["cursor"]))


def _moved(expiration: int | None, binding: Binding) -> int | None:
    return None if expiration is None else round(expiration - binding.ahead_seconds)


def _put(
    binding: Binding,
    key: str,
    value: bytes,
    *,
    ttl_seconds: int | None = None,
    expires_at: int | None = None,
    metadata: Mapping[str, object] | None = None,
) -> Steps:
    if ttl_seconds is not None and expires_at is not None:  # the contract's own rule
        raise InvalidArgument("ttl_seconds and expires_at are both given")
    options: dict[str, object] = {}
    if ttl_seconds is not None:
        options["expirationTtl"] = ttl_seconds
    if expires_at is not None:
        moved = round(expires_at + binding.ahead_seconds)
        options["expiration"] = min(moved, _EXPIRATION_MAX)
    if metadata is not None:
        options["metadata"] = metadata
    yield binding.call("put", key, value, options)
    return None


def _put_many(binding: Binding, entries: Mapping[str, bytes]) -> Steps:
    for key, value in entries.items():
        yield binding.call("put", key, value)
    return None


def _delete(binding: Binding, key: str) -> Steps:
    yield binding.call("delete", key)
    return None


def _delete_many(binding: Binding, keys: Sequence[str]) -> Steps:
    for key in keys:
        yield binding.call("delete", key)
    return None


def _error(error: BridgeError) -> Exception:
    """The error that a faithful provider raises where the binding throws.

    The binding refuses some keys itself with a TypeError, before the service sees them.
    """
    if error.name == "TypeError":
        return InvalidArgument(error.message)
    match = _STATUS.match(error.message)
    status = None if match is None else int(match[1])
    if status in _REFUSED:
        return InvalidArgument(error.message, status=status)
    if status == 429:
        return RateLimited(error.message, status=status)
    return Unavailable(error.message, status=status)


KV_BINDING = BindingAdapter(
    contract="kv/1",
    surface="Workers KV binding",
    pool="kv",
    operations={
        "get": _get,
        "get_with_metadata": _get_with_metadata,
        "get_many": _get_many,
        "list": _list,
        "put": _put,
        "put_many": _put_many,
        "delete": _delete,
        "delete_many": _delete_many,
    },
    error=_error,
    boundaries=KV_BOUNDARIES,
)
