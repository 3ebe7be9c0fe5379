"""The promises of durable_object/1; `core_caps.contract.durable_object` puts them together."""
