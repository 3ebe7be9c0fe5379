"""HTTP as a capability: `mock` answers from memory, `remote` speaks it, to allowed hosts alone."""
