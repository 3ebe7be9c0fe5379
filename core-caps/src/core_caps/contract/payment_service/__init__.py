"""The promises of payments/1; `core_caps.contract.payments` puts them together."""
