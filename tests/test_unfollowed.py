"""Where the source cannot be followed a case must have been, or the level says that none was."""

from pathlib import Path

import pytest
from flows_registry.certify.run import Options, certify
from flows_registry.commands.report import as_text
from flows_registry.corpus import bases
from flows_registry.lab.room.holder import isolation
from flows_registry.verdict import Certification, CheckResult, Level, Verdict

NOT_ISOLATED = isolation()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.feature("P4-01", "CK-01"),
    pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED)),
]

ROOMS = 2

SENDING = "        async with self._session.request(\n"
SENT = "            body, damage = await _whole(response)\n"


def _computed(name: str) -> str:
    return f'getattr(self._session, "".join(reversed("{name[::-1]}")))'


def _certified(place: str, code: str, folder: Path) -> Certification:
    """What is said of the plugin with this code at a place of its transport."""
    edits = [("transport.py", place, code + place)]
    path = bases.write(bases.edited(bases.files_of("aiohttp"), "aiohttp", edits), folder / "plugin")
    return certify(Options(path, checks=("effects",), jobs=ROOMS))


def _remote(found: Certification) -> CheckResult:
    return next(check for check in found.checks if check.backend == "remote")


def test_what_no_case_reaches_lowers_the_level_and_is_named(tmp_path: Path) -> None:
    hidden = f'        if "archive" in request.target:\n            {_computed("closed")}\n'
    found = _certified(SENDING, hidden, tmp_path)
    assert found.verdict is Verdict.PASSED
    assert found.level is _remote(found).level is Level.STATIC
    assert min(check.level for check in found.checks if check.backend == "mock") >= Level.WIRE
    lines = (tmp_path / "plugin/src/corpus_aiohttp/transport.py").read_text().splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if "getattr(" in text]
    place = f"corpus_aiohttp/transport.py:{line}"
    operations = ("get", "get_with_metadata", "list", "put", "delete")
    assert _remote(found).facts["static_unreached"] == {name: [place] for name in operations}
    assert f"{place} in exchange" in _remote(found).facts["coverage"]["unreached"]
    told = " ".join(as_text(found).split())
    assert "effects remote stays at L0: nobody knows all that" in told
    assert f"({place})" in told


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (SENDING, f"        {_computed('closed')}\n"),
        (SENT, f"            if response.status >= 500:\n                {_computed('closed')}\n"),
        (
            SENDING,
            "        import asyncio\n\n"
            "        def look() -> bool:\n"
            f"            return bool({_computed('closed')})\n\n"
            "        await asyncio.to_thread(look)\n",
        ),
    ],
    ids=["always", "on the error path", "in a thread"],
)
def test_what_a_case_reaches_was_watched(place: str, code: str, tmp_path: Path) -> None:
    found = _certified(place, code, tmp_path)
    assert found.verdict is Verdict.PASSED
    facts = _remote(found).facts
    assert set(facts["static_unknown"]) == {"get", "get_with_metadata", "list", "put", "delete"}
    assert facts["static_unreached"] == {}
    assert found.level >= Level.WIRE
    assert "stays at" not in as_text(found)


def test_a_write_behind_a_computed_name_is_seen_where_a_case_reaches_it(tmp_path: Path) -> None:
    hidden = (
        '        if request.method == "GET":\n'
        f"            write = {_computed('put')}\n"
        '            await write(self._base_url + request.target, data=b"read", '
        "headers=request.headers)\n"
    )
    remote = _remote(_certified(SENDING, hidden, tmp_path))
    assert remote.verdict is Verdict.REFUSED
    assert {finding.code for finding in remote.findings} == {"EFFECT201"}
    assert all("the service" in f.message or "sends PUT" in f.message for f in remote.findings)
    assert remote.level >= Level.WIRE
