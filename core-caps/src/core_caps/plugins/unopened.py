"""What is said to whoever opens a connection by other words than its own, or not at all."""

from core_caps.errors import NotOpened

__all__ = ["misopened", "unopened"]

_ASYNC = "`async with core_caps.connect(...) as client:`"
_SYNC = "`with core_caps.sync.connect(...) as client:`"
_HINTS = {
    "async with": f"write {_ASYNC}, or without an event loop {_SYNC}",
    "with": f"write {_SYNC}, or in an event loop {_ASYNC}",
}


def misopened(plugin: str, way: str, tried: str) -> NotOpened:
    """The error for a connection that `way` opens and that was tried to be opened otherwise."""
    return NotOpened(
        f"the connection to {plugin} is opened by `{way}`, not by `{tried}`", hint=_HINTS[way]
    )


def unopened(plugin: str, way: str, operation: str) -> NotOpened:
    """The error for an operation that was looked for on the connection itself."""
    return NotOpened(
        f"{operation} belongs to what `{way}` gives, not to the connection to {plugin} itself",
        hint=_HINTS[way],
    )
