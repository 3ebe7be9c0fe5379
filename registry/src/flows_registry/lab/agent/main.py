"""The agent's life: import the plugin once, then fork a fresh process for its cases.

It talks over one socket in lines of JSON. The registry sends `{"run": case}`; the forked case
answers `{"event": "armed"}`, waits for `{"go": true}`, and later `{"event": "done", …}`.
"""

import asyncio
import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from . import denials, patches, perturb, redirect, schedule
from .affinity import roam
from .branches import Branches
from .hearing import HEARING
from .orphans import Orphans, close_to_children, die_with_parent, reaped
from .page import NEVER, ORIGIN_SECONDS, Page
from .places import Places
from .sources import Sources
from .timekeeper import THREAD_NAME, Timekeeper
from .watch import Watch

__all__ = ["main"]

_HUNG_EXIT = 75
_THREAD_END_SECONDS = 5.0
_TOLD_BYTES_MAX = 4 << 20

_monotonic = time.monotonic


class Line:
    """One line-of-JSON connection to the registry, with the real, unpatched blocking calls.

    Attributes:
        word: says who speaks, for a plugin's code can write on it, too.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""
        self.word = ""

    def send(self, message: dict[str, Any]) -> None:
        data = json.dumps({**message, "word": self.word}).encode() + b"\n"
        while data:
            data = data[os.write(self._descriptor, data) :]

    def receive(self) -> dict[str, Any] | None:
        while b"\n" not in self._buffer:
            chunk = os.read(self._descriptor, 1 << 20)
            if not chunk:
                return None
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)


def main(control: int) -> None:
    """Warm up, say so, and serve cases until the socket closes.

    It is told its settings first: `word` (see Line), `profile` (see perturb), `warm` (modules to
    import), `page` (path), `ports`, `redirect` (ports to turn to the fault server, or None in a
    network of our own), `hidden` (what the walls around this process hide, or None where there are
    none).

    Args:
        control: the descriptor of the control socket.
    """
    die_with_parent()
    close_to_children()
    line = Line(control)
    settings = line.receive() or {}
    line.word = settings.pop("word")
    hidden = settings["hidden"]
    if hidden is not None and (ways := denials.open_ways(hidden)):
        line.send({"event": "open", "ways": ways})
        return
    perturb.apply(settings["profile"], _packages(settings))
    if settings["redirect"] is not None:
        redirect.install(settings["redirect"])
    try:
        importlib.import_module("core_caps.contract.codec")
        _module("perform")
        for module in settings["warm"]:
            importlib.import_module(module)
    except BaseException as error:
        line.send({"event": "broken", "text": "".join(traceback.format_exception(error))[-8000:]})
        return
    gc.collect()
    gc.freeze()  # forks share these pages instead of copying them
    orphans = Orphans()
    line.send({"event": "warm", "python": sys.version.split()[0]})
    while (message := line.receive()) is not None:
        if "promises" in message:
            line.send(_promises(message["promises"]))
            continue
        if "scout" in message:
            answer = _tried(message["scout"], settings, message["seconds"])
            orphans.end()
            line.send({"event": "tried"})
            line.receive()
            imported = _follow(message["scout"], answer)
            orphans.end()
            line.send({"event": "scouted", "modules": imported})
            continue
        child = os.fork()
        if child == 0:
            _case(line, message["run"], settings)
        line.send({"event": "started", "pid": child})
        status = reaped(child)
        orphans.end()
        line.send({"event": "ended", "status": os.waitstatus_to_exitcode(status)})


def _tried(case: dict[str, Any], settings: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What a fork had to import to run this case, and whether opening the plugin left it clean.

    A fork that has not ended after so many seconds is given up, and nothing is learned from it.
    """
    known = set(sys.modules)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        die_with_parent()
        _silence()
        keeper = _timekeeper(settings, lambda: os._exit(_HUNG_EXIT))
        clean = False
        with contextlib.suppress(BaseException):
            asyncio.run(_module("perform").visit(case))
            # Nobody moves the clock of the process that is forked: what waits for it would hang.
            clean = keeper.now() == ORIGIN_SECONDS and _alone()
            asyncio.run(_module("perform").perform(case, lambda: None, lambda: None))
        Line(writing).send({"modules": sorted(set(sys.modules) - known), "clean": clean})
        roam()
        os._exit(0)
    os.close(writing)
    told = _told(reading, _monotonic() + seconds)
    os.close(reading)
    os.kill(child, signal.SIGKILL)
    reaped(child)
    try:
        return dict(json.loads(told))
    except (ValueError, TypeError, RecursionError):
        return {}


def _told(reading: int, end: float) -> bytes:
    """The line that is said there, if it ends by then and is no longer than it can be."""
    told = bytearray()
    while not told.endswith(b"\n") and len(told) < _TOLD_BYTES_MAX:
        if not select.select([reading], [], [], max(0.0, end - _monotonic()))[0]:
            break
        chunk = os.read(reading, 1 << 16)
        if not chunk:
            break
        told += chunk
    return bytes(told)


def _follow(case: dict[str, Any], tried: dict[str, Any]) -> int:
    """Import and open here what a fork has tried, so that later forks need not; how many modules
    that brought."""
    imported = 0
    for module in tried.get("modules", ()):
        with contextlib.suppress(BaseException):
            importlib.import_module(module)
            imported += 1
    if tried.get("clean"):
        # What opening fills (parsed service models, sessions) is worth more than its imports.
        with contextlib.suppress(BaseException):
            asyncio.run(_module("perform").visit(case))
    gc.collect()
    gc.freeze()
    return imported


