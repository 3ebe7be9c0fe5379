"""The settings of each backend, validated when they are made."""

from dataclasses import dataclass
from pathlib import Path

from core_caps.errors import ConfigInvalid

__all__ = ["LocalConfig", "MockConfig"]


@dataclass(frozen=True, slots=True)
class LocalConfig:
    """Where the files are.

    Attributes:
        path: a folder of this plugin's own on a local disk; made where it is missing. Every
            process that names it shares what is in it.

    Raises:
        ConfigInvalid: the path is no text, or empty (CAP105).
    """

    path: str

    def __post_init__(self) -> None:
        _need(isinstance(self.path, str) and bool(self.path), "path", "the name of a folder")  # pyright: ignore[reportUnnecessaryIsInstance]
        _need("\0" not in self.path, "path", "the name of a folder")

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

    Raises:
        ConfigInvalid: a setting has the wrong type (CAP105).
    """

    store: str = ""

    def __post_init__(self) -> None:
        _need(isinstance(self.store, str), "store", "text")  # pyright: ignore[reportUnnecessaryIsInstance]


def _need(holds: bool, setting: str, form: str) -> None:
    if not holds:
        raise ConfigInvalid(f"the setting {setting} is not {form}", hint=f"correct {setting}")
