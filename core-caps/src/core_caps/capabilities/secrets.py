"""Secrets: where credentials are kept, by name. What a store gives, and the store, never print.

    async with connect(KeyValue, "cloudflare-kv", secrets=FolderSecrets("/run/secrets")) as kv: ...

A store is asked for a plugin's secret by the environment variable that the manifest names for it,
CLOUDFLARE_API_TOKEN, wherever it keeps it.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from core_caps.errors import ConfigInvalid, InvalidArgument
from core_caps.secret import Secret

__all__ = [
    "SECRET_SIZE_BYTES_MAX",
    "EnvironmentSecrets",
    "FileSecrets",
    "FolderSecrets",
    "MemorySecrets",
    "Secrets",
]

SECRET_SIZE_BYTES_MAX = 1024 * 1024
"""Of a file. https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size"""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*?)\s*")
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@runtime_checkable
class Secrets(Protocol):
    """A store of secrets."""

    async def get(self, name: str) -> Secret | None:
        """The secret of that name, or None where there is none; an empty one is none.

        Raises:
            InvalidArgument: it is no name; NOT_APPLIED.
            ConfigInvalid: the store cannot be read; nothing that it holds is shown (CAP105).
        """
        ...


class EnvironmentSecrets:
    """The environment variables of this process."""

    async def get(self, name: str) -> Secret | None:
        """The variable's text."""
        return _secret(os.environ.get(_checked(name)))


class MemorySecrets:
    """Secrets that are given; for tests, and for hosts that have them already."""

    def __init__(self, secrets: "Mapping[str, str | Secret]") -> None:
        self._secrets = {
            name: given if isinstance(given, Secret) else Secret(given)
            for name, given in secrets.items()
        }

    async def get(self, name: str) -> Secret | None:
        """The secret that was given under the name."""
        found = self._secrets.get(_checked(name))
        return None if found is None else _secret(found.reveal())


class FolderSecrets:
    """A folder with a file for each secret, as Docker and Kubernetes mount them.

    A file holds the secret as text; one newline at its end does not count. It is read whenever
    the secret is asked for.
    """

    def __init__(self, folder: "str | Path") -> None:
        self._folder = Path(folder)

    async def get(self, name: str) -> Secret | None:
        """The content of the file of that name.

        Raises:
            InvalidArgument: the name would lead out of the folder; NOT_APPLIED.
            ConfigInvalid: the file cannot be read, is no UTF-8 text or is too long (CAP105).
        """
        if not _PLAIN_NAME.fullmatch(_checked(name)):
            raise InvalidArgument(f"{name!r} is no plain file name, so no secret is called so")
        text = _read(self._folder / name)
        return None if text is None else _secret(_without_last_newline(text))

    def __repr__(self) -> str:
        return f"FolderSecrets({str(self._folder)!r})"


class FileSecrets:
    """A file of lines `NAME=secret`, as `.env` files have them. It is read whenever it is asked.

    Empty lines and those that begin with `#` are passed over, and so is `export` before a name. A
    secret stands as it is, in '…' literally, or in "…" with `\\n`, `\\r`, `\\t` and `\\` before
    any other letter; nothing is interpolated.
    """

    def __init__(self, path: "str | Path") -> None:
        self._path = Path(path)

    async def get(self, name: str) -> Secret | None:
        """The secret of the line with that name.

        Raises:
            ConfigInvalid: the file cannot be read, or a line is not as it must be; lines are told
                by their numbers (CAP105).
        """
        _checked(name)
        text = _read(self._path)
        if text is None:
            return None
        findings: list[str] = []
        found = dict(_lines(text, findings.append))
        if findings:
            listed = "\n".join(f"  - {finding}" for finding in findings)
            raise ConfigInvalid(f"{self._path} is no file of secrets:\n{listed}")
        return _secret(found.get(name))

    def __repr__(self) -> str:
        return f"FileSecrets({str(self._path)!r})"


def _checked(name: str) -> str:
    if not isinstance(name, str) or not name or "\0" in name:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgument("a secret's name is text, and not empty")
    return name


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text else None


def _read(path: Path) -> str | None:
    """The text of a file, or None where there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(SECRET_SIZE_BYTES_MAX + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise ConfigInvalid(
            f"the secrets in {path} cannot be read: {error.strerror}",
            hint="let this process read it",
        ) from None
    if len(data) > SECRET_SIZE_BYTES_MAX:
        raise ConfigInvalid(f"{path} is longer than {SECRET_SIZE_BYTES_MAX} bytes: no secret is")
    with contextlib.suppress(UnicodeDecodeError):  # which would carry the bytes along
        return data.decode()
    raise ConfigInvalid(f"{path} is no UTF-8 text", hint="keep bytes as base64")


def _without_last_newline(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def _lines(text: str, tell: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """The names and secrets of a file's lines; what is wrong with one is told by its number."""
    seen: set[str] = set()
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        parts = _LINE.fullmatch(stripped)
        if parts is None:
            tell(f"line {number} is not NAME=secret")
            continue
        name, written = parts[1], parts[2]
        secret = _unquoted(written)
        if secret is None:
            tell(f"line {number}: put {name} in '…' or \"…\", and escape what would end it")
        elif name in seen:
            tell(f"line {number} gives {name} again")
        else:
            yield name, secret
        seen.add(name)


def _unquoted(written: str) -> str | None:
    """What a value stands for, or None where quotes or a comment leave that open."""
    quote = written[:1]
    if quote not in ("'", '"'):
        return None if re.search(r"\s#|['\"]", written) else written
    inside = written[1:-1]
    if len(written) < 2 or written[-1] != quote:
        return None
    if quote == "'":
        return None if "'" in inside else inside
    bare = _ESCAPED.sub("", inside)
    if '"' in bare or "\\" in bare:
        return None
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), inside)
