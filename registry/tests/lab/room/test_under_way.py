"""What is under way at the fault server when a case is over is not passed over in silence."""

from pathlib import Path

import pytest
from flows_registry.lab.broken import RoomBroken

from .conftest import NOT_ISOLATED, Rooms, act

pytestmark = [
    pytest.mark.feature("P4-03", "CK-05"),
    pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED)),
]

SLOW = """
import time
from pathlib import Path
from flows_registry.lab.references.exchange import ReferenceFactory, Response


class Slow:
    def handle(self, request):
        if request.target.endswith("/slow"):
            Path({file!r}).touch()
            time.sleep({seconds})
        return Response(200)

    def state(self):
        return {{}}

    def reset(self):
        pass


FACTORY = ReferenceFactory("slow", lambda settings, secrets, now: Slow(), Response)
"""

AT_THE_START = """
from flows_registry.lab.references import known
from flows_registry.lab.server import server

known.REFERENCES = {**known.REFERENCES, "slow": "slow_reference:FACTORY"}
server.QUIET_SECONDS_MAX = 0.5
"""


@pytest.fixture(params=[3.0])
def at_it(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file by which a slow reference tells that it is at work; servers that are started from
    here on know it, and have little patience."""
    file = tmp_path / "at-it"
    (tmp_path / "slow_reference.py").write_text(SLOW.format(file=str(file), seconds=request.param))
    (tmp_path / "sitecustomize.py").write_text(AT_THE_START)
    monkeypatch.syspath_prepend(tmp_path)
    return file


def test_what_does_not_end_while_armed_breaks_the_room(rooms: Rooms, at_it: Path) -> None:
    with rooms.new(wire="slow") as room:
        rooms.run(room, act("exchange", "PUT", "good"))
        with pytest.raises(RoomBroken, match="the armed time goes on at the fault server"):
            rooms.run(room, act("leave_under_way", "slow", str(at_it)))


def test_what_does_not_end_before_the_next_case_breaks_the_room(rooms: Rooms, at_it: Path) -> None:
    good = act("exchange", "PUT", "good")
    with rooms.new(wire="slow") as room:
        rooms.run(room, good)
        rooms.run(room, good, probe=(act("leave_under_way", "slow", str(at_it)),))
        with pytest.raises(RoomBroken, match="the last case goes on at the fault server"):
            rooms.run(room, good)


@pytest.mark.parametrize("at_it", [0.1], indirect=True)
def test_what_ends_in_time_is_in_the_log(rooms: Rooms, at_it: Path) -> None:
    with rooms.new(wire="slow") as room:
        rooms.run(room, act("exchange", "PUT", "good"))
        done = rooms.run(room, act("leave_under_way", "slow", str(at_it)))
    assert [exchange.status for exchange in done.exchanges] == [200]
