"""The source of a plugin as its author would publish it: the files git sees, copied elsewhere."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from core_caps.errors import CapsError

__all__ = [
    "FILES_MAX",
    "SIZE_BYTES_MAX",
    "Source",
    "SourceNotPlugin",
    "SourceRefused",
    "copy",
    "read_source",
]

FILES_MAX = 20_000
SIZE_BYTES_MAX = 512 * 1024 * 1024
"""A plugin is small; what is larger is a mistake such as a data folder that nobody ignored."""

_NEVER = frozenset({".git", ".hg", ".svn", "__pycache__", ".venv", "node_modules"})


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


class SourceNotPlugin(CapsError):
    """The path holds no Python project that could be a plugin."""

    code = "PACKAGE001"


class SourceRefused(CapsError):
    """The tree cannot be copied faithfully: a link leaves it, or it holds a device."""

    code = "PACKAGE002"


@dataclass(frozen=True, slots=True)
class Source:
    """A source tree as a list of files.

    Attributes:
        root: the folder.
        files: paths relative to it, sorted.
        digest: SHA-256 over the paths, modes and contents.
    """

    root: Path
    files: tuple[str, ...]
    digest: str


def read_source(path: Path) -> Source:
    """The files of a project that git sees, or that its .gitignore files let through.

    Raises:
        SourceNotPlugin: the path is no folder with a pyproject.toml (PACKAGE001).
        SourceRefused: a link leaves the tree, a file is a device, or the tree is too large
            (PACKAGE002).
    """
    root = _project(path)
    names = _seen_by_git(root)
    files = sorted(_walk(root) if names is None else names)
    if len(files) > FILES_MAX:
        raise SourceRefused(
            f"{root} holds {len(files)} files, more than {FILES_MAX}",
            hint="add what does not belong to the source to .gitignore",
        )
    digest, size = hashlib.sha256(), 0
    for name in files:
        size += _add(root, name, digest)
        if size > SIZE_BYTES_MAX:
            raise SourceRefused(
                f"{root} holds more than {SIZE_BYTES_MAX >> 20} MiB",
                hint="add what does not belong to the source to .gitignore",
            )
    return Source(root, tuple(files), digest.hexdigest())


def copy(source: Source, target: Path, *, mtime: float) -> Path:
    """Copy the tree into `target`, which must not exist, with this time on every file."""
    target.mkdir(parents=True)
    for name in source.files:
        origin, destination = source.root / name, target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_symlink():
            destination.symlink_to(origin.readlink())
            continue
        shutil.copyfile(origin, destination)
        destination.chmod(0o755 if origin.stat().st_mode & stat.S_IXUSR else 0o644)
        os.utime(destination, (mtime, mtime))
    return target


def _project(path: Path) -> Path:
    hint = (
        "give the folder that holds the plugin's pyproject.toml; "
        "`flows-registry new cap-NAME` makes one"
    )
    if not path.exists():
        raise SourceNotPlugin(f"{path} does not exist", hint=hint)
    if not path.is_dir():
        raise SourceNotPlugin(f"{path} is a file, not a plugin's folder", hint=hint)
    if not (path / "pyproject.toml").is_file():
        raise SourceNotPlugin(f"{path} is no plugin: it has no pyproject.toml", hint=hint)
    return path.resolve()


def _add(root: Path, name: str, digest: _Digest) -> int:
    """Add one file to the digest; returns its size in bytes."""
    path = root / name
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        link = path.readlink()
        inside = os.path.normpath(PurePosixPath(name).parent / link.as_posix())
        if link.is_absolute() or inside.startswith("..") or not path.resolve().is_relative_to(root):
            raise SourceRefused(
                f"{name} is a link to {link}, which leaves the plugin's folder",
                hint="a published package cannot contain what lies outside of it: copy the file in",
            )
        content, mode = os.fsencode(link), "link"
    elif stat.S_ISREG(status.st_mode):
        content = path.read_bytes()
        mode = "exec" if status.st_mode & stat.S_IXUSR else "file"
    else:
        raise SourceRefused(f"{name} is neither a file nor a link", hint="remove it")
    digest.update(f"{name}\0{mode}\0{len(content)}\0".encode(errors="surrogateescape"))
    digest.update(content)
    return len(content)


def _seen_by_git(root: Path) -> list[str] | None:
    """Tracked and untracked files without the ignored ones; None where git cannot say."""
    # The repository is not trusted: fsmonitor could name a program for git to run.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "safe.directory=*", "-C", str(root)]
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            [*command, *listing], capture_output=True, env=env, timeout=60, check=False
        )
        # A folder that its surrounding repository ignores as a whole lists nothing.
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    names = {os.fsdecode(name) for name in done.stdout.split(b"\0") if name}
    if "pyproject.toml" not in names:
        return None
    present: list[str] = []
    for name in names:
        path = root / name
        if path.is_dir() and not path.is_symlink():  # a submodule, or a nested repository
            present.extend(f"{name.rstrip('/')}/{below}" for below in _walk(path))
        elif os.path.lexists(path):
            present.append(name)
    return present


def _walk(root: Path) -> Iterator[str]:
    """Every file that no .gitignore on its way excludes."""
    yield from _walk_below(root, "", [])


def _walk_below(root: Path, below: str, rules: list["_Rule"]) -> Iterator[str]:
    folder = root / below
    ignore = folder / ".gitignore"
    if ignore.is_file():
        text = ignore.read_text(encoding="utf-8", errors="replace")
        rules = [*rules, *(rule for line in text.splitlines() if (rule := _rule(line, below)))]
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        name = below + entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if (is_folder and entry.name in _NEVER) or _ignored(name, is_folder, rules):
            continue
        if is_folder:
            yield from _walk_below(root, name + "/", rules)
        else:
            yield name


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    folders_only: bool
    keeps: bool


def _ignored(name: str, is_folder: bool, rules: list[_Rule]) -> bool:
    """The last rule that matches decides, as in git."""
    for rule in reversed(rules):
        if (is_folder or not rule.folders_only) and rule.pattern.fullmatch(name):
            return not rule.keeps
    return False


def _rule(line: str, below: str) -> _Rule | None:
    """One line of a .gitignore in the folder `below` (source: https://git-scm.com/docs/gitignore)."""
    line = re.sub(r"(?<!\\)\s+$", "", line)
    if not line or line.startswith("#"):
        return None
    keeps = line.startswith("!")
    line = line.removeprefix("!")
    folders_only = line.endswith("/")
    line = line.rstrip("/")
    anchored = "/" in line
    body = _translate(line.lstrip("/"))
    prefix = re.escape(below) + ("" if anchored else "(?:.*/)?")
    try:
        return _Rule(re.compile(prefix + body, re.DOTALL), folders_only, keeps)
    except re.error:
        return None  # git too ignores a pattern that it cannot read


def _translate(glob: str) -> str:
    """A gitignore glob as a regular expression over `/`-separated paths."""
    parts: list[str] = []
    position = 0
    while position < len(glob):
        rest = glob[position:]
        if rest.startswith("**/") and (position == 0 or glob[position - 1] == "/"):
            parts.append("(?:.*/)?")
            position += 3
        elif rest == "**" and position and glob[position - 1] == "/":
            parts.append(".+")
            position += 2
        elif rest[0] == "*":
            parts.append("[^/]*")
            position += len(rest) - len(rest.lstrip("*"))
        elif rest[0] == "?":
            parts.append("[^/]")
            position += 1
        elif rest[0] == "[" and (closing := glob.find("]", position + 2)) > 0:
            inner = glob[position + 1 : closing].replace("\\", "\\\\")
            parts.append("[" + ("^" + inner[1:] if inner[0] in "!^" else inner) + "]")
            position = closing + 1
        elif rest[0] == "\\" and len(rest) > 1:
            parts.append(re.escape(rest[1]))
            position += 2
        else:
            parts.append(re.escape(rest[0]))
            position += 1
    return "".join(parts)
