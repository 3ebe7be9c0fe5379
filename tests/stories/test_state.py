"""The state of a run lies outside whoever works on it, who keeps nothing."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from core_caps import connect
from core_caps.capabilities.durable_object import DurableObject
from core_caps.capabilities.object_stub import DurableObjectContext
from core_caps.capabilities.sql import Sql, SqlValue, Statement
from core_caps.errors import Conflict, Outcome

from .worker import BEATEN, GONE
from .world import (
    SQL,
    Backend,
    World,
    names,
)

WORKER = Path(__file__).with_name("worker.py")

UPSERT_CRITERIA = (
    "INSERT INTO search_criteria (id, zip, radius, updated) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (zip, radius) DO UPDATE SET updated = excluded.updated RETURNING id"
)
UPSERT_PREFERENCE = (
    "INSERT INTO user_search_preferences (id, email, criteria) VALUES ($1, $2, $3) "
    "ON CONFLICT (email, criteria) DO UPDATE SET email = excluded.email RETURNING id"
)


async def _id(sql: Sql, statement: str, *parameters: SqlValue) -> str:
    row = (await sql.execute(statement, parameters)).one()
    assert row is not None
    return str(row["id"])


@pytest.mark.feature("MW-04", "MW-06")
@pytest.mark.parametrize("kept_in", **names(SQL))
async def test_an_upsert_gives_the_same_id_each_time(world: World, kept_in: Backend) -> None:
    """The id that the payment's metadata will name is the first one, however often it is asked."""
    sql: Sql = await world.open(Sql, kept_in)
    await sql.batch(
        [
            Statement(
                "CREATE TABLE search_criteria (id TEXT PRIMARY KEY, zip TEXT NOT NULL, "
                "radius INTEGER NOT NULL, updated INTEGER NOT NULL, UNIQUE (zip, radius))"
            ),
            Statement(
                "CREATE TABLE user_search_preferences (id TEXT PRIMARY KEY, email TEXT NOT NULL, "
                "criteria TEXT NOT NULL REFERENCES search_criteria (id), UNIQUE (email, criteria))"
            ),
        ]
    )
    first = await _id(sql, UPSERT_CRITERIA, "c-1", "94103", 25, 1)
    assert await _id(sql, UPSERT_CRITERIA, "c-2", "94103", 50, 2) == "c-2"
    assert await _id(sql, UPSERT_CRITERIA, "c-3", "94103", 25, 3) == first == "c-1"
    kept = await sql.query("SELECT updated FROM search_criteria WHERE id = $1", [first])
    assert kept.rows == ((3,),)

    wished = [await _id(sql, UPSERT_PREFERENCE, f"p-{n}", "ada@b.de", first) for n in range(3)]
    assert wished == ["p-0"] * 3
    assert await _id(sql, UPSERT_PREFERENCE, "p-9", "eve@b.de", first) == "p-9"
    with pytest.raises(Conflict) as refused:
        await _id(sql, UPSERT_PREFERENCE, "p-8", "ada@b.de", "c-unknown")
    assert refused.value.outcome is Outcome.NOT_APPLIED


RUNS = (
    "CREATE TABLE workflow_runs (id TEXT PRIMARY KEY, status TEXT NOT NULL)",
    "CREATE TABLE workflow_events (run TEXT NOT NULL REFERENCES workflow_runs (id), "
    "position INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT, PRIMARY KEY (run, position))",
    "CREATE TABLE workflow_steps (run TEXT NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL, "
    "output TEXT, PRIMARY KEY (run, step))",
    "CREATE TABLE workflow_hooks (token TEXT PRIMARY KEY, run TEXT NOT NULL)",
)


