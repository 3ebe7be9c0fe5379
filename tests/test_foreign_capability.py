"""A third party brings a capability, its hints, its suite and its wire's reference server from a
repository of its own, and certifies it; broken twins are refused by the check meant for them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from flows_registry.certify.run import CHECKS, Options, certify
from flows_registry.checks.package import check_package
from flows_registry.commands.report import as_text
from flows_registry.lab.environment import make_environment
from flows_registry.lab.uv import Uv
from flows_registry.lab.workspace import companions
from flows_registry.verdict import Certification, CheckResult, Verdict

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "cap-acme-ledger"
OWN_REFERENCE = "cap_acme_ledger.testing:Reference"
ROOMS = 2


def _repository(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """The example in a git repository of its own, after (file, old text, new text) edits."""
    path = folder / "cap-acme-ledger"
    shutil.copytree(EXAMPLE, path, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    for name, old, new in edits:
        file = path / "src" / "cap_acme_ledger" / name
        text = file.read_text()
        assert text.count(old) == 1, f"{text.count(old)} places for an edit of {name}: {old!r}"
        file.write_text(text.replace(old, new))
    subprocess.run(["git", "init", "-q", str(path)], check=True)
    subprocess.run(["git", "-C", str(path), "add", "-A"], check=True)
    return path


def _certified(path: Path, *checks: str, only: str = "") -> Certification:
    return certify(Options(path, checks=("package", *checks), only=only, jobs=ROOMS))


def _by(found: Certification) -> Mapping[tuple[str, str], CheckResult]:
    return {(result.check, result.backend): result for result in found.checks}


def _codes(found: Certification, verdict: Verdict) -> dict[str, set[str]]:
    """The codes by check, of the checks with this verdict."""
    codes: dict[str, set[str]] = {}
    for result in found.checks:
        if result.verdict is verdict:
            codes.setdefault(result.check, set()).update(f.code for f in result.findings)
    return codes


def _shown(found: Certification) -> str:
    return "\n".join(
        f"{result.check} {result.backend} {result.verdict.value} {f.code} {f.message}: "
        f"{f.observed[-600:]}"
        for result in found.checks
        for f in result.findings
    )


@pytest.mark.feature("DC-01", "DC-03", "DC-05", "CK-01", "CK-03", "CK-05", "P4-04")
def test_a_new_capability_is_certified(tmp_path: Path) -> None:
    found = _certified(_repository(tmp_path), *CHECKS[1:])
    assert found.as_json()["verdict"] == "certified", _shown(found)
    results = _by(found)
    assert set(results) == {
        ("package", ""),
        *((check, backend) for check in CHECKS[1:-1] for backend in ("mock", "remote")),
    }
    assert all(result.cases > 0 for result in found.checks)
    assert found.as_json()["facts"]["no_simulator"] == ["ledger/1"]
    (line,) = [line for line in as_text(found).splitlines() if "no simulator" in line]
    assert re.fullmatch(r" +parity +no simulator for contract ledger/1: not compared .*", line)
    assert results["contract", "mock"].facts["promises"] == 5
    assert results["contract", "remote"].facts["faults"] > 150
    for backend in ("mock", "remote"):
        assert results["injection", backend].facts["repeated_under"] == {
            "assign": "nature",
            "post": "key idempotency_key",
        }
    assert "cap_acme_ledger" not in sys.modules, "the certifier imported the plugin"


@pytest.mark.feature("DC-04", "DC-05")
def test_a_comparison_with_nobody_is_no_pass(tmp_path: Path) -> None:
    found = _certified(_repository(tmp_path), "parity")
    assert _codes(found, Verdict.INCONCLUSIVE) == {"parity": {"PARITY003"}}, _shown(found)


@pytest.mark.feature("DC-05", "CK-05")
def test_a_report_says_that_the_reference_came_from_the_plugin(tmp_path: Path) -> None:
    found = _certified(_repository(tmp_path), "effects")
    facts = {result.backend: result.facts.get("own_reference") for result in found.checks}
    assert facts == {"": None, "mock": None, "remote": OWN_REFERENCE}
    (line,) = [line for line in as_text(found).splitlines() if "own reference" in line]
    assert re.search(r"effects +remote .*against the plugin's own reference$", line)


FEE = """held = self._store.accounts.get(rules.name(name))
        if held is not None:
            self._store.accounts[name] = Account(held.owner, held.cents - 1)
        return held"""
SEND_KEY = '{"Idempotency-Key": rules.key(idempotency_key)}'
TWINS = {
    "a read of the mock takes a fee": (
        ("mock.py", "return self._store.accounts.get(rules.name(name))", FEE),
        ("effects", "mock/", {"EFFECT201"}),
    ),
    "a read of the remote assigns": (
        (
            "remote.py",
            "return None if answer is None else self._account(answer)",
            'await self._ask("seen", "PUT", f"/accounts/{name}", {"owner": "reader"})\n'
            "        return None if answer is None else self._account(answer)",
        ),
        ("effects", "", {"EFFECT201"}),
    ),
    "the mock ignores its key": (
        ("mock.py", "before = self._store.posted.get(rules.key(idempotency_key))", "before = None"),
        ("injection", "mock/", {"INJECT004"}),
    ),
    "every attempt has a key of its own": (
        (
            "remote.py",
            SEND_KEY,
            '{"Idempotency-Key": rules.key(idempotency_key) + self._rng.token(4).hex()}',
        ),
        ("injection", "remote/", {"INJECT003"}),
    ),
    "every attempt has a key of its own, and looks first": (
        (
            "remote.py",
            SEND_KEY,
            '{"Idempotency-Key": idempotency_key + self._rng.token(4).hex()} '
            "if await self.account(name) else {}",
        ),
        ("injection", "remote/post/", {"INJECT003"}),
    ),
    "the key is never sent": (
        ("remote.py", SEND_KEY, '{"Idempotency-Key": f"{name}{cents}"}'),
        ("injection", "remote/", {"IDEM021"}),
    ),
    "nothing makes the posting safe to repeat": (
        ("protocol.py", ', repeat=Repeat.KEYED, key="idempotency_key"', ", repeat=Repeat.UNSAFE"),
        ("injection", "", {"IDEM020"}),
    ),
    "keyed, and no key is named": (
        ("protocol.py", ', key="idempotency_key"', ""),
        ("injection", "", {"IDEM020"}),
    ),
}


@pytest.mark.feature("CK-01", "CK-03", "P4-04", "P4-01")
@pytest.mark.parametrize("name", TWINS)
def test_a_broken_twin_is_refused(name: str, tmp_path: Path) -> None:
    edit, (check, only, codes) = TWINS[name]
    edits = [edit]
    if "_rng" in edit[2]:
        edits.append(("remote.py", "self._clock = clock", "self._clock, self._rng = clock, rng"))
    found = _certified(_repository(tmp_path, *edits), check, only=only)
    refused = _codes(found, Verdict.REFUSED)
    assert set(refused) == {check}, _shown(found)
    assert codes <= refused[check], _shown(found)


TOKEN_FIRST = (
    (
        "remote.py",
        '        answer = await self._ask(\n            "post",',
        '        await self._ask("post", "POST", "/oauth/token", {})\n'
        '        answer = await self._ask(\n            "post",',
    ),
    ("remote.py", 'writes = method != "GET"', 'writes = method != "GET" and path[1] == "a"'),
    (
        "testing.py",
        "        if route is None:",
        '        if request.path == "/v1/oauth/token":\n'
        "            return _json(201, {})\n"
        "        if route is None:",
    ),
)
SAFE_POST = (
    "capability.toml",
    "[limits]",
    '[[backends.remote.safe_posts]]\npath = "/oauth/token"\n\n[limits]',
)


@pytest.mark.feature("P4-04", "CK-03")
def test_a_declared_request_that_only_reads_is_no_write(tmp_path: Path) -> None:
    path = _repository(tmp_path / "declared", *TOKEN_FIRST, SAFE_POST)
    found = _certified(path, "contract", "injection", only="remote/post/")
    assert found.verdict is Verdict.PASSED, _shown(found)
    path = _repository(tmp_path / "undeclared", *TOKEN_FIRST)
    found = _certified(path, "contract", "injection", only="remote/post/")
    refused = _codes(found, Verdict.REFUSED)
    assert refused == {"contract": {"CONTRACT013"}, "injection": {"IDEM021"}}, _shown(found)


UNPROVEN = {
    "a suite without a model": (
        ("contract.py", "    generate=generate,\n    model=Model,\n", ""),
        ("injection", {"CONTRACT003"}, "give its Contract a model"),
    ),
    "a suite that reads nothing back": (
        ("contract.py", "    read_back=read_back,\n", ""),
        ("injection", {"CONTRACT003"}, "model, generate, comparable and read_back"),
    ),
    "a mock that nobody can look into": (
        ("contract.py", "    read_back=read_back,\n", ""),
        ("effects", {"EFFECT205"}, "let read_back give the calls"),
    ),
    "a credential that nobody uses": (
        (
            "protocol.py",
            '    @operation("resource::ledger::read")\n',
            '    @operation("resource::ledger::read", delegates=("resource::ledger::write",))\n',
        ),
        ("effects", {"EFFECT205"}, "give an exercise a Grant"),
    ),
    "reading back that shows nothing": (
        (
            "contract.py",
            "for name in dict.fromkeys(call.args[0] for call in calls)]",
            "for name in ()]",
        ),
        ("injection", {"CONTRACT003"}, "calls that together show the state"),
    ),
    "histories without a call": (
        ("contract.py", "for _ in range(length)", "for _ in ()"),
        ("injection", {"CONTRACT003"}, "make calls of account, assign, post"),
    ),
    "histories that never post": (
        ("contract.py", '("account", "assign", "post", "post")', '("account", "assign")'),
        ("injection", {"CONTRACT003"}, "make calls of post"),
    ),
    "a model that raises": (
        ("contract.py", 'return getattr(self, f"_{call.operation}")', "return getattr(self, 'no')"),
        ("injection", {"CONTRACT004"}, "refuses only by errors derived from ProviderError"),
    ),
    "histories that are none": (
        ("contract.py", "    return [\n        _call(", "    return [\n        repr("),
        ("injection", {"CONTRACT004"}, "mend the suite"),
    ),
    "a keyed write that no exercise gives a key": (
        ("contract.py", '        Exercise("post", _POST, (_ADA,), _LOOK),\n', ""),
        ("injection", {"CONTRACT003"}, "give the key in an exercise"),
    ),
    "a keyed write that is declared to only read": (
        ("capability.toml", "[limits]", SAFE_POST[2].replace("/oauth/token", "/postings")),
        ("injection", {"CONTRACT003"}, "list under safe_posts only what reads"),
    ),
    "a reference that raises": (
        ("testing.py", "route = _ROUTE.fullmatch(request.path)", "raise ValueError(request)"),
        ("effects", {"LAB004"}, "mend the reference"),
    ),
    "a wire that nobody speaks": (
        ("capability.toml", f'reference = "{OWN_REFERENCE}"\n', ""),
        ("effects", {"LAB002"}, "bring a reference server"),
    ),
}


@pytest.mark.feature("DC-05", "P4-04")
@pytest.mark.parametrize("name", UNPROVEN)
def test_what_is_missing_proves_nothing_and_says_what_to_add(name: str, tmp_path: Path) -> None:
    edit, (check, codes, advice) = UNPROVEN[name]
    found = _certified(_repository(tmp_path, edit), check)
    assert found.verdict is Verdict.INCONCLUSIVE, _shown(found)
    assert _codes(found, Verdict.INCONCLUSIVE)[check] == codes, _shown(found)
    assert any(advice in f.fix for result in found.checks for f in result.findings)


@pytest.mark.feature("DC-01", "DC-05")
@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ("cap_acme_ledger.testing:Reference", "the reference of 'remote'"),
        ("cap_acme_ledger.contract:CONTRACT", "the suite of ledger"),
    ],
)
def test_what_the_manifest_names_and_does_not_import_is_refused(
    declared: str, what: str, tmp_path: Path
) -> None:
    path = _repository(tmp_path, ("capability.toml", declared, "cap_acme_ledger.nowhere:Thing"))
    result, _ = check_package(path, tmp_path / "scratch")
    assert result.verdict is Verdict.REFUSED
    assert [(f.code, what in f.message) for f in result.findings] == [("PACKAGE012", True)]


FAILING = """
def _nothing() -> None:
    import sys
    if sys.argv[2:3] == ["suite"]:
        raise ValueError("it only imports elsewhere")

