"""A faithful database passes against the real simulator; drifted twins are refused."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from core_caps.capabilities.sql import Rows, SqlValue, Statement
from core_caps.contract.sql import CONTRACT
from core_caps.errors import Conflict, InvalidArgument
from core_caps.sqlite.commands import command
from core_caps.sqlite.reads import need_read
from flows_registry.checks.parity import Effort, parity
from flows_registry.lab.references.cloudflare_d1.database import Database, SqlRefused
from flows_registry.lab.simulators.sides import ParitySubject, Run
from flows_registry.verdict import Verdict

pytestmark = pytest.mark.feature("DC-04", "CW-01")

LITTLE = Effort(histories=4, length=10, shrink_seconds=2.0)
READS = frozenset({"count", "length", "pragma_table_info", "typeof", "zeroblob"})
KEYS = ("CREATE TABLE IF NOT EXISTS _keys (key TEXT PRIMARY KEY)", [])
Running = Callable[..., Run]


class Faithful:
    """The lab's own D1, without the wire in between."""

    parameters_max = 100

    def __init__(self) -> None:
        self.database = Database()

    async def query(self, statement: str, params: Sequence[SqlValue] = ()) -> Rows:
        return self.run([self.read(statement, params)])[0]

    async def query_batch(
        self, statements: Sequence[Statement], *, isolation: str | None = None
    ) -> Sequence[Rows]:
        return self.run([self.read(each.text, each.params) for each in statements])

    async def execute(
        self, statement: str, params: Sequence[SqlValue] = (), *, key: str = ""
    ) -> Rows:
        return (await self.batch([Statement(statement, params)], key=key))[0]

    async def batch(
        self, statements: Sequence[Statement], *, isolation: str | None = None, key: str = ""
    ) -> Sequence[Rows]:
        sent = [self.sent(each.text, each.params) for each in statements]
        first = [KEYS, ("INSERT INTO _keys VALUES (?1)", [key])] if key else []
        try:
            return self.run([*first, *sent])[len(first) :]
        except Conflict as error:
            if "_keys.key" in error.message:
                return [Rows(repeated=True) for _ in statements]
            raise

    def read(self, text: str, params: Sequence[SqlValue]) -> tuple[str, list[Any]]:
        need_read(command(text, params, parameters_max=self.parameters_max), READS)
        return self.sent(text, params)

    def sent(self, text: str, params: Sequence[SqlValue]) -> tuple[str, list[Any]]:
        given = command(text, params, parameters_max=self.parameters_max, integer_max=2**53 - 1)
        return given.written("?{}".format), list(given.values)

    def run(self, batch: Sequence[tuple[str, Sequence[Any]]]) -> list[Rows]:
        try:
            found = self.database.run(batch)
        except SqlRefused as problem:
            kind = Conflict if "SQLITE_CONSTRAINT" in str(problem) else InvalidArgument
            raise kind(str(problem)) from None
        return [self.rows(each) for each in found]

    def rows(self, result: dict[str, Any]) -> Rows:
        columns, rows = result["results"]["columns"], result["results"]["rows"]
        values = tuple(tuple(map(self.value, row)) for row in rows)
        return Rows(tuple(columns), values, self.affected(result))

    def value(self, value: Any) -> SqlValue:
        if isinstance(value, list):
            return bytes(value)
        return float(value) if isinstance(value, int) and abs(value) >= 2**53 else value

    def affected(self, result: dict[str, Any]) -> int:
        return result["meta"]["changes"]


class TextForBytes(Faithful):
    def value(self, value: Any) -> SqlValue:
        found = super().value(value)
        return found.decode("latin-1") if isinstance(found, bytes) else found


class CountsRows(Faithful):
    def affected(self, result: dict[str, Any]) -> int:
        return len(result["results"]["rows"])


class ManyParameters(Faithful):
    parameters_max = 1000

    def __init__(self) -> None:
        super().__init__()
        self.database._connection.setlimit(9, 1000)  # pyright: ignore[reportPrivateUsage]


class OneByOne(Faithful):
    def run(self, batch: Sequence[tuple[str, Sequence[Any]]]) -> list[Rows]:
        return [super(OneByOne, self).run([each])[0] for each in batch]


class ForgetsKeys(Faithful):
    async def batch(
        self, statements: Sequence[Statement], *, isolation: str | None = None, key: str = ""
    ) -> Sequence[Rows]:
        return await super().batch(statements)


class WritesThroughQuery(Faithful):
    def read(self, text: str, params: Sequence[SqlValue]) -> tuple[str, list[Any]]:
        return self.sent(text, params)


TWINS = {
    TextForBytes: "query",
    CountsRows: "execute",
    ManyParameters: "query",
    OneByOne: "query",
    ForgetsKeys: "execute",
    WritesThroughQuery: "query",
}


def subject(run: Run) -> ParitySubject:
    operations = frozenset(CONTRACT.spec.operations)
    return ParitySubject(CONTRACT, operations, run, remotes={"remote": "cloudflare-d1"})


def test_a_faithful_mock_and_remote_pass(simulator: str, running: Running) -> None:
    run = running(mock=lambda _: Faithful(), remote=lambda _: Faithful())
    results = parity(subject(run), effort=Effort(seed=7))

    assert [(result.backend, result.verdict) for result in results] == [
        ("mock", Verdict.PASSED),
        ("remote", Verdict.PASSED),
    ], [result.findings for result in results]
    for result in results:
        assert result.facts["simulator"] == simulator
        assert set(result.facts["steps_by_operation"]) == set(CONTRACT.spec.operations)
        assert result.facts["divergences_met"] == {}


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_a_drifted_mock_is_refused(twin: type[Faithful], simulator: str, running: Running) -> None:
    run = running(mock=lambda _: twin(), remote=lambda _: Faithful())
    mock, remote = parity(subject(run), effort=LITTLE)

    assert mock.verdict is Verdict.REFUSED
    assert remote.verdict is Verdict.PASSED, remote.findings
    assert {finding.code for finding in mock.findings} == {"PARITY001"}
    named: list[Any] = [each for each in mock.findings if f" in {TWINS[twin]} " in each.message]
    assert named, [finding.message for finding in mock.findings]
