"""A database over Neon's HTTP protocol: one request is one transaction.

The protocol is what `@neondatabase/serverless` and Neon's proxy speak. A batch travels whole, and
nothing can be asked in between; its answers are asked for as text, which is read here.
https://github.com/neondatabase/neon/blob/main/proxy/src/serverless/sql_over_http.rs
"""

import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self, cast

from core_caps.capabilities.sql import Isolation
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, Outcome, Unauthenticated
from core_caps.http.exchange import Call, Exchange, Service
from core_caps.http.failures import BY_STATUS, Failures, Malformed, Refusal, failed
from core_caps.http.json_bodies import read_json, written_json

from cap_postgres_neon import errors
from cap_postgres_neon.config import LocalConfig, RemoteConfig
from cap_postgres_neon.database import Answer, Mode, Refused, forms, with_table
from cap_postgres_neon.statements import Command
from cap_postgres_neon.tables import Table

__all__ = ["NeonDatabase"]

PATH = "/sql"

SHOWN_CHARACTERS_MAX = 300
"""How much of what others say stands in an error."""

_ISOLATIONS: Mapping[Isolation, str] = MappingProxyType(
    {
        "read_committed": "ReadCommitted",
        "repeatable_read": "RepeatableRead",
        "serializable": "Serializable",
    }
)

_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_TOO_LARGE = 507

_TOLD = ("code", "severity", "constraint")
"""What an error of the database's is told by, beside its message."""

_UNAUTHENTICATED = re.compile(r"password authentication failed|role .* does not exist")

_JSON_FACTOR = 2
_JSON_BYTES = 1 << 20
"""An answer is longer than its values by what describes and escapes them."""