@pytest.mark.feature("CW-01", "CW-12", "CW-13")
@pytest.mark.parametrize("kept_in", **names(SQL))
async def test_two_workers_that_go_on_with_one_run_do_not_both(
    world: World, kept_in: Backend
) -> None:
    """The state of a run lies in the database alone: who comes second is told so, whole."""
    sql: Sql = await world.open(Sql, kept_in)
    await sql.batch([Statement(table) for table in RUNS])
    await sql.execute("INSERT INTO workflow_runs (id, status) VALUES ($1, 'running')", ["run-1"])
    await sql.execute("INSERT INTO workflow_hooks (token, run) VALUES ($1, $2)", ["t", "run-1"])

    async def step(name: str, output: str) -> None:
        last = await sql.query(
            "SELECT coalesce(max(position), 0) FROM workflow_events WHERE run = $1", ["run-1"]
        )
        ((position,),) = last.rows
        assert isinstance(position, int)
        await write(name, output, position + 1)

    async def write(name: str, output: str, position: int) -> None:
        await sql.batch(
            [
                Statement(
                    "INSERT INTO workflow_steps (run, step, attempt, output) "
                    "VALUES ($1, $2, 1, $3) ON CONFLICT (run, step) "
                    "DO UPDATE SET attempt = workflow_steps.attempt + 1, output = excluded.output",
                    ["run-1", name, output],
                ),
                Statement(
                    "INSERT INTO workflow_events (run, position, kind, body) "
                    "VALUES ($1, $2, 'step_completed', $3)",
                    ["run-1", position, output],
                ),
            ]
        )

    await step("geocode", "37.77,-122.41")
    with pytest.raises(Conflict) as refused:
        await write("geocode", "0,0", 1)  # it read the log before the other wrote
    assert refused.value.outcome is Outcome.NOT_APPLIED
    steps = await sql.query("SELECT step, attempt, output FROM workflow_steps")
    assert steps.rows == (("geocode", 1, "37.77,-122.41"),)
    await step("upsert", "42")
    events = await sql.query("SELECT position, body FROM workflow_events ORDER BY position")
    assert events.rows == ((1, "37.77,-122.41"), (2, "42"))


@pytest.mark.feature("CW-12", "CW-13")
@pytest.mark.parametrize("kept_in", [("local", "local"), ("postgres-neon", "tcp")], ids="-".join)
async def test_a_run_goes_on_in_another_process(world: World, kept_in: Backend) -> None:
    """Each request is another process, which ends without a word; two may come at once."""
    binding = await world.binding(kept_in)
    sql: Sql = await world.open(Sql, kept_in, binding)
    await sql.batch([Statement(table) for table in RUNS])
    await sql.execute("INSERT INTO workflow_runs (id, status) VALUES ($1, 'running')", ["run-1"])

    def request(name: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(WORKER), json.dumps([*kept_in, binding, "run-1", name])]
        return subprocess.Popen(command)

    async def ended(*requests: "subprocess.Popen[bytes]") -> list[int]:
        return [await asyncio.to_thread(each.wait, 60) for each in requests]

    for name in ("geocode", "upsert"):
        assert await ended(request(name)) == [GONE]
    codes = await ended(*(request(f"notify-{n}") for n in range(3)))
    assert set(codes) <= {GONE, BEATEN}
    events = await sql.query("SELECT position, body FROM workflow_events ORDER BY position")
    done = codes.count(GONE)
    assert done >= 1
    assert [position for position, _ in events.rows] == list(range(1, 3 + done))
    steps = await sql.query("SELECT step, attempt FROM workflow_steps")
    assert {body for _, body in events.rows} == {f"after {n}" for n in range(2 + done)}
    assert {attempt for _, attempt in steps.rows} == {1}
    assert len(steps.rows) == 2 + done


@pytest.mark.feature("S2-08", "W3-01", "CW-12")
async def test_a_session_is_found_by_the_request_that_comes_next(world: World) -> None:
    """It lies outside whoever serves the request, who keeps nothing between two of them."""
    store = {"store": "sessions"}

    async def served(session_id: str, item: bytes) -> bytes | None:
        """One request, by a worker of its own: the cart as the last one left it, and more in it."""
        opened = connect(
            DurableObject, "cloudflare-do", backend="mock", config=store, clock=world.clock
        )
        async with opened as objects:
            session = DurableObjectContext.of(objects, session_id).storage
            before = await session.get("cart")
            while not await session.compare_and_set("cart", before, (before or b"") + item):
                before = await session.get("cart")
            return before

    assert await served("ada", b"a") is None
    assert await served("ada", b"b") == b"a"
    assert await served("bob", b"c") is None
    await asyncio.gather(*(served("ada", b"d") for _ in range(5)))
    assert await served("ada", b"e") == b"abddddd"
