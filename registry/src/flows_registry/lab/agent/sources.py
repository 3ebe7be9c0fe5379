"""Where in a plugin's source its surroundings are read: the line that asked, for some axes.

The interpreter tells of every call; the function that answers for an axis is known by its module,
whether it is ours that stands in for it or the standard library's own. Slow: for one case only,
once it is known that an axis matters.
"""

import sys
import threading
from collections.abc import Collection, Mapping
from types import FrameType
from typing import Any

__all__ = ["Sources"]

_SITES_MAX = 3

_OURS = __package__ or ""
_CLOCKS = (f"{_OURS}.clocks", f"{_OURS}.followed")

_MODULES: Mapping[str, Collection[str]] = {
    "clock": _CLOCKS,
    "random numbers": ("random", "_random", "secrets", f"{_OURS}.perturb"),
    "time zone": _CLOCKS,
    "locale": ("locale", "_locale"),
    "environment": (f"{_OURS}.machine", "getpass"),
    "directory listing order": (f"{_OURS}.listings",),
}
"""By axis, the modules whose functions answer for it."""

_FUNCTIONS: Mapping[str, Collection[str]] = {
    "hash seed": ("builtins.hash",),
    "random numbers": ("uuid.uuid1", "uuid.uuid4"),
    "memory addresses": ("builtins.id", "builtins.repr", "posix.getpid", "_thread.get_ident"),
    "time zone": ("time.mktime", "datetime.fromtimestamp", "datetime.astimezone"),
    "locale": ("_io.open", "io.open", "builtins.open"),
    "environment": ("os.__iter__", "uuid.getnode"),
    "working directory": ("posix.getcwd", "posix.getcwdb"),
}
"""By axis, single functions that answer for it."""

_AT_WORK = frozenset(
    {"asyncio", "concurrent", "http", "importlib", "logging", "selectors", "socket", "ssl",
     "threading", "traceback", "warnings"}
)  # fmt: skip
"""Modules of the standard library that look at the clock for themselves."""

_INJECTED = ("core_caps.clock", "core_caps.rng")


class Sources:
    """Looks for the lines that read along these axes.

    Args:
        axes: their names.
        packages: the plugin's own.

    Attributes:
        found: the first of them, as `cap_x/remote.py:12`.
    """

    def __init__(self, axes: Collection[str], packages: Collection[str]) -> None:
        self.found: list[str] = []
        self._packages = frozenset(packages)
        self._modules = {name for axis in axes for name in _MODULES.get(axis, ())}
        self._functions = {name for axis in axes for name in _FUNCTIONS.get(axis, ())}

    def follow(self) -> None:
        """Be told of what is called from now on, in this thread and every one yet to start."""
        if self._modules or self._functions:
            threading.setprofile(self._called)
            sys.setprofile(self._called)

    def _called(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            module, name = str(frame.f_globals.get("__name__", "")), frame.f_code.co_name
            asking = frame.f_back
        elif event == "c_call":
            own = getattr(argument, "__self__", None)
            method = own is not None and not isinstance(own, type(sys))
            kind = own if isinstance(own, type) else type(own)
            module = kind.__module__ if method else getattr(argument, "__module__", None) or ""
            name, asking = argument.__name__, frame
        else:
            return
        if module in self._modules or f"{module}.{name}" in self._functions:
            self._note(asking)

    def _note(self, frame: FrameType | None) -> None:
        """Note the plugin's own line that led here, by the standard library alone."""
        while frame is not None:
            module = str(frame.f_globals.get("__name__", ""))
            package = module.partition(".")[0]
            if package in self._packages:
                break
            if module not in _INJECTED and not _is_passive(package):
                return
            frame = frame.f_back
        else:
            return
        file = frame.f_code.co_filename
        site = f"{file[file.rfind(f'/{package}/') + 1 :]}:{frame.f_lineno}"
        if site not in self.found and len(self.found) < _SITES_MAX:
            self.found.append(site)


def _is_passive(package: str) -> bool:
    ours = package == _OURS.partition(".")[0]
    return ours or (package in sys.stdlib_module_names and package not in _AT_WORK)
