"""Commands sent together over one connection, and their results, read within a bound.

libpq's pipeline mode: all commands go out at once, the server stops at the first that fails, and
one network round trip serves them all. Each is a statement without a name, unknown to any pooler.
https://www.postgresql.org/docs/current/libpq-pipeline-mode.html

Values are asked for in UTF-8. Where a statement changes client_encoding, or a pooler did, they may
come in something else: that is refused under PostgreSQL's own code.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from psycopg import AsyncConnection, Error, OperationalError, pq
from psycopg.waiting import Ready, Wait, wait_async

from cap_postgres_neon.database import Refused
from cap_postgres_neon.statements import Command

__all__ = ["Column", "ConnectionLost", "Given", "TooLarge", "converse"]

CHUNK_ROWS = 256
"""Rows that libpq hands over at a time: what is over the bound is never held whole."""

_POLL_SECONDS = 60.0
"""How often a connection is looked at although nothing came."""

FIELDS: Mapping[str, int] = MappingProxyType(
    {
        "severity": pq.DiagnosticField.SEVERITY_NONLOCALIZED,
        "code": pq.DiagnosticField.SQLSTATE,
        "message": pq.DiagnosticField.MESSAGE_PRIMARY,
        "detail": pq.DiagnosticField.MESSAGE_DETAIL,
        "hint": pq.DiagnosticField.MESSAGE_HINT,
        "position": pq.DiagnosticField.STATEMENT_POSITION,
        "internalPosition": pq.DiagnosticField.INTERNAL_POSITION,
        "internalQuery": pq.DiagnosticField.INTERNAL_QUERY,
        "where": pq.DiagnosticField.CONTEXT,
        "schema": pq.DiagnosticField.SCHEMA_NAME,
        "table": pq.DiagnosticField.TABLE_NAME,
        "column": pq.DiagnosticField.COLUMN_NAME,
        "dataType": pq.DiagnosticField.DATATYPE_NAME,
        "constraint": pq.DiagnosticField.CONSTRAINT_NAME,
        "file": pq.DiagnosticField.SOURCE_FILE,
        "line": pq.DiagnosticField.SOURCE_LINE,
        "routine": pq.DiagnosticField.SOURCE_FUNCTION,
    }
)
"""What the server says of an error, under the names that Neon's clients know."""

_Status = pq.ExecStatus
_PARTS = (_Status.SINGLE_TUPLE, _Status.TUPLES_CHUNK)
_DONE = (_Status.TUPLES_OK, _Status.COMMAND_OK, _Status.EMPTY_QUERY)

_NOT_UTF8 = "22021"
"""character_not_in_repertoire, as PostgreSQL says where it is the one to convert."""


class TooLarge(Exception):
    """The results have more bytes than is allowed; the connection is of no use any more."""


class ConnectionLost(Exception):
    """The connection ended before all results were there; the text is safe to show."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the protocol describes it."""

    name: str
    type_id: int
    table_id: int
    column_id: int
    size: int
    modifier: int


@dataclass(slots=True)
class Given:
    """What one command gave.

    Attributes:
        columns: none where it returns no rows.
        rows: the rows, every value in text form.
        tag: what the server says it did: `INSERT 0 3`.
    """

    columns: tuple[Column, ...] = ()
    rows: list[tuple[str | None, ...]] = field(default_factory=list[tuple[str | None, ...]])
    tag: str = ""


@dataclass(slots=True)
class _Heard:
    """What came so far: what the commands gave, and the first refusal."""

    given: list[Given]
    refusal: Refused | None = None


