"""Twins that the package check must refuse."""

from flows_registry.corpus.twin import Edit, Twin

__all__ = ["TWINS"]

TWINS: tuple[Twin, ...] = (
    Twin(
        "an entry point that is not there",
        "pure",
        (Edit("pyproject.toml", 'corpus_pure.plugin"', 'corpus_pure.plugins"'),),
        "package",
        ("PACKAGE011",),
    ),
    Twin(
        "a dependency that is not declared",
        "aiohttp",
        (Edit("pyproject.toml", 'remote = ["aiohttp>=3.12"]', 'remote = ["multidict>=6"]'),),
        "package",
        ("PACKAGE013",),
    ),
)
