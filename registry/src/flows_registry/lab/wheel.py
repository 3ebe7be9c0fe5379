"""A wheel read as the zip file it is, never installed and never imported."""

import base64
import configparser
import csv
import hashlib
import posixpath
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

__all__ = ["ENTRY_POINT_GROUP", "MANIFEST_NAME", "Problem", "Wheel", "inspect_wheel"]

ENTRY_POINT_GROUP = "flows.capabilities"
MANIFEST_NAME = "capability.toml"

UNPACKED_BYTES_MAX = 256 * 1024 * 1024
"""More than this in one plugin is not looked into: an archive may be made to unpack without end."""

_COMPILED = (".so", ".pyd", ".dll", ".dylib")
_AT_START = re.compile(r"(sitecustomize|usercustomize)(\.py|/.*)?")
_HASHES = frozenset({"sha256", "sha384", "sha512"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a wheel: a code of the diagnostic table, what, where, what to do."""

    code: str
    message: str
    observed: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Wheel:
    """What a wheel says and holds.

    Attributes:
        path: the file.
        name: its distribution's canonical name.
        version: its distribution's version.
        files: member names without folders.
        metadata: the headers of METADATA.
        plugins: entry points of the group flows.capabilities: name → `module` or
            `module:attribute`.
        manifests: content of every capability.toml, by member name.
        compiled: members that are machine code.
        sources: the text of every Python module, by member name.
        sha256: of the file.
    """

    path: Path
    name: str
    version: str
    files: tuple[str, ...]
    metadata: Message
    plugins: Mapping[str, str]
    manifests: Mapping[str, bytes]
    compiled: tuple[str, ...]
    sources: Mapping[str, bytes]
    sha256: str

    @property
    def requires(self) -> tuple[str, ...]:
        """Its `Requires-Dist` lines."""
        return tuple(str(line) for line in self.metadata.get_all("Requires-Dist") or ())

    @property
    def extras(self) -> frozenset[str]:
        """Its extras, as canonical names."""
        return frozenset(
            canonicalize_name(str(extra)) for extra in self.metadata.get_all("Provides-Extra") or ()
        )

    @property
    def packages(self) -> frozenset[str]:
        """The top-level names that are its own: those its plugins live in."""
        return frozenset(re.split("[.:]", module)[0] for module in self.plugins.values())

    def requirement(self, extras: tuple[str, ...] = ()) -> str:
        """The requirement that installs exactly this file."""
        wanted = f"[{','.join(sorted(extras))}]" if extras else ""
        return f"{self.name}{wanted} @ {self.path.resolve().as_uri()}"


def inspect_wheel(path: Path) -> tuple[Wheel | None, list[Problem]]:
    """Read a wheel and everything that is wrong with it; no Wheel where it cannot be read."""
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
        with zipfile.ZipFile(path) as archive:
            problems = list(_members(archive))
            if problems:
                return None, problems
            content = {each.filename: archive.read(each) for each in _files(archive)}
    except InvalidWheelFilename as error:
        return None, [Problem("PACKAGE006", f"{path.name} is no wheel's name: {error}")]
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        return None, [Problem("PACKAGE006", f"{path.name} cannot be unpacked: {error}")]
    information = f"{_folder_name(name)}-{_folder_name(str(version))}.dist-info"
    folders = {each.partition("/")[0] for each in content if ".dist-info/" in each}
    if len(folders) != 1:
        listed = ", ".join(sorted(folders)) or "none"
        return None, [Problem("PACKAGE006", f"one .dist-info folder belongs in it, not {listed}")]
    folder = folders.pop()
    if _folder_name(folder.removesuffix(".dist-info")) != _folder_name(
        information.removesuffix(".dist-info")
    ):
        problems.append(Problem("PACKAGE006", f"{folder} does not belong to {path.name}"))
    needed = [f"{folder}/{each}" for each in ("METADATA", "WHEEL", "RECORD")]
    if missing := [each for each in needed if each not in content]:
        return None, [*problems, Problem("PACKAGE006", f"{missing[0]} is missing")]
    wheel = _read(path, folder, content)
    problems += _metadata(wheel, str(name), str(version))
    problems += _record(content, folder)
    problems += _contents(wheel, folder)
    return wheel, problems


def _files(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    return (each for each in archive.infolist() if not each.is_dir())


def _members(archive: zipfile.ZipFile) -> Iterator[Problem]:
    """What makes an archive unsafe to unpack."""
    seen: dict[str, str] = {}
    unpacked = 0
    for each in archive.infolist():
        name = each.filename
        unpacked += each.file_size
        normal = posixpath.normpath(name)
        if (
            normal.startswith(("..", "/"))
            or "\\" in name
            or ":" in name.partition("/")[0]
            or "\0" in each.orig_filename
            or normal != name.rstrip("/")
        ):
            yield Problem(
                "PACKAGE006",
                f"the member name {name!r} points outside of the wheel, or is not in normal form",
                fix="name every member relative to the wheel's root",
            )
        if stat.S_ISLNK(each.external_attr >> 16):
            yield Problem("PACKAGE006", f"{name} is a symbolic link", fix="ship the file itself")
        if (folded := name.casefold()) in seen:
            other = seen[folded]
            what = "twice" if other == name else f"beside {other}, the same name on some systems"
            yield Problem("PACKAGE006", f"{name} is in the wheel {what}", fix="keep one of them")
        seen[folded] = name
        if each.flag_bits & 1:
            yield Problem("PACKAGE006", f"{name} is encrypted")
    if unpacked > UNPACKED_BYTES_MAX:
        yield Problem("PACKAGE006", f"it unpacks to {unpacked >> 20} MiB", fix="leave data out")


def _read(path: Path, folder: str, content: Mapping[str, bytes]) -> Wheel:
    headers = HeaderParser().parsestr(content[f"{folder}/METADATA"].decode("utf-8", "replace"))
    return Wheel(
        path,
        canonicalize_name(str(headers["Name"] or "")),
        str(headers["Version"] or ""),
        tuple(content),
        headers,
        _plugins(content.get(f"{folder}/entry_points.txt", b"")),
        {k: v for k, v in content.items() if posixpath.basename(k) == MANIFEST_NAME},
        tuple(k for k in content if k.endswith(_COMPILED) or ".so." in k),
        {k: v for k, v in content.items() if k.endswith(".py")},
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _plugins(text: bytes) -> dict[str, str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue] (documented use)
    try:
        parser.read_string(text.decode("utf-8", "replace"))
        section = parser[ENTRY_POINT_GROUP]
    except (configparser.Error, KeyError):
        return {}
    return {name: value.partition("[")[0].strip() for name, value in section.items()}


def _metadata(wheel: Wheel, name: str, version: str) -> Iterator[Problem]:
    if wheel.name != name or wheel.version != version:
        yield Problem(
            "PACKAGE006",
            f"METADATA says {wheel.name} {wheel.version}, the file's name {name} {version}",
            fix="do not rename a wheel: build it again",
        )


def _record(content: Mapping[str, bytes], folder: str) -> Iterator[Problem]:
    """RECORD lists every file with its true hash and size, and nothing that is not there."""
    own = f"{folder}/RECORD"
    free = {own, f"{own}.jws", f"{own}.p7s"}
    listed: dict[str, tuple[str, str]] = {}
    try:
        for row in csv.reader(content[own].decode("utf-8").splitlines()):
            if len(row) != 3 or row[0] in listed:
                yield Problem("PACKAGE006", f"RECORD has a bad or repeated line: {','.join(row)}")
                continue
            listed[row[0]] = (row[1], row[2])
    except (UnicodeDecodeError, csv.Error) as error:
        yield Problem("PACKAGE006", f"RECORD cannot be read: {error}")
        return
    rebuild = "build the wheel again with an unmodified build backend"
    for name in sorted(content.keys() - listed.keys() - free):
        yield Problem("PACKAGE006", f"{name} is not listed in RECORD", fix=rebuild)
    for name in sorted(listed.keys() - content.keys()):
        yield Problem("PACKAGE006", f"RECORD lists {name}, which is not there", fix=rebuild)
    for name in sorted((listed.keys() & content.keys()) - free):
        wanted, size = listed[name]
        algorithm, _, digest = wanted.partition("=")
        if algorithm not in _HASHES:
            message = f"RECORD has no strong hash for {name}: {wanted or 'none at all'}"
            yield Problem("PACKAGE006", message, fix=rebuild)
            continue
        true = base64.urlsafe_b64encode(hashlib.new(algorithm, content[name]).digest())
        if digest.rstrip("=") != true.decode().rstrip("=") or size not in (
            "",
            str(len(content[name])),
        ):
            yield Problem(
                "PACKAGE006",
                f"{name} is not what RECORD says",
                f"{true.decode()}, {len(content[name])} bytes; RECORD: {wanted}, {size}",
                rebuild,
            )


def _contents(wheel: Wheel, folder: str) -> Iterator[Problem]:
    """What may lie in a plugin's wheel: its own packages, its metadata, scripts."""
    own = wheel.packages or {wheel.name.replace("-", "_")}
    beside: dict[str, str] = {}
    for name in wheel.files:
        if name.startswith(folder + "/"):
            continue
        place, problem = _place(name, folder.removesuffix(".dist-info") + ".data/")
        if problem is None and place:
            problem = _content(place)
            root = place.partition("/")[0]
            if problem is None and root not in own:
                beside.setdefault(root, place)
        if problem:
            yield problem
    for root, place in sorted(beside.items()):
        yield Problem(
            "PACKAGE007",
            f"{root} is installed beside the plugin's own package {', '.join(sorted(own))}",
            place,
            "name the package alone in [tool.hatch.build.targets.wheel] packages",
        )


def _place(name: str, data: str) -> tuple[str, Problem | None]:
    """Where a member ends below site-packages; "" where it does not."""
    if not name.startswith(data):
        return name, None
    kind, _, place = name.removeprefix(data).partition("/")
    if kind in ("purelib", "platlib"):
        return place, None
    if kind == "scripts":
        return "", None
    message = f"{name} would be installed outside of the plugin's package"
    return "", Problem("PACKAGE007", message, fix="keep data inside the package")


def _content(place: str) -> Problem | None:
    """What a single file may not be."""
    if place.endswith((".pth", ".start")) or _AT_START.fullmatch(place):
        return Problem(
            "PACKAGE007",
            f"{place} would run at the start of every Python process of the environment",
            fix="remove it from the wheel; a plugin runs only when it is opened",
        )
    if _is_test(place):
        return Problem("PACKAGE007", f"{place} is a test", fix="keep tests beside the package")
    if place.endswith((".pyc", ".pyo")):
        message = f"{place} is compiled code without its source"
        return Problem("PACKAGE007", message, fix="ship the .py file")
    return None


def _is_test(place: str) -> bool:
    *folders, name = place.split("/")
    return (
        any(folder in ("tests", "test") for folder in folders)
        or name == "conftest.py"
        or (name.startswith("test_") and name.endswith(".py"))
    )


def _folder_name(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
