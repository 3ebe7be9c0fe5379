"""Whatever a plugin does to who certifies it: the certifier lives on, says what, and refuses it.

Each misdeed is a few statements, done by the build, by the import, or by an operation.
"""

import os
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flows_registry.certify.run import Options, certify
from flows_registry.checks import package_loading
from flows_registry.corpus import bases
from flows_registry.lab import lab
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.room.room import Room
from flows_registry.lab.walls import no_walls
from flows_registry.verdict import Certification, Finding, Level, Verdict

pytestmark = [
    pytest.mark.feature("P4-03", "S2-09"),
    pytest.mark.skipif(no_walls() is not None, reason=str(no_walls())),
]

BUILD, IMPORT, RUN = "build", "import", "run"
PACKAGE = "src/corpus_pure"
OURS = Path("/proc/self/ns/pid")
IN_WALLS = f"assert os.readlink({str(OURS)!r}) != {str(OURS.readlink())!r}\n"
"""What would end us all is done nowhere but in a process namespace."""

ENDLESS = ("did not end in time", "killed after")
WAIT = "ctypes.CDLL(None).sleep(3600)"


@dataclass(frozen=True, slots=True)
class Misdeed:
    """Statements, and what is said of them: by place, the code and words of one finding."""

    does: str
    said: Mapping[str, tuple[str, str]]


def everywhere(does: str, why: str) -> Misdeed:
    """One that is stopped for the same reason wherever it is done."""
    codes = {BUILD: "PACKAGE003", IMPORT: "PACKAGE012", RUN: "LAB005"}
    return Misdeed(does, {place: (code, why) for place, code in codes.items()})


MISDEEDS: Mapping[str, Misdeed] = {
    "never ends": Misdeed(
        "while True: pass",
        {IMPORT: ("PACKAGE012", "did not end in time"), RUN: ("CONTRACT002", "killed after")},
    ),
    "holds the interpreter in C": Misdeed(
        "ctypes.PyDLL(None).sleep(3600)",
        {IMPORT: ("PACKAGE012", "did not end in time"), RUN: ("CONTRACT002", "killed after")},
    ),
    "matches for ever": Misdeed(
        "import re; re.match('(a+)+$', 'a' * 64 + 'b')",
        {IMPORT: ("PACKAGE012", "did not end in time"), RUN: ("CONTRACT002", "killed after")},
    ),
    "is deaf to signals": Misdeed(
        "for n in (1, 2, 14, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        {IMPORT: ("PACKAGE012", "did not end in time"), RUN: ("CONTRACT002", "killed after")},
    ),
    "stops itself": Misdeed(
        "os.kill(os.getpid(), signal.SIGSTOP)",
        {RUN: ("CONTRACT002", "killed after")},
    ),
    "forks without end": everywhere(
        f"{IN_WALLS}while True:\n    try: os.fork()\n    except OSError: {WAIT}",
        "runs more than 256 processes",
    ),
    "starts ten thousand threads": everywhere(
        "for _ in range(10000):\n"
        f"    try: threading.Thread(target=lambda: {WAIT}).start()\n"
        "    except RuntimeError: break\n"
        f"{WAIT}",
        "runs more than 256 processes and threads",
    ),
    "takes memory in many processes": everywhere(
        f"{IN_WALLS}for _ in range(9):\n"
        f"    if os.fork() == 0: kept = b'x' * (1 << 28); {WAIT}\n{WAIT}",
        "takes more than 2048 MiB of memory",
    ),
    "takes all memory": everywhere(
        "kept = []\nwhile True: kept.append(b'x' * (1 << 26))",
        "takes more than 2048 MiB of memory",
    ),
    "takes a terabyte at once": Misdeed(
        "kept = b'x' * (1 << 40)",
        {
            BUILD: ("PACKAGE003", "MemoryError"),
            IMPORT: ("PACKAGE012", "MemoryError"),
            RUN: ("CONTRACT002", "MemoryError"),
        },
    ),
    "fills the disk": everywhere(
        "import tempfile\n"
        "for n in range(20):\n"
        "    with open(f'{tempfile.gettempdir()}/{n}', 'wb') as file:\n"
        "        os.posix_fallocate(file.fileno(), 0, 1 << 28)\n"
        f"{WAIT}",
        "writes more than 2048 MiB to the disk",
    ),
    "opens a hundred thousand files": Misdeed(
        "kept = [os.open('/dev/null', 0) for _ in range(100_000)]",
        {
            BUILD: ("PACKAGE003", "Too many open files"),
            IMPORT: ("PACKAGE012", "Too many open files"),
            RUN: ("CONTRACT002", "fails on a healthy service"),
        },
    ),
    "ends the process": Misdeed(
        "os._exit(0)",
        {
            BUILD: ("PACKAGE003", "the build failed"),
            IMPORT: ("PACKAGE012", "ended with code 0"),
            RUN: ("CONTRACT002", "ended without a word, exit status 0"),
        },
    ),
    "exits": Misdeed(
        "sys.exit(0)",
        {
            BUILD: ("PACKAGE003", "the build failed"),
            IMPORT: ("PACKAGE012", "SystemExit"),
            RUN: ("CONTRACT002", "SystemExit"),
        },
    ),
    "kills itself": Misdeed(
        "os.kill(os.getpid(), signal.SIGKILL)",
        {BUILD: ("PACKAGE003", "the build failed"), RUN: ("CONTRACT002", "exit status -9")},
    ),
    "prints a gigabyte": Misdeed(
        "for _ in range(1024): os.write(1, b'x' * (1 << 20))\nos._exit(3)",
        {
            # It failed, or what keeps all it printed was stopped for the memory that takes.
            BUILD: ("PACKAGE003", "the build"),
            IMPORT: ("PACKAGE012", "ended with code 3"),
            RUN: ("CONTRACT002", "exit status 3"),
        },
    ),
    "writes garbage on every open file": Misdeed(
        "for n in range(3, 64):\n"
        "    try: os.write(n, b'garbage' * 9 + b'\\n')\n"
        "    except OSError: pass",
        {RUN: ("LAB005", "said what is no message: b'garbage")},
    ),
    "writes without end on every open file": Misdeed(
        "for n in range(3, 64):\n"
        "    try:\n"
        "        for _ in range(100): os.write(n, b'x' * (1 << 20))\n"
        "    except OSError: pass",
        {RUN: ("LAB005", "bytes at once")},
    ),
    "forges that its case went well": Misdeed(
        "done = {'event': 'done', 'again': False, 'steps': [{'value': None}], 'probe': []}\n"
        "for n in range(3, 64):\n"
        "    for said in ({'event': 'armed'}, done, {'event': 'ended', 'status': 0}):\n"
        "        try: os.write(n, json.dumps(said).encode() + b'\\n')\n"
        "        except OSError: pass\n"
        "os._exit(0)",
        {RUN: ("LAB005", "somebody spoke for what runs the plugin")},
    ),
}

