"""What is known of objects, in SQLite: one row each, and the digests that nobody wants any more."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict

from core_caps.capabilities.blob_store import BlobPage, HttpMetadata, ObjectInfo
from core_caps.errors import PreconditionFailed

__all__ = ["SCHEMA", "check", "forget", "give_up", "info_of", "page", "store", "unused"]

SCHEMA = (
    (
        "CREATE TABLE objects (key BLOB PRIMARY KEY, digest TEXT NOT NULL, "
        "size_bytes INTEGER NOT NULL, uploaded_at REAL NOT NULL, http TEXT NOT NULL, "
        "metadata TEXT NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE INDEX digests ON objects (digest)",
        "CREATE TABLE unwanted (digest TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
        "CREATE TABLE held (digest TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT",
    ),
)
"""`unwanted` are digests that somebody gave up, and that nobody may refer to any more; `held` are
the bytes of the mock."""

_INFO = "SELECT digest, size_bytes, uploaded_at, http, metadata FROM objects WHERE key = ?"
_PUT = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)"
_GIVE_UP = "INSERT OR IGNORE INTO unwanted SELECT digest FROM objects WHERE key = ?"
_UNUSED = """SELECT digest FROM unwanted
WHERE NOT EXISTS (SELECT 1 FROM objects WHERE objects.digest = unwanted.digest)"""

_NEXT = """SELECT key, size_bytes, digest, uploaded_at FROM objects
WHERE key >= ? AND key < ? ORDER BY key"""

_BEYOND = b"\xff"
"""Greater than whatever follows in UTF-8."""


def info_of(connection: sqlite3.Connection, key: bytes) -> ObjectInfo | None:
    """What is known of an object, or None."""
    row = connection.execute(_INFO, (key,)).fetchone()
    if row is None:
        return None
    digest, size, uploaded_at, http, metadata = row
    headers = HttpMetadata(**json.loads(http))
    return ObjectInfo(key.decode(), size, digest, uploaded_at, headers, json.loads(metadata))


def store(connection: sqlite3.Connection, info: ObjectInfo) -> None:
    """Put an object in the place of what was there."""
    key = info.key.encode()
    headers = {name: value for name, value in asdict(info.http).items() if value is not None}
    kept = (json.dumps(headers), json.dumps(dict(info.metadata), ensure_ascii=False))
    connection.execute(_GIVE_UP, (key,))
    connection.execute(_PUT, (key, info.etag, info.size_bytes, info.uploaded_at, *kept))


def give_up(connection: sqlite3.Connection, digests: Sequence[str]) -> None:
    """Say that these may not be wanted."""
    rows = [(digest,) for digest in digests]
    connection.executemany("INSERT OR IGNORE INTO unwanted VALUES (?)", rows)


def forget(connection: sqlite3.Connection, key: bytes) -> None:
    """Remove an object."""
    connection.execute(_GIVE_UP, (key,))
    connection.execute("DELETE FROM objects WHERE key = ?", (key,))


def unused(connection: sqlite3.Connection) -> list[str]:
    """The digests that were given up and that no object has; what was given up is none any more."""
    digests = [digest for (digest,) in connection.execute(_UNUSED).fetchall()]
    connection.execute("DELETE FROM unwanted")
    return digests


def check(
    key: str, info: ObjectInfo | None, if_match: str | None, if_none_match: str | None
) -> None:
    """Refuse a call whose conditions the object does not meet."""
    etag = None if info is None else info.etag
    again = "read the current etag and decide again"
    if if_match is not None and (etag is None or if_match not in ("*", etag)):
        raise PreconditionFailed(f"the etag of {key!r} is {etag}, not {if_match}", hint=again)
    if if_none_match is not None and etag is not None and if_none_match in ("*", etag):
        raise PreconditionFailed(f"{key!r} exists with the etag {etag}", hint=again)


def page(
    connection: sqlite3.Connection, prefix: bytes, delimiter: bytes | None, limit: int, start: bytes
) -> tuple[BlobPage, bytes | None]:
    """A page that begins at `start` or later, and where the next one begins, or None."""
    objects: list[ObjectInfo] = []
    prefixes: list[str] = []
    place: bytes | None = max(start, prefix)
    while place is not None:
        rows = connection.execute(_NEXT, (place, prefix + _BEYOND))
        place = None
        for key, size, digest, uploaded_at in rows:
            if len(objects) + len(prefixes) == limit:
                return BlobPage(tuple(objects), tuple(prefixes)), key
            folded = _folded(key, prefix, delimiter)
            if folded is not None:
                prefixes.append(folded.decode())
                place = folded + _BEYOND
                break
            objects.append(ObjectInfo(key.decode(), size, digest, uploaded_at))
    return BlobPage(tuple(objects), tuple(prefixes)), None


def _folded(key: bytes, prefix: bytes, delimiter: bytes | None) -> bytes | None:
    """The common prefix that stands for the key, or None where it stands for itself."""
    if delimiter is None:
        return None
    head, found, _ = key[len(prefix) :].partition(delimiter)
    return prefix + head + found if found else None
