"""The promises of durable_object/1, dedupe/1 and sequencer/1, on every backend of conftest.py."""

import pytest
from core_caps.contract.pytest_plugin import enrol

pytestmark = pytest.mark.feature("PH2-09", "DC-04", "S3-07")
test_contract = enrol("cap_cloudflare_do")
