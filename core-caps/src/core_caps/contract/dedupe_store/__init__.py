"""The promises of dedupe/1; `core_caps.contract.dedupe` puts them together."""
