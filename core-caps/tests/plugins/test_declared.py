"""A plugin is held to its manifest: whatever one of the two says alone is told, by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from core_caps.contract.declared import CASES, CASES_OF_A_BACKEND, Declared
from core_caps.contract.suite import ContractViolation
from core_caps.errors import CapsError

pytestmark = pytest.mark.feature("DC-03", "DC-04", "CK-05")

PROMISES = {case.__name__: case for case in (*CASES, *CASES_OF_A_BACKEND)}
LIMITS = """
[limits]
key_size_bytes_max = { value = 512, source = "https://example.com/limits" }
"""

REQUIRED = """\
Requires-Dist: near
Provides-Extra: remote
Requires-Dist: far ; extra == 'remote'
Requires-Dist: near[fast] ; extra == 'remote'
"""


@pytest.fixture
def plugin(site: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a sound plugin, which an interpreter beside this one finds, too."""
    for name in ("near", "far"):
        metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
        site.write(f"{name}.py", "")
        site.write(f"{name}-1.0.dist-info/METADATA", metadata)
        site.write(f"{name}-1.0.dist-info/top_level.txt", f"{name}\n")
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    home = site.plugin("sample", extra=REQUIRED, limits__py="KEY_SIZE_BYTES_MAX = 512\n")
    changed(home / "capability.toml", "", LIMITS)
    changed(home / "plugin.py", "from core_caps", "import near\nfrom core_caps")
    return home


def changed(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1) if old else text + new)


def verdict(case: Callable[..., None]) -> str | None:
    """What the case says of the sample, or None."""
    declared = Declared.by("cap_sample")
    about = [declared.manifest.backends["mock"]] if case in CASES_OF_A_BACKEND else []
    try:
        case(declared, *about)
    except (ContractViolation, CapsError) as violation:
        return str(violation)
    return None


@pytest.mark.parametrize("case", PROMISES)
def test_a_sound_plugin_is_what_it_declares(plugin: Path, case: str) -> None:
    assert verdict(PROMISES[case]) is None


@pytest.mark.parametrize(
    ("case", "file", "old", "new"),
    [
        (
            "every_operation_claims_what_its_hints_allow",
            "capability.toml",
            "",
            '\n[capabilities.kv.deviations.put]\neffects = "read_only"\n',
        ),
        (
            "every_limit_has_its_source_and_is_the_codes_own",
            "limits.py",
            "512",
            "511",
        ),
        (
            "every_limit_has_its_source_and_is_the_codes_own",
            "capability.toml",
            "https://example.com/limits",
            "somewhere",
        ),
        (
            "every_operation_has_a_cost_or_none_has",
            "capability.toml",
            "",
            "\n[costs.get]\nrequests = 1\n",
        ),
        (
            "it_is_installed_under_its_name_with_its_extras",
            "capability.toml",
            'name = "sample"',
            'name = "simple"',
        ),
        (
            "it_is_installed_under_its_name_with_its_extras",
            "capability.toml",
            "[backends.mock]",
            '[backends.mock]\nextra = "far"',
        ),
        (
            "providers_have_the_operations_of_their_protocol",
            "mock.py",
            "async def delete(self, key)",
            "async def delete(self, name)",
        ),
        (
            "providers_have_the_operations_of_their_protocol",
            "mock.py",
            "async def delete",
            "async def remove",
        ),
        (
            "settings_are_the_fields_of_the_configuration",
            "mock.py",
            "stale_seconds: float = 0.0",
            "stale_seconds: float",
        ),
        (
            "settings_are_the_fields_of_the_configuration",
            "mock.py",
            "stale_seconds: float = 0.0",
            "stale_seconds: float = 1.0",
        ),
        (
            "settings_are_the_fields_of_the_configuration",
            "mock.py",
            "stale_seconds: float = 0.0",
            "late_seconds: float = 0.0",
        ),
        (
            "what_has_no_extra_needs_none",
            "mock.py",
            "from dataclasses",
            "import far\nfrom dataclasses",
        ),
        (
            "the_mock_opens_through_connect",
            "capability.toml",
            "default = 0.0",
            "required = true",
        ),
    ],
)
def test_what_only_one_of_the_two_says_is_told(
    plugin: Path, case: str, file: str, old: str, new: str
) -> None:
    changed(plugin / file, old, new)
    assert verdict(PROMISES[case]) is not None
