"""Every snippet does what it says, and a derivation says the same."""

from pathlib import Path

import pytest
from flows_registry.checks.effects.static import Derived, derive

from .snippets import Snippet, write
from .snippets_clients import CLIENTS
from .snippets_hooks import HOOKS
from .snippets_shapes import SHAPES
from .snippets_structures import STRUCTURES

pytestmark = pytest.mark.feature("P4-01", "CK-01")

SNIPPETS = [*CLIENTS, *SHAPES, *STRUCTURES, *HOOKS]


def derived(snippet: Snippet, folder: Path) -> Derived:
    return derive(write(snippet, folder), "pkg.m:P", ["run"])["run"]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.name)
def test_derives_what_the_snippet_does(snippet: Snippet, tmp_path: Path) -> None:
    found = derived(snippet, tmp_path)
    details = [sink.detail for sink in found.sinks]
    assert str(found.effects) == str(snippet.effects), (details, found.top)
    if snippet.top is not None:
        assert bool(found.top) == snippet.top, found.top
    for word in snippet.sinks:
        assert any(word in detail for detail in details), details
    if snippet.hosts is not None:
        assert set(found.hosts) == set(snippet.hosts)


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len({snippet.name for snippet in SNIPPETS}) == len(SNIPPETS) >= 150