def _alone() -> bool:
    """Whether no thread is left but this one and the timekeeper, once they had time to end."""
    ours = (threading.current_thread().name, THREAD_NAME)
    others = [thread for thread in threading.enumerate() if thread.name not in ours]
    for thread in others:
        thread.join(timeout=_THREAD_END_SECONDS)
    return not any(thread.is_alive() for thread in others)


def _case(line: Line, case: dict[str, Any], settings: dict[str, Any]) -> NoReturn:
    """The forked process: virtual time on, one case, what is left for its exit, one answer, out.

    Cases that may share a process follow one another in it, for as long as each leaves it as it
    was found; what they leave for its exit is then done where nobody looks any more.
    """
    os.setpgid(0, 0)
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    HEARING.open()

    def hung() -> None:
        line.send({"event": "done", "hung": True, "stacks": _stacks()})
        os._exit(_HUNG_EXIT)

    keeper = _timekeeper(settings, hung, goes_on=case.get("goes_on", False))
    watch = Watch()
    places = Places(case.get("places", []))
    places.follow()  # before the plugin is opened: it may start threads
    sources = Sources(settings["profile"].get("tells", ()), _packages(settings))
    sources.follow()
    branches = Branches(_packages(settings))
    found = _left(keeper)
    while True:
        HEARING.begin(case)
        if case.get("followed"):
            branches.follow()
        report = _performed(line, case, keeper, watch, places)
        again = case["together"] and "crashed" not in report and _alone() and _left(keeper) == found
        if not again:
            with contextlib.suppress(Exception):
                atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
        report.update(ran=branches.end() if case.get("followed") else {})
        report.update(event="done", again=again, watched=watch.events, reached=places.reached)
        report.update(attempts=watch.attempts, lookups=watch.lookups)
        report.update(reached_around=places.reached_around)
        report.update(sources=sources.found, virtual_seconds=keeper.now() - ORIGIN_SECONDS)
        report.update(sightings=HEARING.end(watch.written))
        keeper.paused = True
        line.send(report)
        following = line.receive() if again else None
        if following is None or "run" not in following:
            roam()
            os._exit(0)
        case = following["run"]
        keeper.restart()
        watch.forget()


def _performed(
    line: Line, case: dict[str, Any], keeper: Timekeeper, watch: Watch, places: Places
) -> dict[str, Any]:
    """What came of one case."""

    def pause_for(event: str) -> None:
        keeper.paused = True
        line.send({"event": event})
        line.receive()
        keeper.paused = False

    def arm() -> None:
        pause_for("armed")
        watch.start()
        places.start()

    def disarm() -> None:
        places.stop()
        watch.stop()
        pause_for("disarmed")

    try:
        if "promise" in case:
            return asyncio.run(_module("promises").keep(case))
        return asyncio.run(_module("perform").perform(case, arm, disarm))
    except BaseException as error:
        text = "".join(traceback.format_exception(error))
        return {"crashed": text[-8000:]}
    finally:
        places.end()


def _left(keeper: Timekeeper) -> object:
    """What a case could leave in its process: open files, and processes of its own; where the
    kernel does not tell, something that equals nothing."""
    try:
        files = keeper.files()
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as children:  # noqa: PTH123
            return files, children.read()
    except OSError:
        return object()


def _timekeeper(
    settings: dict[str, Any], hung: Callable[[], None], *, goes_on: bool = False
) -> Timekeeper:
    """Virtual time for this process from now on, unless the profile wants the real one; it begins
    anew, or goes on where another process was."""
    page = Page(settings["page"])
    page.now, page.due = page.now if goes_on else ORIGIN_SECONDS, NEVER
    keeper = Timekeeper(page, frozenset(settings["ports"]), hung)
    if not settings["profile"].get("real_time"):
        patches.follow(keeper)
        keeper.start()
        if (seed := settings["profile"].get("schedule_seed")) is not None:
            schedule.shuffle(int(seed), keeper)
    return keeper


def _packages(settings: dict[str, Any]) -> list[str]:
    """The plugin's own packages."""
    return [name.partition(".")[0] for name in settings["warm"]]


def _module(name: str) -> Any:
    """A module of ours that needs the plugin's environment, so it is imported late."""
    return importlib.import_module(f"{__package__}.{name}")


def _promises(case: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"event": "promises", "names": _module("promises").promises_of(case)}
    except Exception as error:
        return {"event": "broken", "text": "".join(traceback.format_exception(error))[-8000:]}


def _silence() -> None:
    """What the plugin prints in a trial is nobody's to hear."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def _stacks() -> list[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return [
        f"{names.get(ident, ident)}: "
        + " ← ".join(f"{f.name} {os.path.basename(f.filename)}:{f.lineno}"  # noqa: PTH119
                     for f in reversed(traceback.extract_stack(frame)[-6:]))
        for ident, frame in sys._current_frames().items()  # pyright: ignore[reportPrivateUsage]
    ]  # fmt: skip


def entry() -> None:
    """Started as `boot(descriptor)`."""
    control = socket.socket(fileno=int(sys.argv.pop(1)))
    control.setblocking(True)
    control.set_inheritable(False)
    main(control.detach())
