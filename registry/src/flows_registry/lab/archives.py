"""Comparing what two builds made: where the archives part ways, in words."""

import hashlib
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["differences", "sha256_of"]


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def differences(first: Mapping[str, Path], second: Mapping[str, Path]) -> Iterator[str]:
    """What two builds, each its files by name, made differently; nothing of no consequence."""
    for name in sorted({*first, *second}):
        if name not in first or name not in second:
            yield f"{name} was made by one build only"
        elif sha256_of(first[name]) != sha256_of(second[name]):
            one, other = _members(first[name]), _members(second[name])
            difference = _first_difference(one, other, framed=name.endswith(".whl"))
            if difference:
                yield f"{name}: {difference}"


def _first_difference(
    first: Sequence["_Member"], second: Sequence["_Member"], *, framed: bool
) -> str:
    """Where two archives part ways, in words; "" where it is of no consequence.

    Installers give files the permissions of whoever installs; only the executable bit travels.
    A source distribution's times and order go no further than its own unpacking.

    Args:
        framed: times and order count, too: the wheel's bytes are what a certificate names.
    """
    one, other = {each.name: each for each in first}, {each.name: each for each in second}
    if only := sorted(one.keys() ^ other.keys()):
        return f"{only[0]} is in one build only"
    records = [name for name in one if name.endswith(".dist-info/RECORD")]
    for name in [*(name for name in one if name not in records), *records]:
        a, b = one[name], other[name]
        if a.content != b.content:
            at = _parting(a.content, b.content)
            near = slice(max(0, at - 20), at + 20)
            return f"{name} differs at byte {at}: {a.content[near]!r} / {b.content[near]!r}"
        if a.executable != b.executable:
            return f"{name} is executable in one build only"
        if framed and a.time != b.time:
            return f"{name} has the time {a.time} / {b.time}"
    if framed and [each.name for each in first] != [each.name for each in second]:
        return "the same files in another order"
    return ""


def _parting(first: bytes, second: bytes) -> int:
    """Where two byte strings first differ."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    content: bytes
    executable: bool
    time: str


def _members(path: Path) -> list[_Member]:
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as archive:
                return [_zip_member(archive, each) for each in archive.infolist()]
        with tarfile.open(path) as archive:
            return [_tar_member(archive, each) for each in archive.getmembers()]
    except (OSError, tarfile.TarError, zipfile.BadZipFile):
        return []


def _zip_member(archive: zipfile.ZipFile, each: zipfile.ZipInfo) -> _Member:
    executable = bool(each.external_attr >> 16 & 0o111)
    time_ = "-".join(map(str, each.date_time))
    return _Member(each.filename, archive.read(each), executable, time_)


def _tar_member(archive: tarfile.TarFile, each: tarfile.TarInfo) -> _Member:
    file = archive.extractfile(each) if each.isfile() else None
    content = file.read() if file else each.linkname.encode()
    return _Member(each.name, content, each.isfile() and bool(each.mode & 0o111), str(each.mtime))
