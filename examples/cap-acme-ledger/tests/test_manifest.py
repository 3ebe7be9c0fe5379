"""The manifest says what the code does, and the README's example runs."""

from core_caps.contract.pytest_plugin import enrol_manifest, enrol_readme

test_manifest = enrol_manifest("cap_acme_ledger")
test_readme = enrol_readme(prints="500\n500\n")