_nothing()


class Model:"""


@pytest.mark.feature("DC-05")
def test_a_suite_that_does_not_import_is_told_by_its_own_lines(tmp_path: Path) -> None:
    path = _repository(tmp_path, ("contract.py", "\nclass Model:", FAILING))
    found = _certified(path, "effects")
    assert _codes(found, Verdict.REFUSED) == {"effects": {"LAB001"}}, _shown(found)
    (finding,) = found.checks[-1].findings
    frames = [line.strip() for line in finding.observed.splitlines() if "File " in line]
    assert [re.sub(r"\d+", "N", frame) for frame in frames[1:]] == [
        'File "cap_acme_ledger/contract.py", line N, in <module>',
        'File "cap_acme_ledger/contract.py", line N, in _nothing',
    ]
    assert frames[0].startswith('File "core_caps/')
    assert finding.observed.endswith("ValueError: it only imports elsewhere")


HALVES = (
    (
        "protocol.py",
        '@capability("ledger", version=1)\nclass Ledger(Protocol):\n',
        "class LedgerReader(Protocol):\n",
    ),
    (
        "protocol.py",
        '    @operation("resource::ledger::write")\n',
        '\nclass LedgerWriter(Protocol):\n    @operation("resource::ledger::write")\n',
    ),
    ("capability.toml", '"account", "assign", "post"', '"account"'),
)
WHOLE = """

