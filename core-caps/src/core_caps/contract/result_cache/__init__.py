"""The promises of cache/1; `core_caps.contract.cache` puts them together."""
