"""The last scan, remembered in memory and on disk, and asked by `stat` alone whether it holds.

A snapshot keeps a stamp of everything whose change would make a scan answer differently: each
folder of the path, each plugin's entry points and manifest, each distribution that is still being
installed. A stamp younger than the clock's grain could hide a second change in the same tick, so a
snapshot is kept only once all its stamps are settled; until then every question is answered by a
fresh scan.
"""

import marshal
import os
import sys
import time

from core_caps.plugins.scan import Found, scan

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, NamedTuple
else:
    from core_caps.plugins.rows import NamedTuple

__all__ = ["Snapshot", "cache_folder", "current", "forget", "remembered"]

FORMAT = 2
"""Raised whenever the file's shape or the scan's meaning changes."""

FILES_MAX = 64
"""Environments remembered; the longest unused ones are forgotten."""

SETTLED_SECONDS = 0.05
"""File systems stamp changes with the kernel's tick, which is 10 ms at its longest."""

SETTLED_COARSE_SECONDS = 2.5
"""Some file systems stamp whole or even seconds only."""

INSTALLED_SECONDS = 2.0
"""A distribution's folder in which nothing appeared for so long is whole: its installer is done.

A snapshot that met a younger one watches it, and holds until it is this old at the latest.
"""

_SECOND_NS = 1_000_000_000

Stamp = tuple[int, int, int] | None
"""Changed content, changed metadata (both in ns), size; None where there is nothing."""


class Snapshot(NamedTuple):
    """What a scan of a path found.

    Attributes:
        found: the plugins.
        stamps: what was looked at, as it was before the scan.
        memory: what was worked out from these files since, plain data by name.
        until_ns: when it is to be taken again, for something was being installed; 0 for never.
    """

    found: tuple[Found, ...]
    stamps: dict[str, Stamp]
    memory: "dict[str, Any]"
    until_ns: int


_snapshots: dict[tuple[str, ...], Snapshot] = {}


def current(path: "Iterable[str]") -> Snapshot:
    """The snapshot of a path as it is now."""
    path = _absolute(path)
    known = _snapshots.get(path)
    if known is not None and _holds(known):
        return known
    if known is None:
        known = _restored(path)
        if known is not None and _holds(known):
            _snapshots[path] = known
            return known
    return _taken(path)


def forget() -> None:
    """Drop what this process remembers; the next question is asked as by a fresh process."""
    _snapshots.clear()


def remembered(
    path: "Iterable[str]", name: str, places: "Iterable[str]", work_out: "Callable[[], Any]"
) -> "Any":
    """What `work_out` makes of the files at `places`, done once for each state of these files.

    Args:
        path: the path whose snapshot remembers it.
        name: what is remembered; plain data (None is not) is kept on disk, too.
        places: the files it depends on.
        work_out: reads the files; what it raises is not remembered.
    """
    path = _absolute(path)
    snapshot = current(path)
    if name in snapshot.memory:
        return snapshot.memory[name]
    stamps = {place: _stamp(place) for place in places}
    value = work_out()
    latest = _snapshots.get(path)
    # Working it out may have remembered something else meanwhile, on the same scan.
    if latest is None or latest.found is not snapshot.found:
        return value
    same = all(latest.stamps.get(place, stamp) == stamp for place, stamp in stamps.items())
    if same and _settled(stamps, time.time_ns()):
        # A new snapshot, not a changed one: another thread may be going through the old.
        stamps, memory = latest.stamps | stamps, latest.memory | {name: value}
        grown = Snapshot(latest.found, stamps, memory, latest.until_ns)
        _snapshots[path] = grown
        _store(path, grown)
    return value


def _absolute(path: "Iterable[str]") -> tuple[str, ...]:
    # `sys.path` says "" for the working folder, and may hold objects that imports pass over.
    return tuple(
        entry if entry[:1] == "/" else os.path.abspath(entry)
        for entry in path
        if isinstance(entry, str)  # pyright: ignore[reportUnnecessaryIsInstance]
    )


def _taken(path: tuple[str, ...]) -> Snapshot:
    """A fresh scan. Stamps are taken before it, so a change meanwhile makes them differ."""
    started_ns = time.time_ns()
    stamps: dict[str, Stamp] = {}
    until_ns = 0

    def watch(place: str, /, *, written_once: bool = False) -> None:
        nonlocal until_ns
        folder = os.path.dirname(place)
        if written_once and (stamp := _stamp(folder)) is not None:
            whole_ns = _changed_ns(stamp) + int(INSTALLED_SECONDS * _SECOND_NS)
            if whole_ns <= started_ns:
                return
            until_ns = max(until_ns, whole_ns)
            stamps[folder] = stamp
        if place not in stamps:
            stamps[place] = _stamp(place)

    snapshot = Snapshot(scan(path, watch), stamps, {}, until_ns)
    if _settled(stamps, started_ns):
        _snapshots[path] = snapshot
        _store(path, snapshot)
    else:
        _snapshots.pop(path, None)
    return snapshot


def _holds(snapshot: Snapshot) -> bool:
    # The hot path: one stat for each thing watched, and no call around it.
    if snapshot.until_ns and time.time_ns() >= snapshot.until_ns:
        return False
    stat = os.stat
    for place, stamp in snapshot.stamps.items():
        try:
            now = stat(place)
        except (OSError, ValueError):
            if stamp is not None:
                return False
            continue
        if stamp != (now.st_mtime_ns, now.st_ctime_ns, now.st_size):
            return False
    return True


