"""The promises of kv/1, on every backend of conftest.py."""

import pytest
from core_caps.contract.pytest_plugin import enrol

pytestmark = pytest.mark.feature("W2-01", "PH2-01", "PH2-02", "DC-04", "P4-03", "CK-05")
test_contract = enrol("cap_cloudflare_kv")
