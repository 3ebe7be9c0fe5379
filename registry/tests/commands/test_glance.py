"""The quick look at manifests: never wrong, only sometimes unwilling."""

import random
import tomllib
from pathlib import Path

import pytest
from core_caps.capabilities.known import KNOWN, spec_for
from core_caps.claims.guarantees import GUARANTEES as VOCABULARY
from core_caps.claims.guarantees import UNKNOWN
from core_caps.claims.manifest import read
from core_caps.plugins.outline import described
from flows_registry.commands.glance import GUARANTEES, OPERATIONS, glanced
from flows_registry.commands.new import create
from flows_registry.commands.plain_toml import Unusual, plain_toml
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.feature("DC-02")

ROOT = Path(__file__).resolve().parents[3]
MANIFESTS = sorted(ROOT.glob("plugins/*/src/*/capability.toml"))

PIECES = (
    "[a]", "[a.b]", "[[a.c]]", "[[r]]", "[a", "a]", "x = 1", "x = 1.5", "x = 1_000", "x = 01",
    "x = -1", "x = +1", "x = 1e5", "x = 0x1f", "x = 1.", "x = .5", "x = inf", "x = 1979-05-27",
    "x = true", "x = True", 'x = "a"', "x = 'b'", 'x = "a # b"', "x = 'a # b'", 'x = "a\\n"',
    'x = """a"""', "x = '''a'''", "x = []", "x = [1, 2,]", "x = [", "  1,", "]", "x = [[1], []]",
    'x = ["a", # c', '  "b]",', "x = {}", "x = { a = 1 }", "x = { a = 1, }", 'x = { a = "}" }',
    "x = { a.b = 1 }", "y.z = 1", "y.z = 2", "y = 3", '"q" = 1', "'q' = 2", " k = 1  # c", "k=2",
    "# only", "", "  ", "\t", "x", "= 1", "x =", "x = 1 2", "x = 1,", "ä = 1", "a-b_c = 1",
    "x = [1 2]", "x = [,]", "[y]", "[y.z]", "[x]", "[a.c]", "[ a . d ]", "[]", "[a.]", "\r", "\x0b",
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_what_is_read_is_read_as_tomllib_reads_it(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    try:
        quick = plain_toml(text)
    except Unusual:
        return
    assert tomllib.loads(text) == quick


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab1.=[]{}\"',#\n \t\\_-é", max_size=40))
def test_so_is_any_text(text: str) -> None:
    try:
        quick = plain_toml(text)
    except Unusual:
        return
    assert tomllib.loads(text) == quick


def test_the_words_are_those_of_core_caps() -> None:
    assert set(OPERATIONS) == set(KNOWN)
    for contract, operations in OPERATIONS.items():
        spec = spec_for(contract)
        assert spec is not None
        assert operations == set(spec.operations)
    assert {name: {*values, UNKNOWN} for name, values in VOCABULARY.items()} == {
        name: set(values) for name, values in GUARANTEES.items()
    }


def _in_full(text: str) -> list[object]:
    return described(lambda: read(text.encode()))


def _same(text: str) -> bool:
    """Whether the glance was willing; where it was, it agrees with the full reading."""
    seen = glanced(text)
    if seen is None:
        return False
    summary, contracts, backends, extras = seen
    told = _in_full(text)
    assert told[4] == "", text
    capabilities = told[1]
    assert isinstance(capabilities, dict)
    assert told[0] == summary
    assert list(capabilities) == contracts
    assert told[2:4] == [backends, extras]
    return True


def test_our_own_manifests_are_told_at_a_glance(tmp_path: Path) -> None:
    made = create("cap-acme", tmp_path) / "src/cap_acme/capability.toml"
    assert len(MANIFESTS) >= 2
    for path in (*MANIFESTS, made):
        assert _same(path.read_text()), path


@pytest.mark.parametrize("seed", range(6))
def test_a_spoiled_manifest_is_never_told_to_be_sound(seed: int) -> None:
    chance = random.Random(seed)
    willing = 0
    for _ in range(250):
        lines = chance.choice(MANIFESTS).read_text().splitlines()
        at = chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[chance.randrange(len(lines))])
            case 2:
                line = lines[at]
                place = chance.randrange(len(line) + 1)
                lines[at] = line[:place] + chance.choice('"[]{}=,.#x1 ') + line[place:]
            case 3:
                lines[at] = lines[at].replace(chance.choice('"[]{}=,.abcdefg123_'), "", 1)
            case _:
                line = lines[at]
                lines[at] = line.replace("true", "1").replace('"', "", 2).replace("60", '"60"')
        willing += _same("\n".join(lines))
    assert willing > 20
