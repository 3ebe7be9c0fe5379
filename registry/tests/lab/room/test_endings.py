"""However a case ends, it ends as documented, and nothing of it is left for the next."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flows_registry.lab.broken import AgentBroken
from flows_registry.lab.case import CaseRun
from flows_registry.lab.room import agent_process

from .conftest import NOT_ISOLATED, Rooms, act, value_of

pytestmark = [
    pytest.mark.feature("AL-07", "P4-03"),
    pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED)),
]

Run = Callable[..., CaseRun]

HERE = Path(__file__).parent
NOBODY = "203.0.113.7"
PATIENCE_SECONDS = 30.0


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("crash", "ended without a word, exit status -11"),
        ("ask_to_leave", "crashed: "),
    ],
)
def test_a_case_without_an_end_is_trouble(run: Run, name: str, trouble: str) -> None:
    done = run(act(name))
    assert (done.trouble or "").startswith(trouble)
    assert done.steps == ()
    assert value_of(run(act("sleep", 0))) == 0  # the room goes on


def test_a_busy_case_is_killed(run: Run, tmp_path: Path) -> None:
    done = run(act("spin", str(tmp_path / "spinning")), real_seconds_max=2.0)
    assert done.trouble == "killed after 2 s of real time"
    assert value_of(run(act("sleep", 0))) == 0


def test_the_first_case_may_be_busy(rooms: Rooms, tmp_path: Path) -> None:
    with rooms.new() as room:
        done = rooms.run(room, act("spin", str(tmp_path / "spinning")), real_seconds_max=1.0)
        assert done.trouble == "killed after 1 s of real time"
        assert value_of(rooms.run(room, act("sleep", 0))) == 0


def test_a_plugin_whose_import_does_not_end_is_broken(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_process, "START_SECONDS_MAX", 3.0)
    with rooms.new(warm=["lab_prober.endless"]) as room, pytest.raises(AgentBroken) as raised:
        rooms.run(room, act("sleep", 0))
    assert "does not end" in str(raised.value)


def test_a_hung_case_says_where(run: Run) -> None:
    trouble = run(act("hang")).trouble or ""
    assert trouble.startswith("hung: it waits without any deadline at ")
    assert "hang acts.py" in trouble
    assert value_of(run(act("sleep", 0))) == 0


def test_a_case_that_leaves_says_how(run: Run) -> None:
    done = run(act("leave", 7))
    assert done.trouble == "ended without a word, exit status 7"


def test_an_hour_takes_no_hour(run: Run) -> None:
    began = time.monotonic()
    assert value_of(run(act("sleep", 3600))) == pytest.approx(3600, abs=0.01)
    assert time.monotonic() - began < 60


def test_what_it_prints_stops_nothing(run: Run) -> None:
    assert value_of(run(act("fill_stdout", 1 << 20))) == 1 << 20


# ---- nothing is left


def processes(mark: str) -> dict[int, str]:
    """The processes whose command, environment or folder carries the mark: their command lines."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
            told = line + (folder / "environ").read_bytes() + bytes((folder / "cwd").readlink())
        except OSError:
            continue
        if mark.encode() in told:
            found[int(folder.name)] = line.replace(b"\0", b" ").decode(errors="replace")[:100]
    return found


def put_away(mark: str) -> dict[int, str]:
    """The processes that should not be there any more; they are ended now."""
    left = processes(mark)
    for each in left:
        os.kill(each, signal.SIGKILL)
    return left


def until(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within our patience."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_a_daemon_ends_with_its_case(run: Run, tmp_path: Path) -> None:
    done = run(act("fork_a_daemon", str(tmp_path / "there")))
    assert value_of(done) is True  # it was there
    assert put_away(str(tmp_path)) == {}


def test_what_a_case_leaves_the_next_does_not_find(run: Run) -> None:
    first = value_of(run(act("left_behind")))
    done = run(act("leave_behind", "mark"), act("left_behind"))
    left = value_of(done)
    # In memory, in the environment, in three folders and below, in one that opening has made.
    assert left.count("mark") == 9
    assert value_of(run(act("left_behind"))) == first == [name for name in left if name != "mark"]


def test_what_the_first_case_leaves_when_it_is_tried_out_nobody_finds(rooms: Rooms) -> None:
    with rooms.new() as room:
        for _ in range(2):
            left = value_of(rooms.run(room, act("leave_behind", "mark"), act("left_behind")))
            assert left.count("mark") == 9
        left = value_of(rooms.run(room, act("left_behind")))
        assert ".prober" in left, "opening has made it"
        assert "mark" not in left


def test_the_service_of_the_next_case_is_empty(run: Run) -> None:
    before = run(act("exchange", "PUT", "key", b"value"))
    after = run(act("exchange", "GET", "key"))
    assert value_of(before)["data"].startswith(b"HTTP/1.1 200 ")
    assert value_of(after)["data"].startswith(b"HTTP/1.1 404 ")
    assert after.state_before == before.state_before
    assert [exchange.number for exchange in after.exchanges] == [0]


def test_an_open_connection_ends_with_its_case(run: Run) -> None:
    assert value_of(run(act("leave_open"))) == b"HTTP/1.1 404"
    after = run(act("sleep", 0))
    assert (after.exchanges, after.egress, after.stalled_connections) == ((), (), 0)


def test_two_rooms_do_not_disturb_each_other(rooms: Rooms) -> None:
    put, get = act("exchange", "PUT", "key", b"mine"), act("exchange", "GET", "key")
    seen: dict[str, CaseRun] = {}
    with rooms.new() as one, rooms.new() as other:

        def in_one() -> None:
            seen["one"] = rooms.run(one, put, act("sleep", 3600), get)

        thread = threading.Thread(target=in_one)
        thread.start()
        seen["other"] = rooms.run(other, get, act("connect", NOBODY, 1))
        thread.join()
    assert value_of(seen["one"])["data"].endswith(b"mine")
    assert value_of(seen["other"], 0)["data"].startswith(b"HTTP/1.1 404 ")
    assert [len(seen[name].exchanges) for name in ("one", "other")] == [2, 1]
    assert (NOBODY, 1) in seen["other"].egress
    assert (NOBODY, 1) not in seen["one"].egress


@pytest.mark.parametrize("isolated", [True, False])
def test_a_killed_certifier_leaves_no_process(tmp_path: Path, isolated: bool) -> None:
    spinning = tmp_path / "spinning"
    command = [sys.executable, str(HERE / "certifier_to_kill.py"), str(tmp_path), str(spinning)]
    with subprocess.Popen(
        [*command, *(["isolated"] if isolated else [])], env={**os.environ, "MARK": str(tmp_path)}
    ) as certifier:
        try:
            assert until(spinning.exists)
            assert len(processes(str(tmp_path))) >= 4  # itself, a server, an agent, a case
        finally:
            certifier.kill()
    until(lambda: not processes(str(tmp_path)))
    assert put_away(str(tmp_path)) == {}
