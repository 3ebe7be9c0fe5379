"""The suites that a provider must satisfy: plain async functions and plain data.

Standard library only, versioned with the protocol, selected by the manifest. pytest (through
`core_caps.contract.pytest_plugin`) and the certifier run the same cases.
"""
