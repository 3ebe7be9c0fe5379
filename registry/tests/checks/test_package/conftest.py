"""A sound plugin to spoil, and a cache that the tests of one session share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flows_registry.checks.package import check_package
from flows_registry.commands.new import create
from flows_registry.verdict import CheckResult


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is kept in the user's cache."""
    cache = tmp_path_factory.getbasetemp() / "flows-cache"
    monkeypatch.setenv("FLOWS_CACHE", str(cache))


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The folder of a plugin that passes."""
    return create("cap-twin", tmp_path / "plugins")


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., CheckResult]:
    """Run the check on a folder."""

    def run(folder: Path, **options: float) -> CheckResult:
        return check_package(folder, tmp_path / "scratch", **options)[0]

    return run
