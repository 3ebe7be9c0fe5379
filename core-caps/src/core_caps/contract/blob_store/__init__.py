"""The promises of blob/1, by what they are about; `core_caps.contract.blob` puts them together."""
