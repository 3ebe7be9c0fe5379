"""The addresses that a backend's `egress` stands for once its settings have values."""

import re
from collections.abc import Iterable, Mapping

__all__ = ["addresses"]

_SEPARATOR = re.compile(r"[\s,]+")


def addresses(egress: Iterable[str], settings: Mapping[str, object]) -> list[tuple[str, int]]:
    """The (host, port) pairs, in order, each once.

    An entry is one `host:port`. Where it is made of settings it may come to several, separated by
    commas, or to none: a plugin whose hosts the deployment names declares the setting that names
    them.

    Args:
        egress: as the manifest has it; `{setting}` stands for a setting's value.
        settings: the values by name.

    Raises:
        ValueError: what a setting holds is no `host:port`.
    """
    found: dict[tuple[str, int], None] = {}
    for entry in egress:
        for address in filter(None, _SEPARATOR.split(entry.format_map(settings))):
            host, _, port = address.rpartition(":")
            found[host.lower(), int(port)] = None
    return list(found)
