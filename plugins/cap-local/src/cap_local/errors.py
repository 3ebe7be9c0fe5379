"""The one table: what SQLite or the file system says → our error and its outcome.

    locked by another process, disk full, interrupted          Unavailable, NOT_APPLIED
    the disk failed                                            Unavailable; UNKNOWN while committing
    a constraint                                               Conflict, NOT_APPLIED
    no database, or a damaged one                              ProtocolViolation, NOT_APPLIED
    not allowed, or no such folder                             PermissionDenied, ContainerNotFound
    everything about the statement itself                      InvalidArgument, NOT_APPLIED

Codes: https://www.sqlite.org/rescode.html
"""

import sqlite3
from collections.abc import Mapping

from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    PermissionDenied,
    ProtocolViolation,
    ProviderError,
    Unavailable,
)

__all__ = ["code_of", "disk_failed", "told"]

_BY_CODE: Mapping[int, type[ProviderError]] = {
    sqlite3.SQLITE_BUSY: Unavailable,
    sqlite3.SQLITE_LOCKED: Unavailable,
    sqlite3.SQLITE_FULL: Unavailable,
    sqlite3.SQLITE_INTERRUPT: Unavailable,
    sqlite3.SQLITE_NOMEM: Unavailable,
    sqlite3.SQLITE_IOERR: Unavailable,
    sqlite3.SQLITE_PROTOCOL: Unavailable,
    sqlite3.SQLITE_SCHEMA: Unavailable,
    sqlite3.SQLITE_CONSTRAINT: Conflict,
    sqlite3.SQLITE_CORRUPT: ProtocolViolation,
    sqlite3.SQLITE_NOTADB: ProtocolViolation,
    sqlite3.SQLITE_FORMAT: ProtocolViolation,
    sqlite3.SQLITE_CANTOPEN: ContainerNotFound,
    sqlite3.SQLITE_PERM: PermissionDenied,
    sqlite3.SQLITE_READONLY: PermissionDenied,
}

_HINTS: Mapping[type[ProviderError], str] = {
    Unavailable: "another process may hold the database, or the disk be full; try again",
    Conflict: "read what is there and decide again",
    ProtocolViolation: "the file is no database of this plugin, or is damaged: restore it",
    ContainerNotFound: "check the setting path, and who may enter its folder",
    PermissionDenied: "check who may write to the folder that the setting path names",
    InvalidArgument: "correct the statement",
}


def told(error: sqlite3.Error, *, committing: bool = False) -> ProviderError:
    """The error for what SQLite raised; everything it refuses before a commit changed nothing."""
    code = code_of(error)
    kind = _BY_CODE.get(code, InvalidArgument)
    unclear = committing and code == sqlite3.SQLITE_IOERR
    outcome = Outcome.UNKNOWN if unclear else Outcome.NOT_APPLIED
    return kind(str(error), hint=_HINTS[kind], outcome=outcome)


def code_of(error: Exception) -> int:
    """SQLite's primary result code; 0 where Python itself refused the statement."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def disk_failed(error: OSError, *, writes: bool) -> ProviderError:
    """The error for what the file system raised."""
    outcome = Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED
    said = f"{type(error).__name__}: {error.strerror or 'the disk failed'}"
    match error:
        case PermissionError():
            kind: type[ProviderError] = PermissionDenied
        case FileNotFoundError() | NotADirectoryError() | FileExistsError():
            kind = ContainerNotFound
        case _:
            kind = Unavailable
    return kind(said, hint=_HINTS[kind], outcome=outcome)
