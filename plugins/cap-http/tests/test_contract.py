"""The promises of http/1, on every backend of conftest.py."""

import pytest
from core_caps.contract.pytest_plugin import enrol

pytestmark = pytest.mark.feature("DC-04")
test_contract = enrol("cap_http")
