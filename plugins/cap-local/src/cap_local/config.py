"""The settings of each backend, validated when they are made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core_caps.settings import need, need_text, need_whole

__all__ = ["LocalConfig", "MockConfig", "SharedConfig"]

_CACHE_SIZE_BYTES_MAX = 268_435_456
_SIZE_BYTES_MAX = 1 << 40
_ATTEMPTS_MAX = 1_000_000


class SharedConfig(Protocol):
    """The settings that both backends have."""

    @property
    def queue(self) -> str: ...

    @property
    def attempts_max(self) -> int: ...

    @property
    def dead_letter(self) -> str: ...

    @property
    def cache_size_bytes_max(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LocalConfig:
    """Where the files are.

    Attributes:
        path: a folder of this plugin's own on a local disk; made where it is missing. Every
            process that names it shares what is in it.
        queue: the queue's name among those of the folder.
        attempts_max: deliveries of a message in all before it is given up; 0 never gives one up.
        dead_letter: the queue of the folder that gets what is given up; "" drops it.
        cache_size_bytes_max: keys and values of the cache together; the oldest make room.

    Raises:
        ConfigInvalid: a setting has the wrong type or is out of range (CAP105).
    """

    path: str
    queue: str = "queue"
    attempts_max: int = 0
    dead_letter: str = ""
    cache_size_bytes_max: int = _CACHE_SIZE_BYTES_MAX

    def __post_init__(self) -> None:
        need_text(self, "path")
        need(self.path != "" and "\0" not in self.path, "path", "the name of a folder")
        _check(self)

    @property
    def folder(self) -> Path:
        """The folder, wherever the process goes later."""
        return Path(self.path).absolute()


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves.

    Attributes:
        store: clients of one process that name the same store share it; "" is a store of one's
            own.
        queue: the queue's name among those of the store.
        attempts_max: deliveries of a message in all before it is given up; 0 never gives one up.
        dead_letter: the queue of the store that gets what is given up; "" drops it.
        cache_size_bytes_max: keys and values of the cache together; the oldest make room.

    Raises:
        ConfigInvalid: a setting has the wrong type (CAP105).
    """

    store: str = ""
    queue: str = "queue"
    attempts_max: int = 0
    dead_letter: str = ""
    cache_size_bytes_max: int = _CACHE_SIZE_BYTES_MAX

    def __post_init__(self) -> None:
        need_text(self, "store")
        _check(self)


def _check(config: SharedConfig) -> None:
    need_text(config, "queue", "dead_letter")
    need_whole(config, "attempts_max", least=0, most=_ATTEMPTS_MAX)
    need_whole(config, "cache_size_bytes_max", least=1, most=_SIZE_BYTES_MAX)
    need(config.queue != "", "queue", "a name")
    need(config.dead_letter != config.queue, "dead_letter", "another queue")
    tries = config.attempts_max > 0 or not config.dead_letter
    need(tries, "attempts_max", "above 0, and dead_letter is given")
