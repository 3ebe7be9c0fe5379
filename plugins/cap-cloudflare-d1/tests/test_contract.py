"""The promises of sql/1, on every backend of conftest.py."""

import pytest
from core_caps.contract.pytest_plugin import enrol

pytestmark = pytest.mark.feature("DC-04", "CW-01")
test_contract = enrol("cap_cloudflare_d1")
