"""Opening the plugin as a user would, for all that it provides of its capability."""

from collections.abc import Collection, Mapping
from typing import Any

from core_caps.claims.operation import capability, required_of, spec_of
from core_caps.contract.codec import load
from core_caps.plugins.connect import Connection, connect

__all__ = ["opened"]


def opened(case: Mapping[str, Any]) -> Connection[Any]:
    """A connection to the plugin of a case, to be opened with `async with`.

    Args:
        case: `protocol`, a lazy name, and the `operations` that the plugin provides of it;
            `plugin`, `backend`, `config` and `secrets` as `connect` takes them.
    """
    return connect(
        _provided(load(case["protocol"]), case["operations"]),
        case["plugin"],
        backend=case["backend"],
        config=case["config"],
        secrets=case["secrets"],
    )


def _provided(protocol: type, operations: Collection[str]) -> type:
    """The capability; where halves of it are left out, one that never had more than the rest."""
    if required_of(protocol) <= set(operations):
        return protocol
    whole = spec_of(protocol)
    methods = {name: getattr(protocol, name) for name in whole.operations if name in operations}
    return capability(whole.name, version=whole.version)(type(protocol.__name__, (), methods))
