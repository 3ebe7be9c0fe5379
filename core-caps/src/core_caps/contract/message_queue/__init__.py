"""The promises of queue/1; `core_caps.contract.queue` puts them together."""