def _stamp(place: str) -> Stamp:
    try:
        now = os.stat(place)
    except (OSError, ValueError):
        return None
    return now.st_mtime_ns, now.st_ctime_ns, now.st_size


def _changed_ns(stamp: tuple[int, int, int]) -> int:
    # On Windows the second stamp is the file's birth; elsewhere it moves with every change
    # and cannot be set back, as the first can.
    return stamp[0] if os.name == "nt" else stamp[1]


def _settled(stamps: "Mapping[str, Stamp]", now_ns: int) -> bool:
    """Whether a change after `now_ns` is certain to leave another stamp than these."""
    for stamp in stamps.values():
        if stamp is None:
            continue
        changed_ns = _changed_ns(stamp)
        coarse = changed_ns % _SECOND_NS == 0
        grain = SETTLED_COARSE_SECONDS if coarse else SETTLED_SECONDS
        if changed_ns > now_ns - grain * _SECOND_NS:
            return False
    return True


def cache_folder() -> str | None:
    """Where snapshots are kept for this user, or None where there is no such place."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "") or os.path.expanduser("~/.cache")
    return os.path.join(base, "core-caps", "discovery") if os.path.isabs(base) else None


def _file(path: tuple[str, ...]) -> str | None:
    from binascii import crc32

    folder = cache_folder()
    # Two paths with one checksum share a file; the path inside it tells them apart. Each Python
    # has files of its own, as it has for compiled modules, which are in the same form.
    name = f"{crc32(repr(path).encode()):08x}.{sys.implementation.cache_tag}"
    return folder and os.path.join(folder, name)


def _restored(path: tuple[str, ...]) -> Snapshot | None:
    """The snapshot on disk, or None: whatever is wrong with it, a scan will do."""
    file = _file(path)
    if file is None:
        return None
    try:
        with open(file, "rb") as opened:
            if os.name == "posix" and os.fstat(opened.fileno()).st_uid != os.geteuid():
                return None  # another user's word about what to import is not taken
            data: Any = _read(opened.read())
        if data["format"] != FORMAT or tuple(data["path"]) != path:
            return None
        if not all(_plausible(row) for row in data["found"]):
            return None
        found = tuple(Found(*row) for row in data["found"])
        stamps = {
            str(place): None if stamp is None else _three(stamp)
            for place, stamp in data["stamps"].items()
        }
        memory, until_ns = dict(data["memory"]), int(data["until_ns"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Snapshot(found, stamps, memory, until_ns)


def _written(data: "dict[str, Any]") -> bytes:
    from binascii import crc32

    body = marshal.dumps(data)
    return crc32(body).to_bytes(4) + body


def _read(content: bytes) -> "Any":
    """What was written; marshal itself is not made to be shown damaged data.

    Raises:
        ValueError: these are not the bytes that were written.
    """
    from binascii import crc32

    body = content[4:]
    if crc32(body).to_bytes(4) != content[:4]:
        raise ValueError("damaged")
    return marshal.loads(body)  # noqa: S302 (this user's own file, as compiled modules are)


def _three(stamp: "Any") -> Stamp:
    content, metadata, size = stamp
    return int(content), int(metadata), int(size)


def _plausible(row: "Any") -> bool:
    *texts, manifest, editable = row
    return (
        len(row) == len(Found._fields)
        and all(isinstance(text, str) for text in texts)
        and isinstance(manifest, str | None)
        and isinstance(editable, bool)
    )


def _store(path: tuple[str, ...], snapshot: Snapshot) -> None:
    """Keep the snapshot for the next process; a place that cannot be written is done without."""
    file = _file(path)
    if file is None:
        return
    data = {
        "format": FORMAT,
        "path": path,
        "found": [tuple(row) for row in snapshot.found],
        "stamps": snapshot.stamps,
        "until_ns": snapshot.until_ns,
        "memory": {name: value for name, value in snapshot.memory.items() if _is_plain(value)},
    }
    folder = os.path.dirname(file)
    # Written aside and moved into place: readers and other writers see one whole file or another.
    aside = os.path.join(folder, f".{os.getpid()}-{time.monotonic_ns()}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        fresh = not os.path.exists(file)
        try:
            with open(aside, "xb") as opened:
                opened.write(_written(data))
            os.replace(aside, file)
        except BaseException:
            _remove(aside)
            raise
        if fresh:
            _forget_oldest(folder)
    except (OSError, ValueError):
        return


def _forget_oldest(folder: str) -> None:
    files = [os.path.join(folder, name) for name in os.listdir(folder)]
    if len(files) > FILES_MAX:
        files.sort(key=lambda file: (_stamp(file) or (0, 0, 0))[0])
        for file in files[: len(files) - FILES_MAX]:
            _remove(file)


def _remove(file: str) -> None:
    try:
        os.remove(file)
    except OSError:
        return


def _is_plain(value: "Any") -> bool:
    """Whether the file gives the value back unchanged (TOML has dates and times, too)."""
    if isinstance(value, dict):
        return all(_is_plain(item) for item in value.values())  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return isinstance(value, str | int | float | bool)
