"""Twins that the package check must refuse."""

from flows_registry.corpus.twin import Edit, Twin

__all__ = ["TWINS"]

_HOOK = """from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        Path("/tmp/corpus-was-here").write_text("built")
        (Path(self.root).parent / "corpus-was-here").write_text("built")
"""

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
    Twin(
        "a build hook that writes outside",
        "pure",
        (
            Edit(
                "pyproject.toml",
                "[tool.hatch.build.targets.wheel]\n",
                "[tool.hatch.build.hooks.custom]\n\n[tool.hatch.build.targets.wheel]\n",
            ),
            Edit("./hatch_build.py", "", _HOOK),
        ),
        "package",
        ("PACKAGE005",),
    ),
    Twin(
        "a .pth that runs at start",
        "pure",
        (
            Edit(
                "pyproject.toml",
                'packages = ["src/corpus_pure"]\n',
                'packages = ["src/corpus_pure"]\n\n[tool.hatch.build.targets.wheel.force-include]\n"start.pth" = "corpus_start.pth"\n',
            ),
            Edit("./start.pth", "", "import sys; sys.stdout\n"),
        ),
        "package",
        ("PACKAGE007",),
    ),
)