SOON_SECONDS = 5.0


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs is not waited for as long as users wait."""
    really = Room.run

    def run(self: Room, case: Case, *profile: Any) -> CaseRun:
        return really(self, replace(case, real_seconds_max=SOON_SECONDS), *profile)

    monkeypatch.setattr(Room, "run", run)
    monkeypatch.setattr(package_loading, "LOAD_SECONDS_MAX", SOON_SECONDS)


def doing(statements: str, place: str) -> dict[str, str]:
    """A plugin that does this there, and is sound but for that."""
    does = "import ctypes, json, os, signal, sys, threading\n\n\ndef misdeed():\n"
    does += textwrap.indent(statements, "    ") + "\n"
    files = dict(bases.files_of("pure"))
    if place == BUILD:
        hook = "[tool.hatch.build.hooks.custom]\n\n[tool.hatch.build.targets.wheel]\n"
        _edit(files, "pyproject.toml", "[tool.hatch.build.targets.wheel]\n", hook)
        files["hatch_build.py"] = (
            "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
            f"{does}\n\nclass Hook(BuildHookInterface):\n"
            "    def initialize(self, version, build_data):\n        misdeed()\n"
        )
        return files
    files[f"{PACKAGE}/misdeeds.py"] = does
    call = "from corpus_pure.misdeeds import misdeed\nmisdeed()\n"
    if place == IMPORT:
        files[f"{PACKAGE}/mock.py"] += f"\n{call}"
    else:
        first = "        return None if stored is None else stored.value\n"
        _edit(files, f"{PACKAGE}/mock.py", first, textwrap.indent(call, " " * 8) + first)
    return files


def _edit(files: dict[str, str], path: str, old: str, new: str) -> None:
    assert files[path].count(old) == 1
    files[path] = files[path].replace(old, new)


def certified(
    files: Mapping[str, str], folder: Path, *checks: str, **options: Any
) -> Certification:
    return certify(Options(bases.write(files, folder), checks=checks, jobs=1, **options))


def left_running() -> list[str]:
    """The processes that stand in a folder of a certification of ours."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = str((process / "cwd").readlink())
        except OSError:
            continue
        if f"flows-certify-{os.getpid()}-" in where:
            found.append((process / "cmdline").read_text().replace("\0", " ")[:200])
    return found