@capability("ledger", version=1)
class Ledger(LedgerReader, LedgerWriter, Protocol):
    pass
"""


@pytest.mark.feature("PL-03", "DC-03")
def test_a_half_of_a_new_capability_may_be_left_out(tmp_path: Path) -> None:
    path = _repository(tmp_path, *HALVES)
    protocol = path / "src" / "cap_acme_ledger" / "protocol.py"
    protocol.write_text(protocol.read_text() + WHOLE)
    result, _ = check_package(path, tmp_path / "scratch")
    assert result.verdict is Verdict.PASSED, result.findings


THIRDS = (
    (
        "protocol.py",
        '@capability("ledger", version=1)\nclass Ledger(Protocol):\n',
        "class LedgerReader(Protocol):\n",
    ),
    (
        "protocol.py",
        '    @operation("resource::ledger::write")\n',
        '\nclass LedgerOwners(Protocol):\n    @operation("resource::ledger::write")\n',
    ),
    (
        "protocol.py",
        '    @operation("resource::ledger::write", repeat',
        '\nclass LedgerPostings(Protocol):\n    @operation("resource::ledger::write", repeat',
    ),
    ("capability.toml", '"account", "assign", "post"', '"account", "assign"'),
    ("contract.py", '("account", "assign", "post", "post")', "sorted(operations)"),
)


@pytest.mark.feature("PL-03", "DC-03", "DC-05")
def test_what_provides_some_halves_of_a_new_capability_is_certified_for_them(
    tmp_path: Path,
) -> None:
    path = _repository(tmp_path, *THIRDS)
    protocol = path / "src" / "cap_acme_ledger" / "protocol.py"
    whole = WHOLE.replace("LedgerWriter", "LedgerOwners, LedgerPostings")
    protocol.write_text(protocol.read_text() + whole)
    found = _certified(path, "effects", "contract", "injection")
    assert found.verdict is Verdict.PASSED, _shown(found)
    results = _by(found)
    for backend in ("mock", "remote"):
        assert results["contract", backend].facts["promises"] == 2
        assert set(results["injection", backend].facts["repeated_under"]) == {"assign"}


ACCESS = """
import asyncio
from cap_acme_ledger.protocol import Account, Ledger
from core_caps import connect
from core_caps.errors import AccessDenied

