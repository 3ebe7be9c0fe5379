"""The promises of kv/1, by what they are about; `core_caps.contract.kv` puts them together."""
