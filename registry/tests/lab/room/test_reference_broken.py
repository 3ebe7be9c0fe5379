"""A mistake of a reference server is the lab's, and is never laid at the plugin's door."""

from pathlib import Path

import pytest
from flows_registry.lab.broken import RoomBroken

from .conftest import NOT_ISOLATED, Rooms, act

pytestmark = [
    pytest.mark.feature("P4-03", "CK-05"),
    pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED)),
]

RAISING = """
from flows_registry.lab.references.exchange import ReferenceFactory, Response


class Raising:
    def handle(self, request):
        if request.target.endswith("/good"):
            return Response(200)
        raise {error}("the reference forgot something")

    def state(self):
        return {{}}

    def reset(self):
        pass


FACTORY = ReferenceFactory("raising", lambda settings, secrets, now: Raising(), Response)
"""

AT_THE_START = """
from flows_registry.lab.references import known

known.REFERENCES = {**known.REFERENCES, "raising": "raising_reference:FACTORY"}
"""


@pytest.fixture(params=["KeyError", "ValueError", "OSError"])
def raising(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reference that raises, known to the fault servers that are started from here on."""
    (tmp_path / "raising_reference.py").write_text(RAISING.format(error=request.param))
    (tmp_path / "sitecustomize.py").write_text(AT_THE_START)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("raising")
@pytest.mark.parametrize("when", ["calls", "setup", "probe"])
def test_what_a_reference_raises_breaks_the_room(rooms: Rooms, when: str) -> None:
    good, bad = act("exchange", "PUT", "good"), act("exchange", "PUT", "bad")
    acts = {"calls": [bad], "setup": [good], "probe": [good]}[when]
    around = {} if when == "calls" else {when: (bad,)}
    with rooms.new(wire="raising") as room:
        assert rooms.run(room, good).exchanges[0].status == 200
        with pytest.raises(RoomBroken) as raised:
            rooms.run(room, *acts, **around)
    assert type(raised.value) is RoomBroken  # the plugin did not bring it
    assert "while it answered PUT /client/v4" in str(raised.value)
    assert "the reference forgot something" in str(raised.value)
    assert "raising_reference.py" in str(raised.value)