async def converse(
    connection: AsyncConnection[Any],
    commands: Sequence[Command],
    *,
    size_bytes_max: int,
    given: list[Given] | None = None,
) -> list[Given]:
    """What each command gave.

    Args:
        connection: a session between two conversations.
        commands: what is sent, all at once.
        size_bytes_max: of all results together.
        given: where the results go, one by one, so that who fails knows how far it came.

    Raises:
        Refused: the server refused one; those after it were not run. It may have ended the
            connection with that.
        TooLarge: the results have more bytes than that.
        ConnectionLost: it ended without a reason; what was sent may have been run.
    """
    libpq = connection.pgconn
    heard = _Heard([] if given is None else given)
    try:
        libpq.enter_pipeline_mode()
        for command in commands:
            params = [None if text is None else text.encode() for text in command.params]
            libpq.send_query_params(command.text.encode(), params)
        libpq.pipeline_sync()
        reading = _results(libpq, heard, len(commands), size_bytes_max)
        await wait_async(reading, libpq.socket, _POLL_SECONDS)
        libpq.exit_pipeline_mode()
    except Error as problem:
        libpq.finish()
        if heard.refusal is None:
            raise ConnectionLost(_shown(problem)) from None
    except BaseException:
        # Also where the call was cancelled: the server undoes what nobody committed.
        libpq.finish()
        raise
    if heard.refusal is not None:
        raise heard.refusal
    return heard.given


def _results(
    libpq: pq.abc.PGconn, heard: _Heard, count: int, size_bytes_max: int
) -> Generator[Wait, Ready | int, None]:
    """Send what is queued, and read everything up to the end of the pipeline."""
    while libpq.flush():
        ready = yield Wait.RW
        if ready & Ready.R:
            libpq.consume_input()
    left = size_bytes_max
    for _ in range(count):
        given = Given()
        if libpq.pipeline_status != pq.PipelineStatus.ABORTED:
            _in_parts(libpq)
        while (result := (yield from _result(libpq))) is not None:
            if heard.refusal is not None:
                continue
            try:
                left -= _take(given, result)
            except Refused as refusal:
                heard.refusal = refusal
            if left < 0:
                raise TooLarge
        if heard.refusal is None:
            heard.given.append(given)
    yield from _result(libpq)  # the end of the pipeline


def _result(libpq: pq.abc.PGconn) -> Generator[Wait, Ready | int, pq.abc.PGresult | None]:
    while libpq.is_busy():
        yield Wait.R
        libpq.consume_input()
    return libpq.get_result()


def _in_parts(libpq: pq.abc.PGconn) -> None:
    if pq.version() >= 170000:
        libpq.set_chunked_rows_mode(CHUNK_ROWS)
    else:
        libpq.set_single_row_mode()


def _take(given: Given, result: pq.abc.PGresult) -> int:
    """Add what a result holds; how many bytes that is.

    Raises:
        Refused: it is an error of the server's, or holds what is not UTF-8.
        OperationalError: it is an error of the connection's.
    """
    if result.status not in (*_PARTS, *_DONE):
        raise _failure(result)
    try:
        return _added(given, result)
    except UnicodeDecodeError:
        message = "the result is not in UTF-8, as if client_encoding had been changed"
        raise Refused({"code": _NOT_UTF8, "message": message}) from None


def _added(given: Given, result: pq.abc.PGresult) -> int:
    if result.nfields and not given.columns:
        given.columns = tuple(_column(result, number) for number in range(result.nfields))
    size_bytes = 0
    fields = range(result.nfields)
    for number in range(result.ntuples):
        row = [result.get_value(number, field) for field in fields]
        size_bytes += sum(len(value) for value in row if value is not None) + len(row)
        given.rows.append(tuple(None if value is None else value.decode() for value in row))
    given.tag = (result.command_status or b"").decode() or given.tag  # with the last part of it
    return size_bytes


def _column(result: pq.abc.PGresult, number: int) -> Column:
    return Column(
        (result.fname(number) or b"").decode(),
        result.ftype(number),
        result.ftable(number),
        result.ftablecol(number),
        result.fsize(number),
        result.fmod(number),
    )


def _failure(result: pq.abc.PGresult) -> Exception:
    """What an error result says, in the server's words or in libpq's."""
    said = {
        name: str(text, "utf-8", "replace")
        for name, number in FIELDS.items()
        if (text := result.error_field(number)) is not None
    }
    if said:
        return Refused(said)
    return OperationalError(str(result.error_message or b"no answer", "utf-8", "replace"))


def _shown(problem: Exception) -> str:
    return str(problem).strip() or type(problem).__name__
