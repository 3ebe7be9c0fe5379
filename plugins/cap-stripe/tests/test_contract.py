"""The promises of payments/1, on every backend of conftest.py."""

import pytest
from core_caps.contract.pytest_plugin import enrol

pytestmark = pytest.mark.feature("S4-08", "DC-04", "MW-07", "MW-14")
test_contract = enrol("cap_stripe")
