"""A certifier in the middle of a case: `python certifier_to_kill.py FOLDER FILE [isolated]`.

FILE appears when the case runs; the case never ends.
"""

import importlib.util
import sys
from pathlib import Path


def main(folder: str, file: str, *isolated: str) -> None:
    spec = importlib.util.spec_from_file_location("house", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    house = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(house)
    rooms = house.Rooms(Path(folder))
    with rooms.new(isolated=bool(isolated)) as room:
        rooms.run(room, house.act("sleep", 0))
        rooms.run(room, house.act("spin", file), real_seconds_max=600.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