def findings(found: Certification) -> list[Finding]:
    return [finding for check in found.checks for finding in check.findings]


@pytest.mark.parametrize(
    ("name", "place"),
    [(name, place) for name, misdeed in MISDEEDS.items() for place in misdeed.said],
)
def test_it_is_refused_for_what_it_does(
    name: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    misdeed = MISDEEDS[name]
    code, words = misdeed.said[place]
    if words in ENDLESS:
        impatient(monkeypatch)
    asked = {"only": "mock/get"} if place == RUN else {}
    found = certified(doing(misdeed.does, place), tmp_path / "plugin", "contract", **asked)
    assert found.verdict is Verdict.REFUSED, findings(found)
    told = [each for each in findings(found) if each.code == code]
    assert any(words in f"{each.message}\n{each.observed}" for each in told), findings(found)
    assert left_running() == []


def test_what_is_killed_again_and_again_is_tried_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    monkeypatch.setattr(lab, "KILLED_MAX", 0)
    found = certified(doing("while True: pass", RUN), tmp_path / "plugin", "contract")
    assert found.verdict is Verdict.REFUSED
    (told,) = findings(found)
    assert (told.code, told.message) == (
        "LAB005",
        "the plugin does not let itself be tried: 1 of its cases went on until they were killed",
    )


@pytest.mark.parametrize(
    ("place", "codes"),
    [(BUILD, {"PACKAGE003", "PACKAGE005"}), (IMPORT, {"PACKAGE012"}), (RUN, {"CONTRACT002"})],
)
@pytest.mark.parametrize("where", ["the user's home", "somebody's folder"])
def test_nothing_is_written_outside(
    where: str, place: str, codes: set[str], tmp_path: Path
) -> None:
    planted = {
        "the user's home": str(Path.home() / f"planted-{tmp_path.name}"),
        "somebody's folder": str(tmp_path / "planted"),
    }
    statement = f"open({planted[where]!r}, 'w').close()"
    asked = {"only": "mock/get"} if place == RUN else {}
    found = certified(doing(statement, place), tmp_path / "plugin", "contract", **asked)
    assert found.verdict is Verdict.REFUSED
    assert {each.code for each in findings(found)} & codes, findings(found)
    assert not any(Path(path).exists() for path in planted.values())


@pytest.mark.parametrize("place", [IMPORT, RUN])
def test_its_own_environment_stays_as_it_is(place: str, tmp_path: Path) -> None:
    plant = "open(os.path.join(os.path.dirname(__file__), 'planted.py'), 'w').close()"
    asked = {"only": "mock/get"} if place == RUN else {}
    found = certified(doing(plant, place), tmp_path / "plugin", "contract", **asked)
    assert found.verdict is Verdict.REFUSED
    assert "Read-only file system" in "".join(f"{e.message}{e.observed}" for e in findings(found))


@pytest.mark.parametrize("victim", ["os.getppid()", "-1"], ids=["who started it", "whoever it can"])
def test_nobody_but_itself_is_killed(victim: str, tmp_path: Path) -> None:
    """It reaches none but its like, and a plugin that kills is told from its source."""
    kills = f"{IN_WALLS}try: os.kill({victim}, signal.SIGKILL)\nexcept OSError: pass"
    found = certified(doing(kills, RUN), tmp_path / "plugin", "effects", only="mock/get")
    assert found.verdict is Verdict.REFUSED
    (told,) = findings(found)
    assert (told.code, told.message) == ("EFFECT201", "get can be effectful: os.kill")
    assert [check.level for check in found.checks if check.check == "effects"] == [Level.ISOLATED]


BLINDED = """import gc
for each in gc.get_objects():
    if type(each).__name__ == "Watch": each._on = False
    if type(each).__name__ == "Line": each.send({"event": "done", "again": False})
"""


def test_who_tampers_with_what_watches_it_is_refused(tmp_path: Path) -> None:
    does = BLINDED + "getattr(os, 'mk' + 'dir')(os.path.expanduser('~/planted'))"
    found = certified(doing(does, RUN), tmp_path / "plugin", "effects", only="mock/get")
    assert found.verdict is Verdict.REFUSED, findings(found)