async def main() -> None:
    async with connect(Ledger, "acme-ledger", backend="mock") as ledger:
        await ledger.assign("rent", "Ada")
        assert await ledger.post("rent", 5, idempotency_key="k") == 5
        assert await ledger.account("rent") == Account("Ada", 5)
    reads = {"resource::ledger::read"}
    async with connect(Ledger, "acme-ledger", backend="mock", access=reads) as ledger:
        assert await ledger.account("rent") is None
        try:
            ledger.post
        except AccessDenied as denied:
            print(denied)

asyncio.run(main())
"""


@pytest.mark.feature("PL-03", "DC-03", "CK-05")
def test_its_users_are_held_to_its_own_hints_and_its_tests_run_alone(tmp_path: Path) -> None:
    path = _repository(tmp_path)
    result, built = check_package(path, tmp_path / "scratch")
    assert built is not None, result.findings
    said = _run([str(built.environment.python), "-c", ACCESS], tmp_path)
    assert "CAP110" in said
    assert "resource::ledger::write" in said
    beside = companions(built.wheel, ("remote", "test"), uv=Uv(), scratch=tmp_path)
    wanted = [built.wheel.requirement(("remote", "test")), *(each.requirement() for each in beside)]
    environment = make_environment(wanted, uv=Uv(), scratch=tmp_path / "e")
    tests = [str(environment.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    assert "18 passed in" in _run(tests, path)


def _run(command: Sequence[str], folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
