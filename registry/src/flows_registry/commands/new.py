"""`flows-registry new cap-NAME`: a plugin that certifies as it stands, for its author to change."""

import argparse
import os
import re
import shutil
import tempfile
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from core_caps.errors import CapsError
from core_caps.plugins.discovery import discover

from flows_registry.commands.output import print_json

__all__ = ["FolderRefused", "NameRefused", "create", "run"]

NAME_LETTERS_MAX = 64

_FORM = re.compile(r"cap(-[a-z0-9]+)+")
_SUFFIX = ".template"


class NameRefused(CapsError):
    """A new plugin's name is not usable, or it is taken."""

    code = "PACKAGE015"


class FolderRefused(CapsError):
    """No folder can be made where a new plugin should go."""

    code = "PACKAGE016"


def run(arguments: argparse.Namespace) -> int:
    """Make the skeleton and say what to do with it.

    Raises:
        NameRefused: the name is not of the form cap-NAME, or is taken (PACKAGE015).
        FolderRefused: no folder can be made there (PACKAGE016).
    """
    folder = create(arguments.name, Path(arguments.into))
    if arguments.json:
        written = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
        print_json({"folder": str(folder), "files": written})
        return 0
    print(f"{folder} is a plugin with one backend, the mock. Next:")
    print(f"  flows-registry certify {folder}")
    print(f"  {folder / 'README.md'} tells how to add the real service")
    return 0


def create(distribution: str, into: Path) -> Path:
    """Write the skeleton of `distribution` below `into`: all of it, or nothing.

    Raises:
        NameRefused: the name is not of the form cap-NAME, or is taken (PACKAGE015).
        FolderRefused: no folder can be made in `into` (PACKAGE016).
        OSError: the files cannot be written.
    """
    name = _checked(distribution)
    target = Path(os.path.realpath(into), distribution)
    if os.path.lexists(target):
        raise NameRefused(
            f"{target} exists already; nothing in it was changed",
            hint="choose another name, or another folder with --into",
        )
    _not_installed(name, distribution)
    fresh = _fresh(target)
    words = {
        "distribution": distribution,
        "name": name,
        "package": distribution.replace("-", "_"),
    }
    try:
        _fill(files("flows_registry.templates") / "plugin", fresh, words)
        fresh.chmod(0o755)
        _take(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _fresh(target: Path) -> Path:
    """An empty folder beside the target, which will be renamed to it."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    except OSError as error:
        there = next(path for path in target.parents if os.path.lexists(path))
        none = isinstance(error, FileNotFoundError)  # as /proc says it
        reason = "its file system makes none" if none else error.strerror
        why = f"{there} takes no new folder: {reason}"
        if not there.is_dir():
            why = f"{there} is a file, not a folder"
        raise FolderRefused(
            f"{target} cannot be made: {why}",
            hint="name a folder that you may write to: --into DIR",
        ) from error


def _take(fresh: Path, target: Path) -> None:
    """Give the finished folder its name; somebody may have taken it meanwhile."""
    try:
        target.mkdir()  # fails where anything is; an empty folder can be renamed over
    except FileExistsError:
        raise NameRefused(
            f"{target} was made by somebody else meanwhile; nothing in it was changed",
            hint="choose another name",
        ) from None
    try:
        fresh.rename(target)
    except OSError:
        target.rmdir()
        raise


def _checked(distribution: str) -> str:
    """The plugin's name within `cap-NAME`."""
    if not _FORM.fullmatch(distribution):
        raise NameRefused(
            f"{distribution!r} is no name for a plugin: {_why(distribution)}",
            hint="cap- and then lower-case letters, digits and single dashes: cap-acme-kv",
        )
    if len(distribution) > NAME_LETTERS_MAX:
        raise NameRefused(
            f"{distribution!r} has more than {NAME_LETTERS_MAX} letters", hint="shorten it"
        )
    return distribution.removeprefix("cap-")


def _why(distribution: str) -> str:
    if "/" in distribution or "\\" in distribution or ".." in distribution:
        return "it is a path; say the folder with --into"
    if not distribution.isascii():
        return "it has letters outside of ASCII"
    if distribution != distribution.lower():
        return "it has capital letters"
    if not distribution.startswith("cap-"):
        return "it does not start with cap-"
    if distribution == "cap-":
        return "nothing follows cap-"
    if distribution.endswith("-"):
        return "it ends with a dash"
    if "--" in distribution:
        return "it has two dashes in a row"
    strange = sorted(set(re.findall(r"[^a-z0-9-]", distribution)))
    return f"it has {' '.join(map(repr, strange))}"


def _not_installed(name: str, distribution: str) -> None:
    for found in discover():
        if found.name == name or found.distribution == distribution:
            raise NameRefused(
                f"the plugin name {name!r} is taken by {found.distribution} {found.version}, which "
                "is installed",
                hint=f"choose another name, or uninstall it: pip uninstall {found.distribution}",
            )


def _fill(template: Traversable, target: Path, words: dict[str, str]) -> None:
    for entry in template.iterdir():
        if entry.is_dir():
            below = target / entry.name.replace("PACKAGE", words["package"])
            below.mkdir()
            _fill(entry, below, words)
        elif entry.name.endswith(_SUFFIX):
            name = entry.name.removesuffix(_SUFFIX)
            text = Template(entry.read_text(encoding="utf-8")).substitute(words)
            destination = target / (".gitignore" if name == "gitignore" else name)
            destination.write_text(text, encoding="utf-8")
