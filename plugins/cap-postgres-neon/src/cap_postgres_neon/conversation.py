"""Commands sent together over one connection, and their results, read within a bound.

libpq's pipeline mode: all commands go out at once, the server stops at the first that fails, and
one network round trip serves them all. Each is a statement without a name, unknown to any pooler.
https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from psycopg import AsyncConnection, Error, pq
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
        "severity": pq.DiagnosticField.SEVERITY,
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


async def converse(
    connection: AsyncConnection[Any], commands: Sequence[Command], *, size_bytes_max: int
) -> list[Given]:
    """What each command gave.

    Raises:
        Refused: the server refused one; those after it were not run.
        TooLarge: the results have more bytes than that.
        ConnectionLost: it ended; what was sent may have been run.
    """
    libpq = connection.pgconn
    try:
        libpq.enter_pipeline_mode()
        for command in commands:
            params = [None if text is None else text.encode() for text in command.params]
            libpq.send_query_params(command.text.encode(), params)
        libpq.pipeline_sync()
        reading = _results(libpq, len(commands), size_bytes_max)
        given = await wait_async(reading, libpq.socket, _POLL_SECONDS)
        libpq.exit_pipeline_mode()
    except Error as problem:
        libpq.finish()
        raise ConnectionLost(_shown(problem)) from None
    except BaseException:
        # Also where the call was cancelled: the server undoes what nobody committed.
        libpq.finish()
        raise
    match given:
        case Refused():
            raise given
        case _:
            return given


def _results(
    libpq: pq.abc.PGconn, count: int, size_bytes_max: int
) -> Generator[Wait, Ready | int, list[Given] | Refused]:
    """Send what is queued, and read everything up to the end of the pipeline."""
    while libpq.flush():
        ready = yield Wait.RW
        if ready & Ready.R:
            libpq.consume_input()
    found: list[Given] = []
    refusal: Refused | None = None
    left = size_bytes_max
    for _ in range(count):
        given = Given()
        if refusal is None:
            _in_parts(libpq)
        while (result := (yield from _result(libpq))) is not None:
            said = {} if result.status in _PARTS else _said(result)
            if said:
                refusal = refusal or Refused(said)
            elif result.status in (*_PARTS, *_DONE):
                left -= _take(given, result)
                if left < 0:
                    raise TooLarge
            elif result.status != _Status.PIPELINE_ABORTED:
                raise ConnectionLost((result.error_message or b"no answer").decode())
        found.append(given)
    yield from _result(libpq)  # the end of the pipeline
    return refusal or found


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
    """Add what a result holds; how many bytes that is."""
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


def _said(result: pq.abc.PGresult) -> dict[str, str]:
    """What the server says of an error; nothing where there is none."""
    return {
        name: str(text, "utf-8", "replace")
        for name, number in FIELDS.items()
        if (text := result.error_field(number)) is not None
    }


def _shown(problem: Exception) -> str:
    return str(problem).strip() or type(problem).__name__
