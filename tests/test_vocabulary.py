"""The words of docs/vocabulary.md are the code's, and the decisions are all listed."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROWS = [
    re.fullmatch(r"\| \*\*(?P<word>.+?)\*\* \| (?P<meaning>.+?) \| ?(?P<banned>.*?) ?\|", line)
    for line in (ROOT / "docs" / "vocabulary.md").read_text("utf-8").splitlines()
    if line.startswith("| **")
]
WORDS = [row["word"] for row in ROWS if row]
BANNED = [word for row in ROWS if row for word in row["banned"].split(", ") if word]
SOURCES = sorted(
    path
    for folder in ("core-caps/src", "registry/src", *(f"{p}/src" for p in ROOT.glob("plugins/*")))
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".toml", ".template") and "__pycache__" not in path.parts
)
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "*/README.md", "plugins/*/README.md")
    for path in ROOT.glob(pattern)
)


def holding(word: str, paths: list[Path]) -> list[str]:
    """The files in which a word occurs, alone or as part of a name: `FaultServer`."""
    parts = [re.escape(part) for part in word.split()]
    spoken = r"(?<![a-zA-Z])" + r"[\s_-]".join(parts) + r"(s|es)?(?![a-zA-Z])"
    named = "".join(part.capitalize() for part in word.split())
    shape = re.compile(f"(?i:{spoken})|{named}s?(?![a-z])")
    return [str(path.relative_to(ROOT)) for path in paths if shape.search(path.read_text("utf-8"))]


def test_the_page_is_read_whole() -> None:
    assert len(WORDS) > 40
    assert None not in ROWS
    assert len(set(WORDS)) == len(WORDS), "a word has one meaning"
    assert len(BANNED) > 10
    assert not set(WORDS) & set(BANNED)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_used(word: str) -> None:
    assert holding(word, SOURCES), f"nothing is called {word!r}: the page has a word too many"


@pytest.mark.parametrize("word", BANNED)
def test_its_synonyms_are_not(word: str) -> None:
    pages = [path for path in DOCUMENTS if path.name != "vocabulary.md"]
    assert holding(word, [*SOURCES, *pages]) == []


def test_every_decision_is_listed_once() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text("utf-8")
    listed = re.findall(r"\| \[(\d+)\]\((.+?)\) \| (.+?) \|", index)
    assert [name for _, name, _ in listed] == sorted(path.name for path in folder.glob("[0-9]*.md"))
    for number, name, title in listed:
        first = (folder / name).read_text("utf-8").splitlines()[0]
        assert first == f"# {number}. {title}"
