"""However an operation is rewritten, no effect of it is lost."""

import ast
import tempfile
from pathlib import Path

import pytest
from flows_registry.checks.effects.static import Derived, derive
from hypothesis import given, settings
from hypothesis import strategies as st

from .disguises import DISGUISES, Package
from .snippets import Snippet, write
from .snippets_clients import CLIENTS
from .snippets_hooks import HOOKS
from .snippets_shapes import SHAPES
from .snippets_structures import STRUCTURES

pytestmark = pytest.mark.feature("P4-01", "CK-01")

SNIPPETS = {snippet.name: snippet for snippet in [*CLIENTS, *SHAPES, *STRUCTURES, *HOOKS]}


def disguised(snippet: Snippet, disguises: list[str]) -> tuple[Derived, str]:
    with tempfile.TemporaryDirectory() as folder:
        root = write(snippet, Path(folder))
        package: Package = {"m": ast.parse((root / "pkg" / "m.py").read_text())}
        for disguise in disguises:
            DISGUISES[disguise](package)
        for name, tree in package.items():
            source = ast.unparse(ast.fix_missing_locations(tree))
            (root / "pkg" / f"{name}.py").write_text(source)
        shown = (root / "pkg" / "m.py").read_text()
        return derive(root, "pkg.m:P", ["run"])["run"], shown


@pytest.mark.parametrize("disguise", DISGUISES)
def test_one_disguise_hides_nothing(disguise: str) -> None:
    hidden = {
        name: shown
        for name, snippet in SNIPPETS.items()
        for found, shown in [disguised(snippet, [disguise])]
        if found.effects < snippet.effects or (snippet.top is True and not found.top)
    }
    assert not hidden


@given(st.sampled_from(sorted(SNIPPETS)), st.lists(st.sampled_from(sorted(DISGUISES)), max_size=4))
@settings(max_examples=150, deadline=None)
def test_several_disguises_hide_nothing(name: str, disguises: list[str]) -> None:
    snippet = SNIPPETS[name]
    found, shown = disguised(snippet, disguises)
    assert found.ceiling >= snippet.effects, shown
    assert found.top or not snippet.top, shown


@pytest.mark.parametrize("disguise", DISGUISES)
def test_one_disguise_adds_nothing(disguise: str) -> None:
    """A clean operation stays clean: what is refused must not depend on style."""
    added = {
        name: (str(found.effects), [str(top.reason) for top in found.top])
        for name, snippet in SNIPPETS.items()
        for found, _ in [disguised(snippet, [disguise])]
        if found.effects > snippet.effects or (snippet.top is False and found.top)
    }
    assert not added
