"""The promises of ledger/1, on every backend of conftest.py."""

from core_caps.contract.pytest_plugin import enrol

test_contract = enrol("cap_acme_ledger")
