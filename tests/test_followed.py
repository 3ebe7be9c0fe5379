"""The source of our own plugins is followed to its end, whatever they do in it."""

from pathlib import Path

import pytest
from core_caps.claims.manifest import read
from flows_registry.checks.effects.static import derive

PLUGINS = sorted((Path(__file__).resolve().parent.parent / "plugins").glob("cap-*"))


def _providers() -> list[tuple[Path, str]]:
    manifests = [next(plugin.glob("src/*/capability.toml")) for plugin in PLUGINS]
    return [
        (file.parent.parent, provider)
        for file in manifests
        for backend in read(file).backends.values()
        for provider in backend.providers.values()
    ]


@pytest.mark.feature("P4-01", "CK-01")
@pytest.mark.parametrize(("source", "provider"), _providers(), ids=str)
def test_a_derivation_meets_no_bound(source: Path, provider: str) -> None:
    derived = derive(source, provider, ())
    assert [top for its in derived.values() for top in its.top if top.span is None] == []
