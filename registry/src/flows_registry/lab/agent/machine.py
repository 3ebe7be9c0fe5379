"""The machine and its user as a process sees them: names, numbers of cores, variables."""

import locale
import os
import platform
import socket
import sys
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Any

__all__ = ["comma_decimals", "install_stranger", "pin_node"]

_NODE, _OTHER_NODE = 0x02_00_00_00_00_01, 0x02_00_00_00_00_02
_NAME = "elsewhere"
_MORE_CORES = 3
_BETWEEN = ("os", "_collections_abc", "collections.abc", __name__)
"""The modules through which a name of the environment is asked for."""


def pin_node() -> None:
    """One hardware address, and time-based ids from the clock that everybody reads."""
    uuid._node = _NODE  # type: ignore[attr-defined]
    uuid._generate_time_safe = None  # type: ignore[attr-defined]


def install_stranger(packages: Collection[str]) -> None:
    """Another machine, another user, other folders; and a variable of any name, for whoever asks
    in the plugin's own source. What libraries look for there stays as it is."""
    uuid._node = _OTHER_NODE  # type: ignore[attr-defined]
    real, cores = os.uname(), os.cpu_count() or 1
    strange = os.uname_result((real.sysname, _NAME, "1.0", "#1", real.machine))
    os.uname = lambda: strange
    platform._uname_cache = None  # type: ignore[attr-defined]
    real_name = socket.getfqdn
    socket.gethostname = lambda: _NAME
    socket.getfqdn = lambda name="": real_name(name) if name not in ("", _NAME) else _NAME
    os.getlogin = lambda: "somebody"
    os.cpu_count = lambda: cores + _MORE_CORES
    elsewhere = str(Path(os.environ["HOME"]).with_name(_NAME))
    os.environ["HOME"] = os.environ["TMPDIR"] = elsewhere
    _answer_names(frozenset(packages))


def _answer_names(packages: frozenset[str]) -> None:
    class Environment(os._Environ[Any]):  # pyright: ignore[reportPrivateUsage]
        def __getitem__(self, key: Any) -> Any:
            try:
                return super().__getitem__(key)
            except KeyError:
                if _asker() not in packages:
                    raise
                return _NAME if isinstance(key, str) else _NAME.encode()

    os.environ.__class__ = Environment
    os.environb.__class__ = Environment


def _asker() -> str:
    """The package of whoever asks for a variable."""
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__") in _BETWEEN:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def comma_decimals() -> None:
    """Numbers as many people write them; no locale that does so need be installed here."""
    locale._override_localeconv = {  # type: ignore[attr-defined]
        "decimal_point": ",", "thousands_sep": ".", "grouping": [3, 3, 0],
    }  # fmt: skip
