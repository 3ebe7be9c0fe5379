"""The promises of every capability, on every backend of conftest.py."""

import pytest
from core_caps.contract.pytest_plugin import enrol

pytestmark = pytest.mark.feature("DC-01", "DC-04", "CK-05", "W5-01")
test_contract = enrol("cap_postgres_neon")
