"""What operations do to the world: derived from the source, observed on the wire and in state."""
