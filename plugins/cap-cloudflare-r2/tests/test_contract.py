"""Every promise of blob/1 that the manifest selects."""

import pytest
from core_caps.contract.pytest_plugin import enrol

test_contract = pytest.mark.feature("DC-04", "CK-05", "PH2-03", "PH2-05", "S3-01", "S3-02")(
    enrol("cap_cloudflare_r2")
)
