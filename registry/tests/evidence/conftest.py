"""What the tests of evidence share: the sample, and a browser."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The certifications that never happened."""
    path = Path(__file__).with_name("sample.py")
    spec = importlib.util.spec_from_file_location("evidence_sample", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
