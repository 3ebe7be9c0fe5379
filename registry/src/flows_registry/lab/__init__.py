"""What every check stands on: builds, clean environments, rooms, references, simulators."""
