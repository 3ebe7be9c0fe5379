"""What a plain listing says of a manifest, where a glance is enough to know that it is sound.

Validating a manifest takes three times as long as starting Python. A glance accepts only what it
is certain of, so a manifest with a problem is always read in full.
"""

# ruff: noqa: PTH123 (pathlib costs start-up)

from flows_registry.commands.plain_toml import Unusual, is_a, plain_toml

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["GUARANTEES", "OPERATIONS", "Glance", "glance", "glanced"]

Glance = tuple[str, list[str], dict[str, list[str]], dict[str, str]]
"""Summary, contracts, backend → contracts, backend → extra."""

OPERATIONS = {
    "kv/1": {
        *("get", "get_with_metadata", "get_many", "list"),
        *("put", "put_many", "delete", "delete_many"),
    },
    "blob/1": {
        *("get", "open", "head", "list", "get_by_hash"),
        *("put", "delete", "copy", "presign"),
    },
    "queue/1": {"send", "send_batch", "pull", "ack", "retry"},
    "dedupe/1": {
        *("reserve", "reserve_many", "commit", "commit_many"),
        *("release", "release_many"),
    },
    "cache/1": {"get", "put", "delete"},
    "sql/1": {"query", "query_batch", "execute", "batch"},
    "durable_object/1": {
        *("get", "get_many", "list", "put", "delete", "delete_all", "transaction", "new_id"),
        *("get_alarm", "set_alarm", "delete_alarm"),
    },
    "sequencer/1": {"append"},
    "http/1": {"get", "head", "open", "get_pinned", "post", "put", "patch", "delete"},
    "payments/1": {
        *("get_customer", "get_checkout_session", "list_checkout_sessions"),
        *("get_payment_intent", "get_refund", "list_events"),
        *("create_customer", "create_price", "create_checkout_session", "expire_checkout_session"),
        *("create_payment_intent", "confirm_payment_intent", "cancel_payment_intent"),
        *("create_refund", "parse_webhook", "sign_webhook"),
    },
}
"""What the known contracts have; a test keeps it equal to the protocols."""

GUARANTEES = {
    "consistency": ["eventual", "per_key", "read_your_writes", "linearizable", "unknown"],
    "ttl": ["none", "best_effort", "exact", "unknown"],
    "ordering": ["none", "per_key", "total", "unknown"],
    "delivery": ["at_most_once", "at_least_once", "exactly_once", "unknown"],
    "durability": ["memory", "process", "disk", "replicated", "unknown"],
}
"""The guarantees and their values; a test keeps it equal to core_caps."""

_SETTING_TYPES = ("str", "int", "float", "bool", "secret")


def glance(path: str) -> "Glance | None":
    """What the manifest at `path` says, or None where it must be read in full."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return glanced(file.read())
    except (OSError, UnicodeDecodeError):
        return None


def glanced(text: str) -> "Glance | None":
    """What the manifest with this text says, or None where it must be read in full."""
    try:
        data = plain_toml(text)
    except Unusual:
        return None
    if not _has(data, _MANIFEST) or data.get("schema") != 1 or data.get("schema") is True:
        return None
    capabilities, backends = data.get("capabilities"), data.get("backends")
    if not capabilities or not backends or "name" not in data:
        return None
    if not all(_sound(each) for each in capabilities.values()):
        return None
    contracts = [each["contract"] for each in capabilities.values()]
    if len(set(contracts)) != len(contracts):
        return None
    served = {
        name: [
            each["contract"] for key, each in capabilities.items() if key in backend["providers"]
        ]
        for name, backend in backends.items()
        if "providers" in backend
    }
    if len(served) != len(backends):
        return None
    extras = {name: each["extra"] for name, each in backends.items() if each.get("extra")}
    return data.get("summary", ""), contracts, served, extras


def _sound(capability: "dict[str, Any]") -> bool:
    contract, operations = capability.get("contract"), capability.get("operations", [])
    known = OPERATIONS.get(contract or "")
    return (
        known is not None
        and known.issuperset(operations)
        and len(set(operations)) == len(operations)
        and all(
            value in GUARANTEES.get(name, ())
            for name, value in capability.get("guarantees", {}).items()
        )
    )


def _text(value: object) -> bool:
    return isinstance(value, str)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: object) -> bool:
    return isinstance(value, int)


def _anything(value: object) -> bool:
    return True


def _texts(value: "Any") -> bool:
    return is_a(value, list) and all(map(_text, value))


def _owner(value: object) -> bool:
    return value in ("caller", "provider")


def _setting_type(value: object) -> bool:
    return value in _SETTING_TYPES


def _lazy(value: "Any") -> bool:
    if not isinstance(value, str):
        return False
    module, colon, attribute = value.partition(":")
    return bool(colon) and all(
        part.isidentifier() for part in (*module.split("."), *attribute.split("."))
    )


def _each(of: "Callable[[Any], bool]") -> "Callable[[Any], bool]":
    return lambda value: is_a(value, dict) and all(map(of, value.values()))


def _table(fields: "dict[str, Callable[[Any], bool]]", *needed: str) -> "Callable[[Any], bool]":
    return lambda value: _has(value, fields) and all(name in value for name in needed)


def _has(value: "Any", fields: "dict[str, Callable[[Any], bool]]") -> bool:
    """Whether it is a table with some of these fields, each as it should be, and no others."""
    return is_a(value, dict) and all(
        name in fields and fields[name](below) for name, below in value.items()
    )


def _rows(of: "Callable[[Any], bool]") -> "Callable[[Any], bool]":
    return lambda value: is_a(value, list) and all(map(of, value))


_SETTING: "dict[str, Callable[[Any], bool]]" = {
    "type": _setting_type,
    "required": _flag,
    "default": _anything,
    "env": _text,
    "example": _anything,
    "endpoint": _flag,
    "folder": _flag,
    "apart": _flag,
    "needed_by": _texts,
    "summary": _text,
}
_BACKEND: "dict[str, Callable[[Any], bool]]" = {
    "providers": _each(_lazy),
    "extra": _text,
    "wire": _text,
    "reference": _lazy,
    "worker": _text,
    "egress": _texts,
    "scopes": _texts,
    "retry_owner": _owner,
    "cancel_seconds_max": _number,
    "timeout_seconds_max": _number,
    "config": _each(_table(_SETTING, "type")),
    "safe_posts": _rows(_table({"method": _text, "path": _text, "header": _text}, "path")),
}
_LIMITS = _each(_table({"value": _number, "source": _text}, "value"))
_COSTS = _each(_each(_number))
_CAPABILITY: "dict[str, Callable[[Any], bool]]" = {
    "contract": _text,
    "operations": _texts,
    "guarantees": _each(_text),
    "limits": _LIMITS,
    "costs": _COSTS,
}
_MANIFEST: "dict[str, Callable[[Any], bool]]" = {
    "schema": _whole,
    "name": _text,
    "summary": _text,
    "homepage": _text,
    "capabilities": _each(_table(_CAPABILITY, "contract")),
    "backends": _each(_table(_BACKEND, "providers")),
    "limits": _LIMITS,
    "data": _table({"classes": _texts, "residency": _texts}),
    "costs": _COSTS,
}