class NeonDatabase:
    """One client of a database.

    Args:
        config: where the HTTP is spoken, and of which database.
        clock: for what a Retry-After date means.
    """

    def __init__(self, config: RemoteConfig | LocalConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._forms = _query(forms(config.timeout_seconds))
        self._exchange: Exchange | None = None

    async def __aenter__(self) -> Self:
        self._exchange = Exchange(_service(self._config), self._clock)
        return self

    async def __aexit__(self, *exc: object) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.close()

    async def run(
        self,
        operation: str,
        commands: Sequence[Command],
        *,
        mode: Mode,
        isolation: Isolation | None = None,
        table: Table | None = None,
    ) -> Sequence[Answer]:
        """Run the commands in one transaction, all or none; see `Database.run`."""
        if self._exchange is None:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        exchange, writes = self._exchange, mode == "writes"
        headers = {"Neon-Batch-Read-Only": "false" if writes else "true"}
        if isolation is not None:
            headers["Neon-Batch-Isolation-Level"] = _ISOLATIONS[isolation]
        running = with_table(
            table, commands, lambda given: self._sent(exchange, operation, given, writes, headers)
        )
        return await exchange.in_time(operation, running, writes=writes)

    async def _sent(
        self,
        exchange: Exchange,
        operation: str,
        commands: Sequence[Command],
        writes: bool,
        headers: Mapping[str, str],
    ) -> Sequence[Answer]:
        """The answers to one request."""
        size_bytes_max = self._config.answer_size_bytes_max
        call = Call(
            operation,
            "POST",
            PATH,
            writes,
            lambda body, kind: _answers(body, kind, len(commands) + 1),
            _JSON_FACTOR * size_bytes_max + _JSON_BYTES,
            body=written_json({"queries": [self._forms, *map(_query, commands)]}),
            headers=headers,
        )
        refusals: list[tuple[int, Refusal]] = []

        def accepts(status: int, refusal: Refusal) -> bool:
            refusals.append((status, refusal))
            return status in (400, _TOO_LARGE)

        answers = await exchange.send(call, accepts)
        if answers is not None:
            return answers[1:]
        status, refusal = refusals[-1]
        if status == _TOO_LARGE:
            raise errors.too_large(operation, size_bytes_max, status=status)
        raise self._refused(operation, refusal, writes=writes)

    def _refused(self, operation: str, refusal: Refusal, *, writes: bool) -> Exception:
        """What a status 400 means: with an SQLSTATE it comes from the database."""
        shown = refusal.detail
        for secret in (self._config.connection_string, *self._config.secrets):
            shown = shown.replace(secret.reveal(), "…")
        shown = shown[:SHOWN_CHARACTERS_MAX]
        if refusal.codes:
            said = dict(zip(_TOLD, map(str, refusal.codes), strict=True))
            # One request holds the commit, too, and nobody says what it was that was refused.
            return Refused({**said, "message": shown}, status=400, committing=writes)
        if _UNAUTHENTICATED.search(shown):
            return Unauthenticated(
                f"{operation} was refused: {shown}",
                hint="check the setting user and the secret password",
                outcome=Outcome.NOT_APPLIED,
                status=400,
            )
        return errors.unanswered(operation, shown, outcome=failed(writes), status=400)


def _service(config: RemoteConfig | LocalConfig) -> Service:
    connection_string = config.connection_string
    return Service(
        distribution="cap-postgres-neon",
        url=config.endpoint,
        failures=_FAILURES,
        headers={
            "Neon-Connection-String": connection_string.reveal(),
            "Neon-Raw-Text-Output": "true",
            "Neon-Array-Mode": "true",
        },
        secrets=(connection_string, *config.secrets),
        timeout_seconds=config.timeout_seconds,
        connect_timeout_seconds=config.connect_timeout_seconds,
        transport=config.transport,
    )


def _refusal(body: bytes, content_type: str) -> Refusal:
    """What an error answer says: the SQLSTATE and what goes with it, where it has one."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return Refusal((), "")
    if not isinstance(said, dict):
        return Refusal((), "")
    fields = cast("dict[str, Any]", said)
    text = {name: value for name, value in fields.items() if isinstance(value, str)}
    codes = tuple(text.get(name, "") for name in _TOLD) if text.get("code") else ()
    return Refusal(codes, text.get("message", ""))


_FAILURES = Failures(_refusal, hints=errors.HINTS, by_status=BY_STATUS, by_code={})


def _query(command: Command) -> Mapping[str, object]:
    return {"query": command.text, "params": command.params}


def _answers(body: bytes, content_type: str, count: int) -> list[Answer]:
    """The answers to the queries of a batch.

    Raises:
        Malformed: it is not what the protocol has.
    """
    answers = [_answer(each) for each in _list(read_json(body, content_type), "results")]
    if len(answers) != count:
        raise Malformed(f"it answers {len(answers)} of {count} queries")
    return answers


def _answer(result: object) -> Answer:
    described = [_field(each) for each in _list(result, "fields")]
    rows, told = _list(result, "rows"), cast("dict[str, object]", result)
    command, count = told.get("command"), told.get("rowCount")
    if not all(_is_row(row, len(described)) for row in rows):
        raise Malformed("a row is not one text for each field")
    if not isinstance(command, str):
        raise Malformed("a result has no command")
    affected = 0
    if command in _CHANGES:
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise Malformed(f"it does not tell how many rows {command} changed")
        affected = count
    return Answer(
        tuple(name for name, _ in described),
        tuple(type_id for _, type_id in described),
        cast("list[list[str | None]]", rows),
        affected,
    )


def _list(within: object, name: str) -> list[object]:
    found = cast("dict[str, object]", within).get(name) if isinstance(within, dict) else None
    if not isinstance(found, list):
        raise Malformed(f"it has no {name}")
    return cast("list[object]", found)


def _field(field: object) -> tuple[str, int]:
    match field:
        case {"name": str() as name, "dataTypeID": int() as type_id}:
            return name, type_id
        case _:
            raise Malformed("a field has no name or type")


def _is_row(row: object, length: int) -> bool:
    if not isinstance(row, list):
        return False
    values = cast("list[object]", row)
    return len(values) == length and all(value is None or type(value) is str for value in values)
