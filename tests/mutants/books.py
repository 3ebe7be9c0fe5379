"""Plugins of the corpus with what the lab once answered of them: judged again in no time.

A book holds one plugin: what was packaged, and every answer. Books lie in the user's cache, under
what their answers depend on: the plugin's files, and the sources of the lab. They are read and
judged with the certifier as it is in the process that does so.
"""

import copyreg
import hashlib
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flows_registry.certify import self_test
from flows_registry.certify.run import judged
from flows_registry.certify.workshop import Packaged, Workshop
from flows_registry.corpus import bases
from flows_registry.corpus.sound import SOUND
from flows_registry.corpus.twin import Sound, Twin
from flows_registry.corpus.twins import TWINS
from flows_registry.lab.cache import cache_folder
from flows_registry.lab.uv import Uv

from mutants.forks import Ended, forked
from mutants.recorded import Answers, answering
from mutants.scope import digest

__all__ = ["Said", "book_of", "judge", "plugins", "record"]

RECORDING_SECONDS_MAX = 900.0
_ANSWERING = ("lab", "corpus", "subject.py")
"""What decides what a lab answers."""
_ASKING = ("checks", "certify", "policy", "verdict.py")
"""What decides what it is asked."""


def _proxy(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)


copyreg.pickle(MappingProxyType, lambda proxy: (_proxy, (dict(proxy),)))


@dataclass(frozen=True, slots=True)
class Said:
    """What the certifier says of a plugin: whether that is what should be said, and what else."""

    as_meant: bool
    told: str


def plugins(
    checks: Sequence[str], *, twins: int | None = None, sound: int | None = None
) -> list[Twin | Sound]:
    """The twins of these checks, so many of each, and so many sound plugins; None is all."""
    found: list[Twin | Sound] = []
    for check in checks:
        found += [twin for twin in TWINS if twin.check == check][:twins]
    return [*found, *SOUND[:sound]]


def book_of(plugin: Twin | Sound) -> Path:
    """Where the plugin's book lies, or would."""
    told = repr((plugin, sorted(bases.made(plugin).items())))
    name = hashlib.sha256(told.encode()).hexdigest()[:16]
    return cache_folder("mutants", digest(*_ANSWERING)[:16]) / name


def is_recorded(plugin: Twin | Sound) -> bool:
    """Whether the plugin's book answers all that the certifier asks as it is now."""
    mark = book_of(plugin) / "asked"
    return mark.exists() and mark.read_text() == digest(*_ASKING)


def record(
    chosen: Sequence[Twin | Sound], *, jobs: int, told: Callable[[str, Ended], None]
) -> None:
    """Write the books of these plugins; each is packaged here, and judged in a process of its own
    in a real lab."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        scratch = Path(folder)
        workshop = Workshop(scratch, uv=Uv())

        def questions() -> Iterator[tuple[str, Callable[[], None], float]]:
            for number, plugin in enumerate(chosen):
                place = scratch / f"plugin-{number}"
                packaged = self_test._packaged(workshop, place, plugin)
                yield (
                    plugin.name,
                    lambda p=plugin, at=place, made=packaged: _write(p, at, made),
                    RECORDING_SECONDS_MAX,
                )

        for name, ended in forked(questions(), jobs=jobs):
            told(name, ended)


def _write(plugin: Twin | Sound, place: Path, packaged: Packaged) -> None:
    answers = Answers()
    said = _judged(plugin, place, packaged, answers, asks=True)
    if not said.as_meant:
        raise AssertionError(f"{plugin.name}: {said.told}")
    result, built = packaged
    book = book_of(plugin)
    book.mkdir(parents=True, exist_ok=True)
    if built is not None:
        wheel = book / built.wheel.path.name
        wheel.write_bytes(built.wheel.path.read_bytes())
        built = replace(built, wheel=replace(built.wheel, path=wheel))
    (book / "book.pickle").write_bytes(pickle.dumps((plugin.name, (result, built), answers)))
    (book / "asked").write_text(digest(*_ASKING))


def judge(book: Path) -> Said:
    """What the certifier, as it is here, says of the plugin of this book.

    Raises:
        Unrecorded: it asks what nobody has asked before.
    """
    name, packaged, answers = pickle.loads((book / "book.pickle").read_bytes())
    plugin = _by_name()[name]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        return _judged(plugin, Path(folder), packaged, answers, asks=False)


def _by_name() -> Mapping[str, Twin | Sound]:
    return {plugin.name: plugin for plugin in (*TWINS, *SOUND)}


def _judged(
    plugin: Twin | Sound, place: Path, packaged: Packaged, answers: Answers, *, asks: bool
) -> Said:
    room = place / "room"
    room.mkdir()
    options = self_test._options(self_test.Asked(), plugin, place, 0)
    with answering(answers, asks=asks):
        found = judged(options, *packaged, room, time.monotonic())
    trial = self_test._trial(plugin, 0, found)
    return Said(trial.as_meant, trial.told)
