"""The promises of sql/1, by what they are about; `core_caps.contract.sql` puts them together."""
