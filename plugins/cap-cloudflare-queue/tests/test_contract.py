"""The promises of queue/1, on every backend of conftest.py."""

import pytest
from core_caps.contract.pytest_plugin import enrol

pytestmark = pytest.mark.feature("PH2-06", "DC-04")
test_contract = enrol("cap_cloudflare_queue")
