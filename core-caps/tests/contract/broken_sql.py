"""A sound provider of Sql on SQLite in memory, and providers with one defect each.

A suite is worth what it catches: every class below the first differs from it in one subtle way,
and `test_sql.py` names the case that must notice.
"""

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from core_caps.capabilities.sql import Rows, Statement
from core_caps.clock import VirtualClock
from core_caps.errors import ClientClosed, Conflict, InvalidArgument, ProviderError

TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?\*/)|(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")"""
    r"""|(?P<word>\w[\w$]*)|\$(?P<place>[1-9]\d*)\b|(?P<foreign>\?\d*|[$:@]\w+)|(?P<end>;)|."""
)
READS = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
NEVER = {
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_SAVEPOINT,
    sqlite3.SQLITE_ATTACH,
    sqlite3.SQLITE_PRAGMA,
}
ISOLATIONS = (None, "read_committed", "repeatable_read", "serializable")
Bound = tuple[str, Any]


def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE used (key TEXT PRIMARY KEY)")
    return connection


@dataclass
class Service:
    """What the clients of one test share."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    connection: sqlite3.Connection = field(default_factory=database)
    shut: bool = False


def refuse(condition: object, problem: str) -> None:
    if condition:
        raise InvalidArgument(problem)


def refusal(error: Exception) -> ProviderError:
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(str(error))
    return InvalidArgument(str(error))


class SoundSql:
    """Keeps every promise of sql/1, and is linearizable."""

    refusal = staticmethod(refusal)
    reads, never = READS, NEVER

    def __init__(self, service: Service) -> None:
        self.service, self.open = service, False
        self.connection = service.connection

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open = False

    async def query(self, statement: str, params: Sequence[Any] = ()) -> Rows:
        return (await self.query_batch([Statement(statement, params)]))[0]

    async def query_batch(
        self, statements: Sequence[Statement], *, isolation: Any = None
    ) -> Sequence[Rows]:
        await self._begin(isolation)
        given = self._all(statements)
        return [self._read(each) for each in given]

    async def execute(self, statement: str, params: Sequence[Any] = (), *, key: str = "") -> Rows:
        await self._begin()
        return (await self._apply([self._bound(statement, params)], self._key(key)))[0]

    async def batch(
        self, statements: Sequence[Statement], *, isolation: Any = None, key: str = ""
    ) -> Sequence[Rows]:
        await self._begin(isolation)
        return await self._apply(self._all(statements), self._key(key))

    async def _begin(self, isolation: Any = None) -> None:
        if not self.open:
            raise ClientClosed("closed")
        self._check_isolation(isolation)
        await asyncio.sleep(0)

    def _check_isolation(self, isolation: Any) -> None:
        refuse(isolation not in ISOLATIONS, "no such isolation")

    def _key(self, key: Any) -> str:
        refuse(not isinstance(key, str), "no key")
        refuse("\ud800" in key, "no UTF-8")
        return key

    def _all(self, statements: Any) -> list[Bound]:
        refuse(not isinstance(statements, list | tuple), "no statements")
        refuse(not all(isinstance(each, Statement) for each in statements), "no statement")
        return [self._bound(each.text, each.params) for each in statements]

    def _bound(self, text: Any, params: Any) -> Bound:
        refuse(not isinstance(text, str), "no text")
        refuse(not isinstance(params, list | tuple), "no parameters")
        text, places = self._translated(text)
        self._check_count(places, len(params))
        values = [self._value(value) for value in params]
        return text, {str(number): value for number, value in enumerate(values, 1)}

    def _translated(self, text: str) -> tuple[str, set[int]]:
        parts: list[str] = []
        places: set[int] = set()
        says = ended = False
        for token in TOKEN.finditer(text):
            refuse(token["foreign"], "a placeholder of another kind")
            ended = ended or bool(token["end"])
            word = not (token["blank"] or token["end"])
            says = says or word
            refuse(ended and word, "several commands")
            if token["place"]:
                places.add(int(token["place"]))
            parts.append(f"?{token['place']}" if token["place"] else token.group())
        refuse(not says, "no command")
        return "".join(parts), places

    def _check_count(self, places: set[int], given: int) -> None:
        refuse(places != set(range(1, given + 1)), "another number of parameters")

    def _value(self, value: Any) -> Any:
        match value:
            case None | bytes() | bool():
                return value
            case int():
                refuse(not -(2**63) <= value < 2**63, "more than 64 bits")
                return value
            case float():
                refuse(value != value, "no number")
                return value
            case str():
                refuse("\0" in value or "\ud800" in value, "no text of a database")
                return value
            case _:
                raise InvalidArgument("no such type")

    def _read(self, bound: Bound) -> Rows:
        self.connection.execute("PRAGMA query_only = ON")
        try:
            return self._run(bound, lambda action: action in self.reads)
        finally:
            self.connection.execute("PRAGMA query_only = OFF")

    async def _apply(self, statements: Sequence[Bound], key: str) -> Sequence[Rows]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            if key and not self._use(key):
                rows = [Rows(repeated=True) for _ in statements]
            else:
                rows = [self._write(each) for each in statements]
            if self.connection.in_transaction:
                self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        return rows

    def _use(self, key: str) -> bool:
        statement = "INSERT INTO used VALUES (?) ON CONFLICT DO NOTHING RETURNING 1"
        return self.connection.execute(statement, (key,)).fetchone() is not None

    def _write(self, bound: Bound) -> Rows:
        return self._run(bound, lambda action: action not in self.never)

    def _run(self, bound: Bound, allows: Any) -> Rows:
        connection, before = self.connection, self.connection.total_changes
        connection.set_authorizer(lambda action, *_: 0 if allows(action) else sqlite3.SQLITE_DENY)
        try:
            cursor = connection.execute(*bound)
            rows = tuple(cursor.fetchall())
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self.refusal(error) from error
        finally:
            connection.set_authorizer(None)
        columns = tuple(column[0] for column in cursor.description or ())
        changed = connection.total_changes != before
        affected = connection.execute("SELECT changes()").fetchone()[0] if changed else 0
        return self._shown(Rows(columns, rows, affected))

    def _shown(self, rows: Rows) -> Rows:
        return rows


class PutsParametersIntoText(SoundSql):
    def _bound(self, text: Any, params: Any) -> Bound:
        text, _ = super()._bound(text, params)
        for number in range(len(params), 0, -1):
            value = params[number - 1]
            shown = "NULL" if value is None else f"'{value}'"
            text = text.replace(f"?{number}", shown if isinstance(value, str) else str(value))
        return text, ()


class CountsPlaces(SoundSql):
    def _bound(self, text: Any, params: Any) -> Bound:
        text, values = super()._bound(text, params)
        taken = re.findall(r"\?(\d+)", text)
        ordered = [*values.values(), *[None] * len(taken)][: len(taken)]
        return re.sub(r"\?\d+", "?", text), ordered


class ReadsOneDigit(SoundSql):
    def _bound(self, text: Any, params: Any) -> Bound:
        text, values = super()._bound(text, params)
        return re.sub(r"\?(\d)\d+", r"?\1", text), dict(list(values.items())[:9])


class LooksInsideStrings(SoundSql):
    def _translated(self, text: str) -> tuple[str, set[int]]:
        _, places = super()._translated(text)
        found = {int(number) for number in re.findall(r"\$(\d+)", text)}
        return re.sub(r"\$(\d+)", r"?\1", text), places | found


class IgnoresWhatIsTooMuch(SoundSql):
    def _check_count(self, places: set[int], given: int) -> None:
        refuse(len(places) > given, "too few")

    def _bound(self, text: Any, params: Any) -> Bound:
        text, values = super()._bound(text, params)
        return text, values


class MissingIsNull(SoundSql):
    def _bound(self, text: Any, params: Any) -> Bound:
        _, places = super()._translated(text)
        return super()._bound(text, [*params, *[None] * (len(places) - len(params))])


class TakesQuestionMarks(SoundSql):
    def _bound(self, text: Any, params: Any) -> Bound:
        if "?" in text:
            return text, params
        return super()._bound(text, params)


class RunsTheFirstCommand(SoundSql):
    def _translated(self, text: str) -> tuple[str, set[int]]:
        return super()._translated(text.partition(";")[0])


class TakesNothing(SoundSql):
    def _bound(self, text: Any, params: Any) -> Bound:
        try:
            return super()._bound(text, params)
        except InvalidArgument as error:
            if error.message == "no command":
                return "SELECT 1 WHERE 0", ()
            raise


class LetsCommit(SoundSql):
    never = NEVER - {sqlite3.SQLITE_TRANSACTION}


class UnknownTableIsEmpty(SoundSql):
    def _read(self, bound: Bound) -> Rows:
        try:
            return super()._read(bound)
        except InvalidArgument as error:
            if "no such table" in error.message:
                return Rows()
            raise


class ReadsByTheFirstWord(SoundSql):
    def _read(self, bound: Bound) -> Rows:
        refuse(not re.match(r"\s*(SELECT|WITH|--|/\*)", bound[0]), "no read")
        return self._write(bound)


class TakesBackWhatAReadWrote(SoundSql):
    def _read(self, bound: Bound) -> Rows:
        self.connection.execute("BEGIN")
        try:
            return self._write(bound)
        finally:
            self.connection.execute("ROLLBACK")


class ReadsPragmas(SoundSql):
    reads = READS | {sqlite3.SQLITE_PRAGMA}


class RefusesWordsOfWrites(SoundSql):
    def _read(self, bound: Bound) -> Rows:
        refuse(re.search(r"\b(INSERT|UPDATE|DELETE|DROP)\b", bound[0], re.IGNORECASE), "a write")
        return super()._read(bound)


class ReadsOneByOne(SoundSql):
    async def query_batch(
        self, statements: Sequence[Statement], *, isolation: Any = None
    ) -> Sequence[Rows]:
        await self._begin(isolation)
        rows: list[Rows] = []
        for each in self._all(statements):
            rows.append(self._read(each))
            await asyncio.sleep(0)
        return rows


class WritesOneByOne(SoundSql):
    async def _apply(self, statements: Sequence[Bound], key: str) -> Sequence[Rows]:
        rows: list[Rows] = []
        for each in statements:
            rows += await super()._apply([each], key)
            key = ""
        return rows


class CommitsAfterTables(SoundSql):
    def _write(self, bound: Bound) -> Rows:
        rows = super()._write(bound)
        if bound[0].startswith("CREATE TABLE"):
            self.connection.execute("COMMIT")
            self.connection.execute("BEGIN IMMEDIATE")
        return rows


class EmptyBatchFails(SoundSql):
    def _all(self, statements: Any) -> list[Bound]:
        refuse(not statements, "nothing to do")
        return super()._all(statements)


class OnlySerializable(SoundSql):
    def _check_isolation(self, isolation: Any) -> None:
        refuse(isolation not in (None, "serializable"), "no such isolation")


class AnyIsolation(SoundSql):
    def _check_isolation(self, isolation: Any) -> None:
        pass


class ConflictIsAnArgument(SoundSql):
    refusal = staticmethod(lambda error: InvalidArgument(str(error)))


class MindsNoReferences(SoundSql):
    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.connection.execute("PRAGMA foreign_keys = OFF")


class CountsConflictsAsRows(SoundSql):
    def _shown(self, rows: Rows) -> Rows:
        return Rows(rows.columns, rows.rows, max(rows.affected, 1))


class RoundsIntegers(SoundSql):
    def _value(self, value: Any) -> Any:
        rounds = isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**50
        return int(float(value)) - (value == 2**63 - 1) if rounds else super()._value(value)


class WrapsIntegers(SoundSql):
    def _value(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return (value + 2**63) % 2**64 - 2**63
        return super()._value(value)


class ShortensFloats(SoundSql):
    def _value(self, value: Any) -> Any:
        value = super()._value(value)
        return float(f"{value:.15g}") if isinstance(value, float) else value


class WholeFloatsAreIntegers(SoundSql):
    def _shown(self, rows: Rows) -> Rows:
        whole = tuple(
            tuple(int(v) if isinstance(v, float) and v.is_integer() else v for v in row)
            for row in rows.rows
        )
        return Rows(rows.columns, whole, rows.affected)


class EmptyTextIsNull(SoundSql):
    def _value(self, value: Any) -> Any:
        return None if value == "" else super()._value(value)


class CutsAtNul(SoundSql):
    def _value(self, value: Any) -> Any:
        return super()._value(value.partition("\0")[0] if isinstance(value, str) else value)


class BytesAreText(SoundSql):
    def _shown(self, rows: Rows) -> Rows:
        text = tuple(
            tuple(v.decode("latin-1") if isinstance(v, bytes) else v for v in row)
            for row in rows.rows
        )
        return Rows(rows.columns, text, rows.affected)


class BoolsAreText(SoundSql):
    def _value(self, value: Any) -> Any:
        return str(value).lower() if isinstance(value, bool) else super()._value(value)


class OthersAreText(SoundSql):
    def _value(self, value: Any) -> Any:
        try:
            return super()._value(value)
        except InvalidArgument:
            if type(value).__module__ in ("decimal", "datetime", "uuid"):
                return str(value)
            raise


class AnythingIsText(SoundSql):
    def _value(self, value: Any) -> Any:
        try:
            return super()._value(value)
        except InvalidArgument as error:
            if error.message == "no such type":
                return repr(value)
            raise


class ForgetsKeys(SoundSql):
    def _use(self, key: str) -> bool:
        return True


class RepeatsQuietly(SoundSql):
    async def _apply(self, statements: Sequence[Bound], key: str) -> Sequence[Rows]:
        rows = await super()._apply(statements, key)
        return [Rows(each.columns, each.rows, each.affected) for each in rows]


class NoKeyIsAKey(SoundSql):
    async def _apply(self, statements: Sequence[Bound], key: str) -> Sequence[Rows]:
        return await super()._apply(statements, key or "none")


class FoldsKeys(SoundSql):
    def _use(self, key: str) -> bool:
        return super()._use(key.lower())


class KeyBeforeStatement(SoundSql):
    async def _apply(self, statements: Sequence[Bound], key: str) -> Sequence[Rows]:
        if key and not self._use(key):
            return [Rows(repeated=True) for _ in statements]
        return await super()._apply(statements, "")


class KeyIsForOneStatement(SoundSql):
    async def _apply(self, statements: Sequence[Bound], key: str) -> Sequence[Rows]:
        first = await super()._apply(statements[:1], key)
        return [*first, *await super()._apply(statements[1:], "")]


class LooksThenWrites(SoundSql):
    async def _apply(self, statements: Sequence[Bound], key: str) -> Sequence[Rows]:
        found = self.connection.execute("SELECT 1 FROM used WHERE key = ?", (key,)).fetchone()
        if found:
            return [Rows(repeated=True) for _ in statements]
        await asyncio.sleep(0)
        rows = await super()._apply(statements, "")
        if key:
            self._use(key)
        return rows


class KeysOfItsOwn(SoundSql):
    def _use(self, key: str) -> bool:
        return super()._use(f"{id(self)} {key}")


class TakesAnyKey(SoundSql):
    def _key(self, key: Any) -> str:
        return str(key).replace("\ud800", "?")


class ColumnsByName(SoundSql):
    def _shown(self, rows: Rows) -> Rows:
        dicts = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
        columns = tuple(dict.fromkeys(rows.columns))
        return Rows(columns, tuple(tuple(row.values()) for row in dicts), rows.affected)


class NoRowsNoColumns(SoundSql):
    def _shown(self, rows: Rows) -> Rows:
        return rows if rows.rows else Rows((), (), rows.affected)


class CountsRowsReturned(SoundSql):
    def _shown(self, rows: Rows) -> Rows:
        return Rows(rows.columns, rows.rows, rows.affected or len(rows.rows))


class DropsWhatIsReturned(SoundSql):
    def _write(self, bound: Bound) -> Rows:
        return Rows(affected=super()._write(bound).affected)


class StopsAtAThousand(SoundSql):
    def _shown(self, rows: Rows) -> Rows:
        return Rows(rows.columns, rows.rows[:1000], rows.affected)


class MixesConcurrentAnswers(SoundSql):
    last: Rows = Rows()

    async def query(self, statement: str, params: Sequence[Any] = ()) -> Rows:
        self.last = await super().query(statement, params)
        await asyncio.sleep(0)
        return self.last


class OpenAfterClose(SoundSql):
    async def __aexit__(self, *exc: object) -> None:
        pass


class ClosesForAll(SoundSql):
    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        self.service.shut = True

    async def _begin(self, isolation: Any = None) -> None:
        self.open = self.open and not self.service.shut
        await super()._begin(isolation)


class DatabaseOfItsOwn(SoundSql):
    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.connection = database()


class ForgetsWithItsClient(SoundSql):
    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        for (table,) in self.connection.execute(
            "SELECT name FROM sqlite_schema WHERE name LIKE 't_%'"
        ).fetchall():
            self.connection.execute(f"DELETE FROM {table}")


class TripsOverTypes(SoundSql):
    def _all(self, statements: Any) -> list[Bound]:
        return [self._bound(each.text, each.params) for each in statements]
