"""A database of a reference's own, on a real PostgreSQL, with the case's clock."""

import itertools
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from flows_registry.lab.references.neon_http.results import Given, Refused

__all__ = ["Database", "ticked"]

_numbers = itertools.count()

TICK_SECONDS = 4.0
"""The clock goes in steps: a network that takes its time moves no time stamp of the service, and
nothing that a plugin did is seen in one."""

_CLOCKS = ("now", "clock_timestamp", "statement_timestamp", "transaction_timestamp")
"""Functions that are found in schema `lab` before PostgreSQL's own."""

_CLOCK = """CREATE FUNCTION lab.{}() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT to_timestamp(current_setting('lab.now')::float8) $$"""

_STATE = """CREATE FUNCTION lab.state() RETURNS text LANGUAGE plpgsql AS $$
DECLARE found jsonb := '{}'; name text; rows jsonb;
BEGIN
    FOR name IN SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(held) ORDER BY to_jsonb(held)::text),
            ''[]'') FROM public.%I AS held', name) INTO rows;
        found := found || jsonb_build_object(name, rows);
    END LOOP;
    RETURN jsonb_build_object('tables', found,
        'columns', (SELECT coalesce(jsonb_agg(format('%s.%s %s', attrelid::regclass, attname,
                format_type(atttypid, atttypmod)) ORDER BY attrelid::regclass::text, attnum), '[]')
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped),
        'sequences', (SELECT coalesce(jsonb_agg(format('%s %s', sequencename, last_value)
            ORDER BY sequencename), '[]') FROM pg_sequences WHERE schemaname = 'public'),
        'functions', (SELECT coalesce(jsonb_agg(proname ORDER BY proname), '[]')
            FROM pg_proc WHERE pronamespace = 'public'::regnamespace))::text;
END $$"""

FIELDS: Mapping[str, int] = {
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
"""What PostgreSQL says of an error, under the names of Neon's answers."""


class Database:
    """One database and one connection to it, both made when they are first needed.

    Args:
        url: a server that lets us create databases.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._name = f"lab_{os.getpid()}_{next(_numbers)}_{os.urandom(4).hex()}"
        self._made: psycopg.Connection[Any] | None = None
        self._is_empty = True

    def run(self, commands: Sequence[tuple[str, Sequence[str | None]]], now: float) -> list[Given]:
        """What each command gave; of a transaction that fails nothing stays.

        Raises:
            Refused: one of them is.
        """
        self._is_empty = False
        connection = self._connection()
        connection.execute("SELECT set_config('lab.now', %s, false)", (ticked(now),))
        try:
            return [_given(connection, text, params) for text, params in commands]
        finally:
            if connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
            connection.execute("DISCARD ALL")

    def state(self) -> Mapping[str, Any]:
        """Everything that was made in it, and all rows."""
        if self._is_empty:
            return {}
        row = self._connection().execute("SELECT lab.state()").fetchone()
        assert row is not None
        found: dict[str, Any] = json.loads(row[0])
        return found if any(found.values()) else {}

    def reset(self) -> None:
        """Back to an empty database."""
        if not self._is_empty:
            self._connection().execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            self._is_empty = True

    @property
    def url(self) -> str:
        """How others reach it; it is made now, where it was not."""
        self._connection()
        return make_conninfo(self._url, dbname=self._name)

    def touch(self) -> None:
        """Others may change it from now on, until it is reset."""
        self._is_empty = False

    def close(self) -> None:
        """Let go of the connection."""
        if self._made is not None:
            self._made.close()

    def _connection(self) -> psycopg.Connection[Any]:
        if self._made is None:
            self._made = self._opened()
        return self._made

    def _opened(self) -> psycopg.Connection[Any]:
        name = self._name
        with psycopg.connect(self._url, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            admin.execute(
                sql.SQL("ALTER DATABASE {} SET search_path = public, lab, pg_catalog").format(
                    sql.Identifier(name)
                )
            )
        connection = psycopg.connect(
            make_conninfo(self._url, dbname=name, client_encoding="UTF8"),
            autocommit=True,
            prepare_threshold=None,
        )
        connection.execute("CREATE SCHEMA lab")
        for clock in _CLOCKS:
            connection.execute(sql.SQL(_CLOCK).format(sql.Identifier(clock)))
        connection.execute(_STATE)
        return connection


def ticked(now: float) -> str:
    """The time that the database's clock shows."""
    return repr(now - now % TICK_SECONDS)


def _given(connection: psycopg.Connection[Any], text: str, params: Sequence[str | None]) -> Given:
    values = [None if value is None else value.encode() for value in params]
    result = connection.pgconn.exec_params(text.encode(), values)
    if result.status == pq.ExecStatus.FATAL_ERROR:
        raise Refused({name: _text(result.error_field(number)) for name, number in FIELDS.items()})
    numbers = range(result.nfields)
    rows = [
        [_text(result.get_value(row, number)) for number in numbers]
        for row in range(result.ntuples)
    ]
    fields = [_field(result, number) for number in numbers]
    return Given(fields, rows, _text(result.command_status) or "")


def _field(result: pq.abc.PGresult, number: int) -> Mapping[str, Any]:
    return {
        "name": _text(result.fname(number)),
        "dataTypeID": result.ftype(number),
        "tableID": result.ftable(number),
        "columnID": result.ftablecol(number),
        "dataTypeSize": result.fsize(number),
        "dataTypeModifier": result.fmod(number),
        "format": "text",
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
